//! The daemon itself: health and readiness.

use atoma_domain::Mist;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ErrorBody;

/// The process is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Health)]
pub struct HealthView {
    /// Always `ok`.
    pub status: HealthStatus,
}

/// The state of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It answers.
    Ok,
}

/// The daemon is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Ready)]
pub struct ReadyView {
    /// Always `ready`.
    pub status: ReadyStatus,
    /// What the operator should look at.
    pub warnings: Vec<String>,
    /// The limits on spending; `null` while they are not known.
    pub brakes: Option<SpendingLimitsView>,
}

/// The state of a daemon that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadyStatus {
    /// It takes requests that write.
    Ready,
}

/// The daemon is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = NotReady)]
pub struct NotReadyView {
    /// The reasons, in `details.reasons`.
    #[serde(flatten)]
    pub error: ErrorBody,
    /// The limits on spending; `null` while they are not known.
    pub brakes: Option<SpendingLimitsView>,
}

/// How close the daemon is to its limits on spending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SpendingLimits)]
pub struct SpendingLimitsView {
    /// Gas paid in the last 24 hours, in MIST, which the cap counts; what came back by storage rebates is not taken off.
    pub gas_spent: Mist,
    /// The gas budgets of transactions in flight, in MIST.
    pub gas_reserved: Mist,
    /// The cap on the sum of both, in MIST; `null` without a cap.
    pub daily_gas_cap: Option<Mist>,
    /// How many transactions in a row failed.
    pub failures_in_a_row: u32,
    /// At how many of them the circuit breaker opens and pauses writes; 0 means never.
    pub breaker_failures: u32,
    /// Why nothing is signed at present.
    pub held: Option<ErrorBody>,
}
