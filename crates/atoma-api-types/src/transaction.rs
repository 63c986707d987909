//! Entries of the transaction journal.

use atoma_domain::journal::{AttemptStatus, IntentStatus};
use atoma_domain::{CheckpointNumber, Digest, Epoch, IntentId, Mist, NodeSmallId, StackSmallId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ErrorBody;
use crate::text;

/// A transaction of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Transaction)]
pub struct TransactionView {
    /// The transaction's number in the journal.
    #[schema(example = 17)]
    pub transaction_id: IntentId,
    /// What it does.
    pub kind: TransactionKind,
    /// How far it is.
    pub status: IntentStatus,
    /// The digest of its latest attempt.
    #[schema(value_type = Option<text::TransactionDigest>)]
    pub tx_digest: Option<Digest>,
    /// The node that acts; `null` for a registration.
    pub node_small_id: Option<NodeSmallId>,
    /// The stack that it is about, or none.
    pub stack_small_ids: Vec<StackSmallId>,
    /// When it was requested.
    #[schema(value_type = Option<text::Time>)]
    pub created_at: Option<String>,
    /// When it last changed.
    #[schema(value_type = Option<text::Time>)]
    pub updated_at: Option<String>,
    /// Why it failed.
    pub error: Option<ErrorBody>,
    /// Why it makes no progress at present. Absent if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub waiting_for: Option<ErrorBody>,
}

/// What a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum TransactionKind {
    RegisterNode,
    SubscribeToModel,
    SubscribeToTask,
    UpdateSubscription,
    UnsubscribeFromTask,
    RotateNodeKey,
    WithdrawFees,
    SettleStack,
    AttestSettlement,
    StartDispute,
    ClaimStack,
    ClaimConfidentialStack,
}

impl TransactionKind {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RegisterNode => "register_node",
            Self::SubscribeToModel => "subscribe_to_model",
            Self::SubscribeToTask => "subscribe_to_task",
            Self::UpdateSubscription => "update_subscription",
            Self::UnsubscribeFromTask => "unsubscribe_from_task",
            Self::RotateNodeKey => "rotate_node_key",
            Self::WithdrawFees => "withdraw_fees",
            Self::SettleStack => "settle_stack",
            Self::AttestSettlement => "attest_settlement",
            Self::StartDispute => "start_dispute",
            Self::ClaimStack => "claim_stack",
            Self::ClaimConfidentialStack => "claim_confidential_stack",
        }
    }
}

/// A transaction of the journal with its attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TransactionDetail)]
pub struct TransactionDetailView {
    /// The transaction.
    #[serde(flatten)]
    pub transaction: TransactionView,
    /// The gas paid by all its attempts, in MIST; an attempt that carried a batch counts in full. This is what the daily
    /// cap counts.
    pub gas_used: Mist,
    /// What came back in MIST by attempts whose storage rebate was larger than their gas.
    pub gas_returned: Mist,
    /// The signed transactions that were sent for it, in their order.
    pub attempts: Vec<AttemptView>,
}

/// A signed transaction and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Attempt)]
pub struct AttemptView {
    /// Its digest.
    #[schema(value_type = text::TransactionDigest)]
    pub tx_digest: Digest,
    /// How far it is.
    pub status: AttemptStatus,
    /// When it was signed.
    #[schema(value_type = Option<text::Time>)]
    pub created_at: Option<String>,
    /// When its outcome was known.
    #[schema(value_type = Option<text::Time>)]
    pub concluded_at: Option<String>,
    /// The last epoch in which it can execute.
    pub expires_after_epoch: Epoch,
    /// Its gas budget, in MIST.
    pub gas_budget: Mist,
    /// The gas that it paid, in MIST, less its storage rebate; 0 if the rebate was larger.
    pub gas_used: Option<Mist>,
    /// What came back in MIST, because its storage rebate was larger than its gas.
    pub gas_returned: Option<Mist>,
    /// The checkpoint that contains it.
    pub checkpoint: Option<CheckpointNumber>,
    /// Why it can never execute, or why the network cancelled it.
    pub reason: Option<String>,
    /// Why it failed.
    pub error: Option<ErrorBody>,
    /// The transactions of the journal that it carries, in the order of its calls.
    pub transaction_ids: Vec<IntentId>,
}
