//! The contract's whole state as plain structs, for display and tests.

use std::collections::BTreeMap;

use atoma_domain::{NodeSmallId, ObjectId, StackSmallId, TaskSmallId};
use serde::Serialize;
use sui_sdk_types::Address;

use super::addresses::ContractAddresses;
use super::db::Db;
use super::layout::{AtomaDb, NodeEntry, Stack, StackSettlementTicket, Task};
use crate::vm::{Execution, MoveError, ObjectReader};

/// The contract's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContractState {
    /// The `AtomaDb`'s parameters and counters.
    pub parameters: ParameterState,
    /// The payments held for stacks and attesters' shares, in micro-USDC.
    pub fee_treasury: u64,
    /// The slashed collateral held, in micro-USDC.
    pub communal_treasury: u64,
    /// The nodes that have not been destroyed.
    pub nodes: BTreeMap<NodeSmallId, NodeState>,
    /// The tasks that have not been removed.
    pub tasks: BTreeMap<TaskSmallId, TaskState>,
    /// The stacks that have not been claimed by `claim_funds`, among the
    /// [newest](MAX_STACKS_READ).
    pub stacks: BTreeMap<StackSmallId, StackState>,
    /// The settlement tickets of the same stacks.
    pub tickets: BTreeMap<StackSmallId, TicketState>,
}

/// The parameters that the manager sets, and counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct ParameterState {
    pub cross_validation_probability_permille: u64,
    pub cross_validation_extra_nodes_count: u64,
    pub sampling_consensus_charge_permille: u64,
    pub cross_validation_extra_nodes_charge_permille: u64,
    pub permille_to_slash_node_on_timeout: u64,
    pub key_rotation_counter: u64,
    pub nonce: u64,
    pub is_registration_disabled: bool,
    pub next_node_small_id: NodeSmallId,
    pub next_task_small_id: TaskSmallId,
    pub next_stack_small_id: StackSmallId,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct NodeState {
    pub was_disabled_in_epoch: Option<u64>,
    pub collateral: u64,
    pub last_fee_epoch: u64,
    pub last_fee_epoch_amount: u64,
    pub available_fee_amount: u64,
    pub reputation_score: u8,
    pub last_rotation_counter: Option<u64>,
    pub last_updated_epoch: Option<u64>,
    /// Hexadecimal, without `0x`.
    pub public_key_commitment: Option<String>,
    pub device_types: Vec<u16>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct TaskState {
    pub id: ObjectId,
    pub role: u16,
    pub model_name: Option<String>,
    pub is_deprecated: bool,
    pub deprecated_at_epoch: Option<u64>,
    pub security_level: u16,
    pub minimum_reputation_score: u8,
    pub is_public: bool,
    pub whitelisted_nodes: Vec<NodeSmallId>,
    /// The list that draws use, in order. It still has entries of nodes that have unsubscribed since
    /// the last purchase.
    pub subscribed_nodes_small_ids: Vec<NodeSmallId>,
    /// The offers of subscribed nodes.
    pub subscriptions: BTreeMap<NodeSmallId, SubscriptionState>,
}

/// A node's offer for a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct SubscriptionState {
    pub price_per_one_million_compute_units: u64,
    pub max_num_compute_units: u64,
}

/// A stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct StackState {
    pub owner: Address,
    pub price_per_one_million_compute_units: u64,
    pub num_compute_units: u64,
    pub selected_node_id: NodeSmallId,
    pub task_small_id: TaskSmallId,
    pub is_claimed: bool,
}

/// A settlement ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the contract")]
pub struct TicketState {
    pub id: ObjectId,
    pub selected_node_id: NodeSmallId,
    pub num_claimed_compute_units: u64,
    pub requested_attestation_nodes: Vec<NodeSmallId>,
    pub dispute_settled_at_epoch: u64,
    /// Hexadecimal, without `0x`.
    pub committed_stack_proof: String,
    /// Hexadecimal, without `0x`.
    pub stack_merkle_leaves_vector: String,
    pub already_attested_nodes: Vec<NodeSmallId>,
    pub is_in_dispute: bool,
}

/// The stacks that [`read_state`] reads at most, the newest ones. A world can have a million.
pub const MAX_STACKS_READ: u64 = 20_000;

/// The number of stacks that were ever bought.
///
/// # Errors
/// When the `AtomaDb` is missing or not the contract's.
pub(crate) fn stacks_bought(
    reader: &dyn ObjectReader,
    addresses: &ContractAddresses,
) -> Result<u64, MoveError> {
    let mut execution = Execution::reading(reader);
    let package = addresses.package;
    let db = Db::open(&mut execution, addresses, package, &addresses.atoma_db)?;
    Ok(db.state.next_stack_small_id.get().saturating_sub(1))
}

/// Reads the contract's state, of the stacks the [newest](MAX_STACKS_READ) only.
///
/// # Errors
/// When the objects are missing or not the contract's.
pub fn read_state(
    reader: &dyn ObjectReader,
    addresses: &ContractAddresses,
) -> Result<ContractState, MoveError> {
    read_newest(reader, addresses, MAX_STACKS_READ)
}

