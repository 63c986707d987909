//! Why a request or a transaction failed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::contract::Abort;
use crate::{
    Address, AlarmId, ComputeUnits, Digest, Epoch, IntentId, Mist, NodeSmallId, ObjectId,
    ReservationId, StackSmallId, TaskSmallId,
};

/// Why a request or a transaction failed.
///
/// The journal stores a failure as an object of its `code`, which is the variant's name in
/// `snake_case`, and its fields. Codes and field names are stable: renaming a variant or a field would
/// break existing journals. What another version has written and this one does not know becomes
/// [`Unrecognized`](Self::Unrecognized).
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum Failure {
    // The request is malformed.
    #[error("{message}")]
    InvalidRequest { message: String },
    #[error("the operator runs {nodes} nodes, and the request does not say which one acts")]
    AmbiguousNode { nodes: usize },
    #[error("badge {node_badge_id} is not the badge of node {node_small_id}")]
    NodeMismatch {
        node_small_id: NodeSmallId,
        node_badge_id: ObjectId,
    },

    // It names something that does not exist.
    #[error("stack {stack_small_id} is not known to this daemon")]
    UnknownStack { stack_small_id: StackSmallId },
    #[error("task {task_small_id} is not known to this daemon")]
    UnknownTask { task_small_id: TaskSmallId },
    #[error("node {node_small_id} is not one of the operator's nodes")]
    UnknownNode { node_small_id: NodeSmallId },
    #[error("badge {node_badge_id} does not belong to any of the operator's nodes")]
    UnknownBadge { node_badge_id: ObjectId },
    #[error("no node is registered for the operator's address")]
    NoNodeRegistered {},
    #[error(
        "address {owner_address} has no open stack that one of the operator's nodes serves and that matches the request"
    )]
    NoStack { owner_address: Address },
    #[error("reservation {reservation_id} is not open")]
    UnknownReservation { reservation_id: ReservationId },
    #[error("there is no alarm {alarm_id}")]
    UnknownAlarm { alarm_id: AlarmId },
    #[error("the Sui node does not know the purchase {tx_digest}")]
    UnknownPurchase { tx_digest: Digest },
    #[error("transaction {transaction} is not in the journal")]
    UnknownTransaction { transaction: String },
    #[error("stack {stack_small_id} has not been settled")]
    NotSettled { stack_small_id: StackSmallId },

    // It is already done, or comes too early.
    #[error("the operator's address already owns the badge of node {node_small_id}")]
    AlreadyRegistered { node_small_id: NodeSmallId },
    #[error("node {node_small_id} is already subscribed to task {task_small_id}")]
    AlreadySubscribed {
        node_small_id: NodeSmallId,
        task_small_id: TaskSmallId,
    },
    #[error("the node is already subscribed to the model")]
    AlreadySubscribedToModel {
        #[serde(flatten)]
        abort: Abort,
        abort_name: Option<String>,
    },
    #[error("node {node_small_id} is not subscribed to task {task_small_id}")]
    NotSubscribed {
        node_small_id: NodeSmallId,
        task_small_id: TaskSmallId,
    },
    #[error(
        "node {node_small_id} has already committed to a key for device type {device_type} in key rotation \
         {key_rotation_counter}, and the contract would keep that one"
    )]
    KeyAlreadyRotated {
        node_small_id: NodeSmallId,
        device_type: u16,
        key_rotation_counter: u64,
    },
    #[error(
        "key rotation {key_rotation_counter} is not the network's current one, {current_key_rotation_counter}"
    )]
    NotTheKeyRotation {
        key_rotation_counter: u64,
        current_key_rotation_counter: u64,
    },
    #[error("the contract owes node {node_small_id} no shares")]
    NothingToWithdraw { node_small_id: NodeSmallId },
    #[error("stack {stack_small_id} is already in settlement")]
    AlreadySettling { stack_small_id: StackSmallId },
    #[error("node {node_small_id} has already attested stack {stack_small_id}")]
    AlreadyAttested {
        stack_small_id: StackSmallId,
        node_small_id: NodeSmallId,
    },
    #[error("stack {stack_small_id} has already been claimed")]
    AlreadyClaimed { stack_small_id: StackSmallId },
    #[error("stack {stack_small_id} is already in dispute")]
    AlreadyInDispute { stack_small_id: StackSmallId },
    #[error("transaction {transaction_id} is already doing this with different parameters")]
    InFlightWithOtherParameters { transaction_id: IntentId },
    #[error("the request's key was already used for a different request")]
    IdempotencyKeyReused {},
    #[error(
        "a message with another hash is recorded for stack {stack_small_id} under the id {message_id}"
    )]
    MessageIdReused {
        stack_small_id: StackSmallId,
        message_id: String,
    },
    #[error("stack {stack_small_id} is in settlement or claimed, so no units can be reserved")]
    StackLocked { stack_small_id: StackSmallId },
    #[error(
        "reservation {reservation_id} is not one for the selected node of stack {stack_small_id}"
    )]
    ReservationOfAnotherStack {
        reservation_id: ReservationId,
        stack_small_id: StackSmallId,
    },
    #[error("transaction {transaction_id} may still execute, so it can't be abandoned")]
    MayStillExecute {
        transaction_id: IntentId,
        tx_digest: Option<Digest>,
    },
    #[error("transaction {transaction_id} has already finished, so it can't be abandoned")]
    AlreadyFinal { transaction_id: IntentId },
    #[error("the operator abandoned the transaction before it executed")]
    Abandoned {},
    #[error("stack {stack_small_id} belongs to a confidential task and needs no settlement")]
    NeedsNoSettlement { stack_small_id: StackSmallId },
    #[error("no message is recorded for stack {stack_small_id}")]
    StackHasNoMessages { stack_small_id: StackSmallId },
    #[error("stack {stack_small_id} still has requests in progress")]
    RequestsInProgress { stack_small_id: StackSmallId },
    #[error(
        "the daemon has no record of stack {stack_small_id}, neither from node {node_small_id} nor from the \
         stack's selected node"
    )]
    NothingToAttestWith {
        stack_small_id: StackSmallId,
        node_small_id: NodeSmallId,
    },
    #[error(
        "the record of node {node_small_id} confirms the settlement of stack {stack_small_id}: both give the \
         same commitment"
    )]
    NothingToDispute {
        stack_small_id: StackSmallId,
        node_small_id: NodeSmallId,
    },
    #[error(
        "stack {stack_small_id} can't be claimed before epoch {claimable_from_epoch}; the current epoch is {epoch}"
    )]
    NotYetClaimable {
        stack_small_id: StackSmallId,
        claimable_from_epoch: Epoch,
        epoch: Epoch,
    },

    // The chain would refuse it, or did.
    #[error(
        "the selected node of stack {stack_small_id} is node {selected_node_id}, not node {node_small_id}"
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
        "the record of node {node_small_id} gives a different commitment for stack {stack_small_id} than its \
         settlement ticket; attesting would open a dispute, which freezes the stack's funds permanently"
    )]
    CommitmentMismatch {
        stack_small_id: StackSmallId,
        node_small_id: NodeSmallId,
    },
    #[error("stack {stack_small_id} is in dispute, and its funds are frozen")]
    StackInDispute { stack_small_id: StackSmallId },
    #[error(
        "stack {stack_small_id} holds {num_compute_units} compute units, fewer than the \
         {num_claimed_compute_units} to be claimed"
    )]
    TooManyComputeUnits {
        stack_small_id: StackSmallId,
        num_claimed_compute_units: ComputeUnits,
        num_compute_units: ComputeUnits,
    },
    #[error(
        "no matching stack of the owner has more than {free_compute_units} compute units for this reservation, fewer \
         than the {num_compute_units} needed"
    )]
    NotEnoughUnits {
        num_compute_units: ComputeUnits,
        free_compute_units: ComputeUnits,
    },
    #[error(
        "transaction {tx_digest} did not buy an open stack of address {owner_address} for one of the operator's nodes"
    )]
    NotAPurchase {
        tx_digest: Digest,
        owner_address: Address,
    },
    #[error(
        "task {task_small_id} was removed from the contract; its stacks can no longer be settled or claimed"
    )]
    TaskRemoved { task_small_id: TaskSmallId },
    #[error("the contract aborted the call: {abort}")]
    ContractAbort {
        #[serde(flatten)]
        abort: Abort,
        abort_name: Option<String>,
    },
    #[error("the contract's treasury holds too little to pay")]
    TreasuryShort {},
    #[error("the transaction failed on chain: {reason}")]
    ExecutionFailed { reason: String },
    #[error("the gas budget of {gas_budget} MIST is too low")]
    GasBudgetTooLow { gas_budget: Mist },
    #[error("no SUI coin of the operator's address covers the gas budget of {gas_budget} MIST")]
    GasBalanceInsufficient { gas_budget: Mist },
    #[error(
        "the gas price of {gas_price} MIST is below the reference gas price of {reference_gas_price} MIST"
    )]
    GasPriceTooLow {
        gas_price: Mist,
        reference_gas_price: Mist,
    },
    #[error("object {object_id} can't be used: {reason}")]
    ObjectNotUsable { object_id: ObjectId, reason: String },
    #[error("the Sui network refused the transaction: {reason}")]
    TransactionRefused { reason: String },

    // The daemon or the Sui node can't do it now.
    /// The reason is a whole clause.
    #[error("{reason}")]
    SuiNodeError { reason: String },
    #[error("the daemon is not ready: {}", reasons.join("; "))]
    NotReady { reasons: Vec<String> },
    #[error(
        "transaction {tx_digest} used the badge of node {node_small_id} but is not in this daemon's journal: \
         another daemon runs with the same key, or the database is new or an old copy"
    )]
    BadgeUsedElsewhere {
        node_small_id: NodeSmallId,
        tx_digest: Digest,
    },
    #[error("{failures} transactions in a row failed, so writes are paused")]
    BreakerOpen { failures: u32, retry_after_s: u64 },
    #[error(
        "the gas budget of {gas_budget} MIST does not fit under the daily cap of {daily_cap} MIST: {spent} MIST were \
         spent in the last 24 hours, and running transactions may spend {reserved} MIST more"
    )]
    SpendCapReached {
        daily_cap: Mist,
        spent: Mist,
        #[serde(default)]
        reserved: Mist,
        #[serde(default)]
        gas_budget: Mist,
    },
    #[error("the daemon is shutting down")]
    ShuttingDown {},
    #[error("the queue of {} is full", owner_of_queue(*node_small_id))]
    QueueFull { node_small_id: Option<NodeSmallId> },
    #[error("the outcome of transaction {transaction_id} is not known yet")]
    OutcomeUnknown {
        transaction_id: IntentId,
        tx_digest: Option<Digest>,
    },
    #[error("internal error: {reason}")]
    Internal { reason: String },

    /// A code that this version does not know, or a known code with fields that don't fit. Serialising
    /// it gives the same JSON again.
    #[error("the reason has the code `{code}`, which this version does not know")]
    #[serde(untagged)]
    Unrecognized {
        code: String,
        #[serde(flatten)]
        details: Map<String, Value>,
    },
}

impl Failure {
    /// The failure that a Move abort means.
    pub fn from_abort(abort: Abort) -> Self {
        if abort.is_treasury_short() {
            return Self::TreasuryShort {};
        }
        let is_subscribed = abort.is_already_subscribed_to_model();
        let abort_name = abort.info().map(|info| info.name.to_owned());
        if is_subscribed {
            return Self::AlreadySubscribedToModel { abort, abort_name };
        }
        Self::ContractAbort { abort, abort_name }
    }

    /// Whether it comes from the daemon's present state and not from the request: the same request
    /// may be accepted later.
    pub const fn is_transient(&self) -> bool {
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

    /// The stable code, and the fields by name.
    pub fn code_and_details(&self) -> (String, Map<String, Value>) {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(self) else {
            return (String::from("internal"), Map::new());
        };
        let code = match fields.remove("code") {
            Some(Value::String(code)) => code,
            _ => String::from("internal"),
        };
        (code, fields)
    }
}

fn owner_of_queue(node: Option<NodeSmallId>) -> String {
    node.map_or_else(
        || String::from("the operator's address"),
        |node| format!("node {node}"),
    )
}
