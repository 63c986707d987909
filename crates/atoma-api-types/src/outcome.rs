//! The outcome of requests for transactions.

use atoma_domain::{Digest, IntentId, Mist, NodeSmallId, ObjectId, StackSmallId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::ErrorBody;
use crate::text;

/// The fields that a dry run adds to a response. Other responses have none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DryRun {
    /// `true`: nothing was sent or stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = true)]
    pub dry_run: Option<bool>,
    /// The estimated gas in MIST, before any margin. Absent where each result has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub estimated_gas: Option<Mist>,
}

impl DryRun {
    /// The mark of a dry run, or nothing.
    pub fn mark(is_dry_run: bool) -> Self {
        Self {
            dry_run: is_dry_run.then_some(true),
            estimated_gas: None,
        }
    }

    /// The mark and the gas of the one transaction.
    pub const fn with_gas(estimated_gas: Mist) -> Self {
        Self {
            dry_run: Some(true),
            estimated_gas: Some(estimated_gas),
        }
    }
}

/// A transaction's digest, or the estimated gas of a dry run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExecutedTransaction)]
pub struct DigestView {
    /// The digest of the executed transaction. Absent in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<text::TransactionDigest>, nullable = false)]
    pub tx_digest: Option<Digest>,
    /// Present in the response to a dry run.
    #[serde(flatten)]
    pub dry_run: DryRun,
}

/// A subscription that was made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Subscribed)]
pub struct SubscribedView {
    /// The transaction.
    #[serde(flatten)]
    pub done: DigestView,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

/// A dispute that was raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Disputed)]
pub struct DisputedView {
    /// The transaction.
    #[serde(flatten)]
    pub done: DigestView,
    /// What the caller should know: a dispute freezes the stack's funds.
    pub warnings: Vec<String>,
}

/// A registered node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Registered)]
pub struct RegisteredView {
    /// The transaction.
    #[serde(flatten)]
    pub done: DigestView,
    /// The new node's small id. Absent in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub node_small_id: Option<NodeSmallId>,
    /// The object id of the new node's badge. Absent in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<text::ObjectId>, nullable = false)]
    pub node_badge_id: Option<ObjectId>,
}

/// What became of one stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StackResultStatus {
    /// The transaction executed, or would succeed.
    Succeeded,
    /// It failed or was refused, and nothing more happens.
    Failed,
    /// It is under way.
    Pending,
}

/// The outcome for one stack and one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = StackResult)]
pub struct StackResultView {
    /// The stack.
    pub stack_small_id: StackSmallId,
    /// The node that acts; `null` if none could be chosen.
    pub node_small_id: Option<NodeSmallId>,
    /// What became of it.
    pub status: StackResultStatus,
    /// The digest of the transaction, if one reached the network.
    #[schema(value_type = Option<text::TransactionDigest>)]
    pub tx_digest: Option<Digest>,
    /// The transaction's number in the journal.
    pub transaction_id: Option<IntentId>,
    /// The estimated gas of a dry run in MIST, before any margin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub estimated_gas: Option<Mist>,
    /// Why it failed, or what it waits for.
    pub error: Option<ErrorBody>,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

/// The fields of an [`ErrorBody`] if a request over several stacks failed as a whole; otherwise none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WholeError {
    /// What happened, to what, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<String>,
    /// The stable code, in `snake_case`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// What the error is about, by field name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
}

impl From<ErrorBody> for WholeError {
    fn from(body: ErrorBody) -> Self {
        Self {
            error: Some(body.error),
            code: Some(body.code),
            details: body.details,
        }
    }
}

/// The outcome of a request over several stacks. While nothing has succeeded it is also an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Batch)]
pub struct BatchView {
    /// Present when nothing was done: the first failure, or why all results are pending.
    #[serde(flatten)]
    pub error: WholeError,
    /// Present in the response to a dry run.
    #[serde(flatten)]
    pub dry_run: DryRun,
    /// The digests of the successes.
    #[schema(value_type = Vec<text::TransactionDigest>)]
    pub tx_digests: Vec<Digest>,
    /// One result for each stack and node, in the order of the request.
    pub results: Vec<StackResultView>,
}

/// The outcome of a claim. Stacks share transactions, so each digest is listed once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Claim)]
pub struct ClaimView {
    /// The first of `tx_digests`.
    #[schema(value_type = Option<text::TransactionDigest>)]
    pub tx_digest: Option<Digest>,
    /// The results.
    #[serde(flatten)]
    pub batch: BatchView,
}