/// Reads the contract's state, of the stacks the newest ones only.
pub(super) fn read_newest(
    reader: &dyn ObjectReader,
    addresses: &ContractAddresses,
    stacks: u64,
) -> Result<ContractState, MoveError> {
    let mut execution = Execution::reading(reader);
    let mut db = Db::open(
        &mut execution,
        addresses,
        addresses.package,
        &addresses.atoma_db,
    )?;
    let mut state = ContractState {
        parameters: ParameterState::from(&db.state),
        fee_treasury: db.state.fee_treasury.value(),
        communal_treasury: db.state.communal_treasury.value(),
        nodes: BTreeMap::new(),
        tasks: BTreeMap::new(),
        stacks: BTreeMap::new(),
        tickets: BTreeMap::new(),
    };
    for id in (1..db.state.next_node_small_id.get()).map(NodeSmallId::new) {
        if db.has_node(id)? {
            state.nodes.insert(id, db.node(id)?.into());
        }
    }
    for id in (1..db.state.next_task_small_id.get()).map(TaskSmallId::new) {
        if db.has_task(id)? {
            let task = db.task(id)?;
            state.tasks.insert(id, task_state(&mut db, task)?);
        }
    }
    let next = db.state.next_stack_small_id.get();
    let oldest = next.saturating_sub(stacks).max(1);
    for id in (oldest..next).map(StackSmallId::new) {
        if db.state.stacks.contains(db.vm, db.package, &id)? {
            let stack = db.state.stacks.borrow(db.vm, db.package, &id)?;
            state.stacks.insert(id, stack.into());
        }
        if db.has_ticket(id)? {
            let tickets = &db.state.stack_settlement_tickets;
            let ticket = tickets.borrow(db.vm, db.package, &id)?;
            state.tickets.insert(id, ticket.into());
        }
    }
    Ok(state)
}

fn task_state(db: &mut Db<'_, '_>, task: Task) -> Result<TaskState, MoveError> {
    let mut listed = Vec::new();
    let mut subscriptions = BTreeMap::new();
    for index in 0..task.subscribed_nodes_small_ids.len() {
        let node = task
            .subscribed_nodes_small_ids
            .borrow(db.vm, db.package, index)?;
        listed.push(node);
        if task.subscribed_nodes.contains(db.vm, db.package, &node)? {
            let offer = task.subscribed_nodes.borrow(db.vm, db.package, &node)?;
            subscriptions.insert(
                node,
                SubscriptionState {
                    price_per_one_million_compute_units: offer.price_per_one_million_compute_units,
                    max_num_compute_units: offer.max_num_compute_units,
                },
            );
        }
    }
    Ok(TaskState {
        id: task.id,
        role: task.role,
        model_name: task.model_name.map(|name| name.0),
        is_deprecated: task.is_deprecated,
        deprecated_at_epoch: task.deprecated_at_epoch,
        security_level: task.security_level,
        minimum_reputation_score: task.minimum_reputation_score,
        is_public: task.is_public,
        whitelisted_nodes: task.whitelisted_nodes,
        subscribed_nodes_small_ids: listed,
        subscriptions,
    })
}

impl From<&AtomaDb> for ParameterState {
    fn from(db: &AtomaDb) -> Self {
        Self {
            cross_validation_probability_permille: db.cross_validation_probability_permille,
            cross_validation_extra_nodes_count: db.cross_validation_extra_nodes_count,
            sampling_consensus_charge_permille: db.sampling_consensus_charge_permille,
            cross_validation_extra_nodes_charge_permille: db
                .cross_validation_extra_nodes_charge_permille,
            permille_to_slash_node_on_timeout: db.permille_to_slash_node_on_timeout,
            key_rotation_counter: db.key_rotation_counter,
            nonce: db.nonce,
            is_registration_disabled: db.is_registration_disabled,
            next_node_small_id: db.next_node_small_id,
            next_task_small_id: db.next_task_small_id,
            next_stack_small_id: db.next_stack_small_id,
        }
    }
}

impl From<NodeEntry> for NodeState {
    fn from(entry: NodeEntry) -> Self {
        Self {
            was_disabled_in_epoch: entry.was_disabled_in_epoch,
            collateral: entry.collateral.value(),
            last_fee_epoch: entry.last_fee_epoch,
            last_fee_epoch_amount: entry.last_fee_epoch_amount,
            available_fee_amount: entry.available_fee_amount,
            reputation_score: entry.reputation_score,
            last_rotation_counter: entry.confidential_compute_last_rotation_counter,
            last_updated_epoch: entry.confidential_compute_last_updated_epoch,
            public_key_commitment: entry
                .confidential_compute_public_key_commitment
                .map(hex::encode),
            device_types: entry.confidential_compute_device_types,
        }
    }
}

impl From<Stack> for StackState {
    fn from(stack: Stack) -> Self {
        Self {
            owner: stack.owner,
            price_per_one_million_compute_units: stack.price_per_one_million_compute_units,
            num_compute_units: stack.num_compute_units,
            selected_node_id: stack.selected_node_id,
            task_small_id: stack.task_small_id,
            is_claimed: stack.is_claimed,
        }
    }
}

impl From<StackSettlementTicket> for TicketState {
    fn from(ticket: StackSettlementTicket) -> Self {
        Self {
            id: ticket.id,
            selected_node_id: ticket.selected_node_id,
            num_claimed_compute_units: ticket.num_claimed_compute_units,
            requested_attestation_nodes: ticket.requested_attestation_nodes,
            dispute_settled_at_epoch: ticket.dispute_settled_at_epoch,
            committed_stack_proof: hex::encode(ticket.committed_stack_proof),
            stack_merkle_leaves_vector: hex::encode(ticket.stack_merkle_leaves_vector),
            already_attested_nodes: ticket.already_attested_nodes,
            is_in_dispute: ticket.is_in_dispute,
        }
    }
}
