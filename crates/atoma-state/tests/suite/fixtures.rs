//! Ids, events, frames, intents and attempts for tests.

use atoma_domain::events::{
    ClaimedStack, ContractEvent, NewStackSettlementAttestation, NodeRegistered,
    NodeSubscribedToTask, StackAttestationDispute, StackCreated, StackSettlementTicketClaimed,
    StackTrySettle, TaskRegistered,
};
use atoma_domain::journal::{
    Action, Actor, Attempt, AttemptOutcome, Conclusion, GasOptions, NewIntent, Receipt,
};
use atoma_domain::model::{Lease, NewMessage, NewReservation, StackChoice};
use atoma_domain::ports::{
    ChainEvents, EventCursor, LedgerFrame, LedgerPosition, LedgerTransaction, ServedWork,
    SignedTransaction,
};
use atoma_domain::{
    Address, CheckpointNumber, ComputeUnits, Digest, Epoch, Hash32, IntentId, MicroUsdc, Mist,
    NodeSmallId, ObjectId, PricePerMillion, ReservationId, SecurityLevel, StackSmallId, TaskRole,
    TaskSmallId, TimestampMs,
};

pub fn node(id: u64) -> NodeSmallId {
    NodeSmallId::new(id)
}

pub fn task(id: u64) -> TaskSmallId {
    TaskSmallId::new(id)
}

pub fn stack(id: u64) -> StackSmallId {
    StackSmallId::new(id)
}

pub fn units(number: u64) -> ComputeUnits {
    ComputeUnits::new(number)
}

pub fn at(ms: u64) -> TimestampMs {
    TimestampMs::new(ms)
}

/// 32 bytes that show their kind and number in a dump.
pub fn bytes32(kind: u8, id: u64) -> [u8; 32] {
    let mut bytes = [kind; 32];
    bytes[24..].copy_from_slice(&id.to_be_bytes());
    bytes
}

pub fn object(id: u64) -> ObjectId {
    ObjectId::new(bytes32(0x0b, id))
}

pub fn address(id: u64) -> Address {
    Address::new(bytes32(0xad, id))
}

/// An attempt that uses no objects.
pub fn bare_attempt(id: u64, intents: &[u64]) -> Attempt {
    Attempt {
        intents: intents.iter().copied().map(IntentId::new).collect(),
        transaction: SignedTransaction {
            bytes: vec![1],
            digest: digest(id),
            signatures: vec![vec![2]],
        },
        expires_after: Epoch::new(1),
        badge: None,
        gas: Vec::new(),
        gas_budget: Mist::new(7),
    }
}

pub fn concluded(digest: Digest, outcome: &AttemptOutcome) -> Conclusion {
    Conclusion {
        digest,
        outcome: outcome.clone(),
    }
}

/// The receipt of an execution with that cost.
pub fn receipt(gas: u64) -> Receipt {
    Receipt {
        gas_used: Mist::new(gas),
        gas_returned: Mist::ZERO,
        effects: vec![1, 2, 3],
        checkpoint: Some(CheckpointNumber::new(gas)),
        registered_badge: None,
    }
}

pub fn digest(id: u64) -> Digest {
    Digest::new(bytes32(0xd1, id))
}

pub fn hash(id: u64) -> Hash32 {
    Hash32::of(&[&id.to_le_bytes()])
}

/// The operator of all suites.
pub fn operator() -> Address {
    address(1)
}

/// The buyer of all stacks.
pub fn owner() -> Address {
    address(0xb0b)
}

/// A transaction at a checkpoint; ten checkpoints make an epoch.
pub fn transaction(checkpoint: u64, index: u64, events: Vec<ContractEvent>) -> LedgerTransaction {
    LedgerTransaction {
        digest: Digest::new(bytes32(0x70, checkpoint * 1000 + index)),
        position: LedgerPosition {
            checkpoint: CheckpointNumber::new(checkpoint),
            index,
        },
        timestamp: at(checkpoint * 1000),
        epoch: Epoch::new(checkpoint / 10),
        sender: operator(),
        events,
        set_aside: Vec::new(),
        contract_version: None,
        unexplained: Vec::new(),
        balance_changes: None,
    }
}

/// A frame with a transaction.
pub fn frame(checkpoint: u64, index: u64, events: Vec<ContractEvent>) -> LedgerFrame {
    LedgerFrame {
        transaction: Some(transaction(checkpoint, index, events)),
        cursor: EventCursor(format!("{checkpoint}/{index}").into_bytes().into()),
        covered: None,
    }
}

/// A frame with progress alone.
pub fn covered(checkpoint: u64) -> LedgerFrame {
    LedgerFrame {
        transaction: None,
        cursor: EventCursor(format!("{checkpoint}/end").into_bytes().into()),
        covered: Some(CheckpointNumber::new(checkpoint)),
    }
}

/// Applies events as one transaction of a checkpoint.
pub async fn apply_events(store: &impl ChainEvents, checkpoint: u64, events: Vec<ContractEvent>) {
    store
        .apply(&[frame(checkpoint, 0, events)], operator())
        .await
        .unwrap();
}

