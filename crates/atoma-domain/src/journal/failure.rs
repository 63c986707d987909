//! Why something asked for was not done.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::contract::Abort;
use crate::{
    ComputeUnits, Digest, Epoch, IntentId, Mist, NodeSmallId, ObjectId, StackSmallId, TaskSmallId,
};

/// Why something asked for was not done, in words that an operator can act on. The serde tag is
/// the stable code that the API answers and the journal keeps; the fields are its details.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum Failure {
    // The request can't be understood.
    #[error("{message}")]
    InvalidRequest { message: String },
    #[error("the operator runs {nodes} nodes; say which one acts with `node_small_id`")]
    AmbiguousNode { nodes: usize },
    #[error(
        "`node_small_id` {node_small_id} and `node_badge_id` {node_badge_id} are not the same node"
    )]
    NodeMismatch {
        node_small_id: NodeSmallId,
        node_badge_id: ObjectId,
    },

    // Nothing of that name.
    #[error("stack {stack_small_id} is not known here")]
    UnknownStack { stack_small_id: StackSmallId },
    #[error("task {task_small_id} is not known here")]
    UnknownTask { task_small_id: TaskSmallId },
    #[error("node {node_small_id} is not one of the operator's nodes")]
    UnknownNode { node_small_id: NodeSmallId },
    #[error("badge {node_badge_id} is not one of the operator's nodes")]
    UnknownBadge { node_badge_id: ObjectId },
    #[error("no node is registered for the operator's address; POST /register first")]
    NoNodeRegistered {},
    #[error("transaction {transaction} is not in the journal")]
    UnknownTransaction { transaction: String },
    #[error("stack {stack_small_id} was never settled")]
    NotSettled { stack_small_id: StackSmallId },

    // The thing is already so, or not yet.
    #[error("the address already owns a node badge; send `\"additional\": true` for another")]
    AlreadyRegistered { node_small_id: NodeSmallId },
    #[error("node {node_small_id} is already subscribed to task {task_small_id}")]
    AlreadySubscribed {
        node_small_id: NodeSmallId,
        task_small_id: TaskSmallId,
    },
    #[error("node {node_small_id} is not subscribed to task {task_small_id}")]
    NotSubscribed {
        node_small_id: NodeSmallId,
        task_small_id: TaskSmallId,
    },
    #[error("stack {stack_small_id} is already in settlement")]
    AlreadySettling { stack_small_id: StackSmallId },
    #[error("node {node_small_id} has already attested stack {stack_small_id}")]
    AlreadyAttested {
        stack_small_id: StackSmallId,
        node_small_id: NodeSmallId,
    },
    #[error("stack {stack_small_id} is already claimed")]
    AlreadyClaimed { stack_small_id: StackSmallId },
    #[error("stack {stack_small_id} is already in dispute")]
    AlreadyInDispute { stack_small_id: StackSmallId },
    #[error("the same is in flight with other parameters, as transaction {transaction_id}")]
    InFlightWithOtherParameters { transaction_id: IntentId },
    #[error("the idempotency key was used for a request with another body")]
    IdempotencyKeyReused {},
    #[error("transaction {transaction_id} may still execute; it can't be given up")]
    MayStillExecute {
        transaction_id: IntentId,
        tx_digest: Option<Digest>,
    },
    #[error("transaction {transaction_id} is finished; there is nothing to give up")]
    AlreadyFinal { transaction_id: IntentId },
    #[error("it was given up on the operator's word, before it could execute")]
    Abandoned {},
    #[error("stack {stack_small_id} is of a confidential task and needs no settlement; claim it")]
    NeedsNoSettlement { stack_small_id: StackSmallId },
    #[error("stack {stack_small_id} has no recorded message to settle")]
    StackHasNoMessages { stack_small_id: StackSmallId },
    #[error("stack {stack_small_id} has requests in progress; settle it when they are served")]
    RequestsInProgress { stack_small_id: StackSmallId },
    #[error(
        "neither node {node_small_id} nor an own selected node has a record of stack {stack_small_id}"
    )]
    NothingToAttestWith {
        stack_small_id: StackSmallId,
        node_small_id: NodeSmallId,
    },
    #[error("node {node_small_id} comes to the ticket's own commitment for stack {stack_small_id}")]
    NothingToDispute {
        stack_small_id: StackSmallId,
        node_small_id: NodeSmallId,
    },
    #[error(
        "stack {stack_small_id} can be claimed from epoch {claimable_from_epoch} on; it is epoch {epoch}"
    )]
    NotYetClaimable {
        stack_small_id: StackSmallId,
        claimable_from_epoch: Epoch,
        epoch: Epoch,
    },

    // The chain would refuse it, or did.
    #[error(
        "stack {stack_small_id} is served by node {selected_node_id}, not by node {node_small_id}"
    )]
    NodeNotSelected {
        stack_small_id: StackSmallId,
        node_small_id: NodeSmallId,
        selected_node_id: NodeSmallId,
    },
    #[error("node {node_small_id} was not drawn to attest stack {stack_small_id}")]
    AttestationNotRequested {
        stack_small_id: StackSmallId,
        node_small_id: NodeSmallId,
    },
    #[error("none of the operator's nodes was drawn to attest stack {stack_small_id}")]
    NoAttestationRequested { stack_small_id: StackSmallId },
    #[error("the time to attest stack {stack_small_id} ended with epoch {last_epoch}")]
    AttestationWindowOver {
        stack_small_id: StackSmallId,
        last_epoch: Epoch,
    },
    #[error(
        "node {node_small_id} comes to another commitment for stack {stack_small_id} than its ticket; sending it would open a dispute that freezes the stack's funds (`\"allow_dispute\": true` sends it)"
    )]
    CommitmentMismatch {
        stack_small_id: StackSmallId,
        node_small_id: NodeSmallId,
    },
    #[error("stack {stack_small_id} is in dispute, its funds are frozen")]
    StackInDispute { stack_small_id: StackSmallId },
    #[error(
        "stack {stack_small_id} holds {num_compute_units} compute units, {num_claimed_compute_units} were to be claimed"
    )]
    TooManyComputeUnits {
        stack_small_id: StackSmallId,
        num_claimed_compute_units: ComputeUnits,
        num_compute_units: ComputeUnits,
    },
    #[error(
        "stack {stack_small_id} has {free_compute_units} compute units left, {num_compute_units} were to be used"
    )]
    StackOverflow {
        stack_small_id: StackSmallId,
        num_compute_units: ComputeUnits,
        free_compute_units: ComputeUnits,
    },
    #[error("task {task_small_id} was removed from the contract")]
    TaskRemoved { task_small_id: TaskSmallId },
    #[error("the contract refused it: {abort}")]
    ContractAbort {
        #[serde(flatten)]
        abort: Abort,
        abort_name: Option<String>,
    },
    #[error(
        "the contract's treasury holds too little to pay; try again when more stacks have been bought"
    )]
    TreasuryShort {},
    #[error("the transaction failed on chain: {reason}")]
    ExecutionFailed { reason: String },
    #[error("the gas budget of {gas_budget} MIST does not suffice")]
    GasBudgetTooLow { gas_budget: Mist },
    #[error("no SUI coin of the address covers a gas budget of {gas_budget} MIST")]
    GasBalanceInsufficient { gas_budget: Mist },
    #[error("object {object_id} can't be used: {reason}")]
    ObjectNotUsable { object_id: ObjectId, reason: String },
    #[error("the Sui network refused the transaction: {reason}")]
    TransactionRefused { reason: String },

    // The way to the chain.
    #[error("the Sui node answered with an error: {reason}")]
    SuiNodeError { reason: String },
    #[error("the daemon's state has not caught up with the chain yet")]
    NotReady { reasons: Vec<String> },
    #[error(
        "node {node_small_id}'s badge was used by transaction {tx_digest}, which is not in this daemon's journal: \
         another daemon runs with its key. Stop it, or set `allow_foreign_use`"
    )]
    BadgeUsedElsewhere {
        node_small_id: NodeSmallId,
        tx_digest: Digest,
    },
    #[error(
        "{failures} transactions in a row have failed; writes are paused, look at GET /transactions?status=failed"
    )]
    BreakerOpen { failures: u32, retry_after_s: u64 },
    #[error(
        "the daily cap of {daily_cap} MIST for gas is reached: {spent} MIST were spent in 24 hours"
    )]
    SpendCapReached { daily_cap: Mist, spent: Mist },
    #[error("the daemon is shutting down")]
    ShuttingDown {},
    #[error("too much is waiting for {}; try again later", who(*node_small_id))]
    QueueFull { node_small_id: Option<NodeSmallId> },
    #[error(
        "the outcome is not known yet; nothing is lost, poll GET /transactions/{transaction_id}"
    )]
    OutcomeUnknown {
        transaction_id: IntentId,
        tx_digest: Option<Digest>,
    },
    #[error("a fault of the daemon: {reason}")]
    Internal { reason: String },
}

