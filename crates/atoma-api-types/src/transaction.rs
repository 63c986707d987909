//! Entries of the transaction journal.

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
    #[schema(value_type = TransactionKind)]
    pub kind: String,
    /// How far it is.
    #[schema(value_type = TransactionStatus)]
    pub status: String,
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
    SettleStack,
    AttestSettlement,
    StartDispute,
    ClaimStack,
    ClaimConfidentialStack,
}

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionStatus {
    /// Nothing was sent yet.
    Queued,
    /// An attempt was sent, and its outcome is not known yet.
    Submitted,
    /// It executed.
    Succeeded,
    /// It failed, and nothing more is sent.
    Failed,
}

/// A transaction of the journal with its attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TransactionDetail)]
pub struct TransactionDetailView {
    /// The transaction.
    #[serde(flatten)]
    pub transaction: TransactionView,
    /// The gas paid by all its attempts, in MIST; an attempt that carried a batch counts in full.
    pub gas_used: Mist,
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
    #[schema(value_type = AttemptStage)]
    pub status: String,
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
    /// The gas that it paid, in MIST.
    pub gas_used: Option<Mist>,
    /// The checkpoint that contains it.
    pub checkpoint: Option<CheckpointNumber>,
    /// Why it can never execute, or why the network cancelled it.
    pub reason: Option<String>,
    /// Why it failed.
    pub error: Option<ErrorBody>,
    /// The transactions of the journal that it carries, in the order of its calls.
    pub transaction_ids: Vec<IntentId>,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStage {
    /// It was signed, and may have been sent.
    Signed,
    /// It executed.
    Succeeded,
    /// It executed and failed.
    Aborted,
    /// The network cancelled it.
    Cancelled,
    /// It can never execute.
    Dead,
}