pub fn task_registered(id: u64) -> ContractEvent {
    TaskRegistered {
        task_id: object(id),
        task_small_id: task(id),
        role: TaskRole::new(7),
        model_name: id.is_multiple_of(2).then(|| format!("model {id}")),
        security_level: SecurityLevel::SAMPLING_CONSENSUS,
        minimum_reputation_score: id.is_multiple_of(2).then_some(255),
    }
    .into()
}

pub fn registered(id: u64) -> ContractEvent {
    NodeRegistered {
        badge_id: object(id),
        node_small_id: node(id),
    }
    .into()
}

pub fn subscribed(node_id: u64, task_id: u64, price: u64) -> ContractEvent {
    NodeSubscribedToTask {
        task_small_id: task(task_id),
        node_small_id: node(node_id),
        price_per_one_million_compute_units: PricePerMillion::new(price),
        max_num_compute_units: units(1_000_000),
    }
    .into()
}

/// A stack of task 1.
pub fn bought(id: u64, selected: u64, size: u64) -> ContractEvent {
    StackCreated {
        stack_id: object(id),
        stack_small_id: stack(id),
        owner: owner(),
        task_small_id: task(1),
        selected_node_id: node(selected),
        num_compute_units: units(size),
        price_per_one_million_compute_units: PricePerMillion::new(7),
    }
    .into()
}

pub fn settled(id: u64, selected: u64, requested: &[u64]) -> ContractEvent {
    StackTrySettle {
        stack_small_id: stack(id),
        selected_node_id: node(selected),
        requested_attestation_nodes: requested.iter().copied().map(node).collect(),
        committed_stack_proof: hash(100 + id).into(),
        stack_merkle_leaf: hash(200 + id).into(),
        num_claimed_compute_units: units(5),
    }
    .into()
}

pub fn attested(id: u64, by: u64) -> ContractEvent {
    NewStackSettlementAttestation {
        stack_small_id: stack(id),
        attestation_node_id: node(by),
        committed_stack_proof: hash(100 + id).into(),
        stack_merkle_leaf: hash(300 + id).into(),
    }
    .into()
}

pub fn disputed(id: u64, plaintiff: u64, defendant: u64) -> ContractEvent {
    StackAttestationDispute {
        stack_small_id: stack(id),
        attestation_commitment: hash(400 + plaintiff).into(),
        attestation_node_id: node(plaintiff),
        original_node_id: node(defendant),
        original_commitment: hash(100 + id).into(),
    }
    .into()
}

pub fn ticket_claimed(id: u64, selected: u64, refund: u64) -> ContractEvent {
    StackSettlementTicketClaimed {
        stack_small_id: stack(id),
        selected_node_id: node(selected),
        attestation_nodes: Vec::new(),
        num_claimed_compute_units: units(5),
        user_refund_amount: MicroUsdc::new(refund),
    }
    .into()
}

pub fn stack_claimed(id: u64, selected: u64) -> ContractEvent {
    ClaimedStack {
        stack_small_id: stack(id),
        selected_node_id: node(selected),
        num_claimed_compute_units: units(5),
        user_refund_amount: MicroUsdc::ZERO,
    }
    .into()
}

/// A message for the selected node's record.
pub fn message(stack_id: u64, number: u64, used: u64) -> NewMessage {
    NewMessage::new(stack(stack_id), hash(number), units(used), at(1))
}

/// A reservation on one of the buyer's stacks, with a lease of 15 minutes.
pub fn reservation(stack_id: u64, used: u64) -> NewReservation {
    NewReservation {
        owner: owner(),
        stack: StackChoice::Stack(stack(stack_id)),
        num_compute_units: units(used),
        holder: None,
        lease: Lease::default(),
        request: None,
    }
}

/// Reserves units at time 1, which must succeed.
pub async fn reserve(store: &impl ServedWork, stack_id: u64, used: u64) -> ReservationId {
    let wanted = reservation(stack_id, used);
    store.reserve_units(&wanted, at(1)).await.unwrap().id
}

/// A new intent of one of the operator's nodes.
pub fn new_intent(by: u64, action: Action) -> NewIntent {
    NewIntent {
        action,
        actor: Actor::Node {
            node_small_id: node(by),
            node_badge_id: object(by),
            address: operator(),
        },
        gas: GasOptions::default(),
    }
}

pub fn settle(id: u64) -> Action {
    Action::SettleStack {
        stack_small_id: stack(id),
        num_claimed_compute_units: None,
    }
}

pub fn attest(id: u64) -> Action {
    Action::AttestSettlement {
        stack_small_id: stack(id),
        allow_dispute: false,
    }
}

pub fn claim(id: u64) -> Action {
    Action::ClaimStack {
        stack_small_id: stack(id),
    }
}

pub fn claim_confidential(id: u64) -> Action {
    Action::ClaimConfidentialStack {
        stack_small_id: stack(id),
        num_claimed_compute_units: None,
    }
}

pub fn subscribe(id: u64) -> Action {
    Action::SubscribeToTask {
        task_small_id: task(id),
        price: PricePerMillion::new(u64::MAX),
    }
}