impl Failure {
    /// The failure that a Move abort means.
    pub fn from_abort(abort: Abort) -> Self {
        if abort.is_treasury_short() {
            return Self::TreasuryShort {};
        }
        let abort_name = abort.info().map(|info| info.name.to_owned());
        Self::ContractAbort { abort, abort_name }
    }

    /// Whether it says something of the moment, not of what was asked for: the same may be taken in
    /// when it is asked for again.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::SuiNodeError { .. }
                | Self::NotReady { .. }
                | Self::BadgeUsedElsewhere { .. }
                | Self::BreakerOpen { .. }
                | Self::SpendCapReached { .. }
                | Self::ShuttingDown {}
                | Self::QueueFull { .. }
                | Self::Internal { .. }
        )
    }

    /// The stable code and the details, as the API answers them.
    pub fn code_and_details(&self) -> (String, serde_json::Map<String, serde_json::Value>) {
        let Ok(serde_json::Value::Object(mut fields)) = serde_json::to_value(self) else {
            return (String::from("internal"), serde_json::Map::new());
        };
        let code = match fields.remove("code") {
            Some(serde_json::Value::String(code)) => code,
            _ => String::from("internal"),
        };
        (code, fields)
    }
}

fn who(node: Option<NodeSmallId>) -> String {
    node.map_or_else(
        || String::from("the operator's address"),
        |node| format!("node {node}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abort(module: &str, abort_code: u64) -> Abort {
        Abort {
            module: module.to_owned(),
            function: Some(String::from("claim_funds")),
            abort_code,
            command: Some(0),
        }
    }

    #[test]
    fn an_abort_keeps_its_structured_fields_through_the_journal() {
        let failure = Failure::from_abort(abort("db", 312_012_031));
        let (code, details) = failure.code_and_details();
        assert_eq!(code, "contract_abort");
        assert_eq!(details["abort_code"], 312_012_031);
        assert_eq!(details["abort_name"], "EStackInDispute");
        assert_eq!(details["function"], "claim_funds");
        let stored = serde_json::to_string(&failure).unwrap();
        assert_eq!(serde_json::from_str::<Failure>(&stored).unwrap(), failure);
    }

    #[test]
    fn a_short_treasury_is_no_fault_of_the_call() {
        assert_eq!(
            Failure::from_abort(abort("balance", 2)),
            Failure::TreasuryShort {}
        );
    }

    #[test]
    fn failures_without_fields_have_a_code_too() {
        let (code, details) = Failure::ShuttingDown {}.code_and_details();
        assert_eq!((code.as_str(), details.len()), ("shutting_down", 0));
    }
}
