//! The autopilot and the duties that it looks after.

use atoma_domain::{Epoch, MicroUsdc, Mist, NodeSmallId, StackSmallId, TaskSmallId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text;

/// What a duty is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DutyKind)]
pub enum DutyKindView {
    /// Attesting a settlement.
    Attest,
    /// Settling a stack.
    Settle,
    /// Claiming a stack.
    Claim,
    /// Collecting the shares that the contract owes a node for its attestations.
    Withdraw,
}

/// How a duty stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DutyStanding)]
pub enum DutyStandingView {
    /// It is to be done now.
    Due,
    /// It will be due without anybody's help.
    Waiting,
    /// It will not be done, unless somebody helps.
    Blocked,
}

/// Something that one of the operator's nodes has to do, now or later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Duty)]
pub struct DutyView {
    /// What.
    pub duty: DutyKindView,
    /// The stack; `null` of a withdrawal, which is about the node.
    pub stack_small_id: Option<StackSmallId>,
    /// Its task; `null` if the purchase is not known, and of a withdrawal.
    pub task_small_id: Option<TaskSmallId>,
    /// The node.
    pub node_small_id: NodeSmallId,
    /// How it stands.
    pub standing: DutyStandingView,
    /// Why, as a stable code such as `filled` or `no_record`.
    #[schema(example = "filled")]
    pub reason: String,
    /// Why, in a sentence.
    pub explanation: String,
    /// Until when it waits at most, if that is known.
    #[schema(value_type = Option<text::Time>)]
    pub waits_until: Option<String>,
    /// Until when it must be done, if there is such a time.
    #[schema(value_type = Option<text::Time>)]
    pub deadline: Option<String>,
    /// What the node earns, in micro-USDC; `null` of an attestation, whose share is known when the settling node claims.
    pub proceeds_micro_usdc: Option<MicroUsdc>,
    /// Since when it could be done: the stack's settlement, or the last message of a confidential stack. `null` before.
    #[schema(value_type = Option<text::Time>)]
    pub since: Option<String>,
}

/// How many duties of a kind stand alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DutyCount)]
pub struct DutyCountView {
    /// What they are about.
    pub duty: DutyKindView,
    /// How they stand.
    pub standing: DutyStandingView,
    /// Why, as a stable code.
    pub reason: String,
    /// How many there are.
    pub count: usize,
}

/// Whether the autopilot acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AutopilotMode)]
pub enum AutopilotModeView {
    /// It does nothing.
    Off,
    /// It only says what it would do.
    Plan,
    /// It does what is due.
    On,
}

/// What a pause stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PauseScope)]
pub enum PauseScopeView {
    /// Everything but attestations. These go on, because the contract punishes those that are missing.
    #[default]
    AllButAttestations,
    /// Everything.
    All,
}

/// A pause of the autopilot. It ends when somebody resumes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Pause)]
pub struct PauseView {
    /// What it stops.
    pub scope: PauseScopeView,
    /// Why it began, as a stable code.
    #[schema(example = "dispute_against")]
    pub reason: String,
    /// Why, and what has happened since.
    pub explanation: String,
    /// Since when.
    #[schema(value_type = Option<text::Time>)]
    pub since: Option<String>,
}

/// The autopilot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Autopilot)]
pub struct AutopilotView {
    /// Whether it acts.
    pub mode: AutopilotModeView,
    /// Why it is paused; `null` if it is not.
    pub pause: Option<PauseView>,
    /// Why the daemon sends no transactions at all, so that nothing is done; `null` if it does.
    pub writes_stopped: Option<String>,
    /// The file that pauses it while it exists.
    pub pause_file: Option<String>,
    /// Whether that file exists.
    pub is_paused_by_file: bool,
    /// When it looked last; `null` before its first look.
    #[schema(value_type = Option<text::Time>)]
    pub looked_at: Option<String>,
    /// The epoch then.
    pub epoch: Option<Epoch>,
    /// When that epoch is expected to end, if the Sui node says so.
    #[schema(value_type = Option<text::Time>)]
    pub epoch_ends_at: Option<String>,
    /// How many duties have failed for good lately; a pause begins at `policy.max_failures`.
    pub recent_failures: u32,
    /// The duties that it saw, counted.
    pub counts: Vec<DutyCountView>,
    /// The first of them: those with the earliest deadlines, then those that are due or blocked. At most 20.
    pub next: Vec<DutyView>,
    /// Its rules.
    pub policy: PolicyView,
}

/// The autopilot's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AutopilotPolicy)]
pub struct PolicyView {
    /// For tasks without their own.
    pub duties: DutyPoliciesView,
    /// For some tasks, instead of the others.
    pub tasks: Vec<TaskPolicyView>,
    /// The price of one SUI by which gas is weighed against proceeds, in micro-USDC.
    pub sui_price_micro_usdc: MicroUsdc,
    /// What the operator's coins must hold for anything but attestations, in MIST.
    pub gas_reserve_mist: Mist,
    /// After how many failed duties it pauses; 0 is never.
    pub max_failures: u32,
    /// Within which time, in seconds.
    pub failure_window_s: u64,
}

/// The rules for one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TaskPolicy)]
pub struct TaskPolicyView {
    /// The task.
    pub task_small_id: TaskSmallId,
    /// Its rules.
    pub duties: DutyPoliciesView,
}

/// The rules for each duty, by the names of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DutyPolicies)]
pub struct DutyPoliciesView {
    /// Whether settlements are attested, at once.
    pub attest: bool,
    /// How long before the end of the epoch an attestation is late, in seconds; at most a quarter of the epoch.
    pub attest_margin_s: u64,
    /// Whether stacks are settled. The rules hold for the claims of confidential stacks too.
    pub settle: bool,
    /// The share of the units that must be computed, in hundredths.
    pub settle_fill_percent: u64,
    /// After how long without a message a stack is settled anyway, in seconds.
    pub settle_idle_s: u64,
    /// The last part of an epoch in which nothing is settled that others may have to attest, in hundredths of it.
    pub settle_quiet_percent: u64,
    /// Whether stacks are claimed and shares withdrawn.
    pub claim: bool,
    /// How many times their gas the claims of a node must be worth.
    pub claim_gas_factor: u32,
    /// After how long they are claimed if they are worth their gas at all, in seconds.
    pub claim_longest_wait_s: u64,
}

/// A request to pause the autopilot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// What to stop; everything but attestations by default.
    #[serde(default)]
    pub scope: PauseScopeView,
    /// Why, for those who read it later.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub note: Option<String>,
}
