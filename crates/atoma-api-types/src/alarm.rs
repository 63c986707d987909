//! Alarms.

use atoma_domain::alarms::{AlarmState, Severity};
use atoma_domain::{AlarmId, NodeSmallId, StackSmallId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text;

/// Something that the operator must look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Alarm)]
pub struct AlarmView {
    /// The daemon's number of the alarm.
    pub alarm_id: AlarmId,
    /// The rule, such as `attestation_due`; `docs/alarms.md` lists them.
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// How it stands.
    pub state: AlarmState,
    /// What it is about: `daemon`, or for example `stack 13`.
    pub subject: String,
    /// The node that it is about, if it is about one.
    pub node_small_id: Option<NodeSmallId>,
    /// The stack that it is about, if it is about one.
    pub stack_small_id: Option<StackSmallId>,
    /// What is wrong, in one sentence.
    pub summary: String,
    /// When it is too late, if there is such a time.
    #[schema(value_type = Option<text::Time>)]
    pub deadline: Option<String>,
    /// When it became an alarm.
    #[schema(value_type = Option<text::Time>)]
    pub since: Option<String>,
    /// When somebody acknowledged it.
    #[schema(value_type = Option<text::Time>)]
    pub acknowledged_at: Option<String>,
    /// When it was resolved.
    #[schema(value_type = Option<text::Time>)]
    pub resolved_at: Option<String>,
    /// When a message last said that it fires.
    #[schema(value_type = Option<text::Time>)]
    pub told_at: Option<String>,
}

/// How the receivers of alarms took a test message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AlarmTest)]
pub struct AlarmTestView {
    /// Each receiver of the configuration.
    pub receivers: Vec<ToldReceiverView>,
}

/// How a receiver of alarms took a test message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ToldReceiver)]
pub struct ToldReceiverView {
    /// Its name in the configuration.
    pub receiver: String,
    /// Whether it confirmed the message.
    pub is_delivered: bool,
    /// Why not, in words.
    pub problem: Option<String>,
}
