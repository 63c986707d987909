//! The daemon at a glance.

use atoma_domain::alarms::Severity;
use atoma_domain::{CheckpointNumber, Epoch, MicroUsdc, Mist, NodeSmallId, ObjectId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text;

/// The daemon at a glance. What can't be read is `null`. Sums over the database are read at most every ten seconds; until
/// new ones are there, the last ones stand, of the time `read_at`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Overview)]
pub struct OverviewView {
    /// When the sums were read.
    #[schema(value_type = Option<text::Time>)]
    pub read_at: Option<String>,
    /// The version of the daemon.
    pub version: String,
    /// The current epoch.
    pub epoch: Option<Epoch>,
    /// When it began.
    #[schema(value_type = Option<text::Time>)]
    pub epoch_started_at: Option<String>,
    /// When it is expected to end.
    #[schema(value_type = Option<text::Time>)]
    pub epoch_ends_at: Option<String>,
    /// The last checkpoint that the mirror has processed.
    pub checkpoint: Option<CheckpointNumber>,
    /// How long before the Sui node's last checkpoint that one was made, in milliseconds.
    pub lag_ms: Option<u64>,
    /// The stacks of the operator's nodes, by how far they are.
    pub pipeline: Option<Vec<StageView>>,
    /// Attestations that are missing and safe to send.
    pub attestations_due: Option<u64>,
    /// Attestations that are missing and may come too late.
    pub attestations_overdue: Option<u64>,
    /// Unresolved disputes about stacks of the operator's nodes.
    pub disputes_against: Option<u64>,
    /// What the operator's coins hold, in MIST.
    pub gas_balance: Option<Mist>,
    /// Gas paid in the last 24 hours, in MIST.
    pub gas_spent: Option<Mist>,
    /// The lanes with unfinished transactions.
    pub lanes: Vec<LaneView>,
    /// How many alarms fire that nobody has acknowledged, by severity.
    pub firing_alarms: Option<Vec<FiringAlarmsView>>,
    /// The size of the database in bytes, without its write-ahead log.
    pub database_bytes: Option<u64>,
    /// The Sui nodes, in the order in which they are asked.
    pub sui_nodes: Vec<SuiNodeView>,
}

/// How far a stack is on its way to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StageName)]
pub enum StageNameView {
    /// It is not settled.
    Served,
    /// It is settled, and can't be claimed before a later epoch.
    Settled,
    /// It can be claimed, as far as the epoch and disputes tell.
    Claimable,
    /// A dispute freezes its funds.
    Disputed,
    /// It was claimed and paid.
    Claimed,
}

/// The stacks that are this far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Stage)]
pub struct StageView {
    /// How far.
    pub stage: StageNameView,
    /// How many there are.
    pub stacks: u64,
    /// The nodes' fees for them in micro-USDC, at the contract's present charge and to within one for each stack; `null` while that
    /// charge is not known. `GET /earnings` tells what was paid to the last unit.
    pub amount: Option<MicroUsdc>,
}

/// A lane with unfinished transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Lane)]
pub struct LaneView {
    /// The badge; `null` for the lane of actions that need no badge.
    #[schema(value_type = Option<text::ObjectId>)]
    pub node_badge_id: Option<ObjectId>,
    /// The badge's node, if it is one of the operator's.
    pub node_small_id: Option<NodeSmallId>,
    /// How many transactions are unfinished.
    pub unfinished: u64,
    /// How long ago the daemon took up the oldest of them, in milliseconds.
    pub oldest_ms: u64,
}

/// Alarms of one severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FiringAlarms)]
pub struct FiringAlarmsView {
    /// How bad they are.
    pub severity: Severity,
    /// How many there are.
    pub count: u64,
}

/// A Sui node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SuiNode)]
pub struct SuiNodeView {
    /// Its address, without secrets.
    pub node: String,
    /// Its newest checkpoint when it was last heard of.
    pub checkpoint: Option<CheckpointNumber>,
    /// Why it is left aside; `null` if it is not.
    pub left_aside: Option<String>,
}
