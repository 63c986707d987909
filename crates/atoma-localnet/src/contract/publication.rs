//! Publishing the package.

use atoma_domain::events::{ContractEvent, Published};
use atoma_domain::{NodeSmallId, ObjectId, StackSmallId, TaskSmallId};
use sui_sdk_types::{Address, Event, Identifier, Owner};

use super::addresses::ContractAddresses;
use super::db::MODULE;
use super::layout::{AtomaDb, AtomaManagerBadge};
use crate::vm::{Balance, Execution, MoveError, ObjectTable, Table, package_struct};

/// The objects that publishing creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The `AtomaDb`, shared.
    pub atoma_db: ObjectId,
    /// The manager's badge.
    pub manager_badge: ObjectId,
}

/// The module's initializer: creates the `AtomaDb` and the manager's badge. Of `addresses` only the
/// packages are used; the `AtomaDb`'s id is in the result.
///
/// # Errors
/// When an object with a derived id already exists.
pub fn publish(
    execution: &mut Execution<'_>,
    addresses: &ContractAddresses,
    manager: Address,
) -> Result<Publication, MoveError> {
    let package = addresses.package;
    let db = AtomaDb {
        id: execution.fresh_id(),
        tickets: execution.fresh_id(),
        next_node_small_id: NodeSmallId::new(1),
        next_task_small_id: TaskSmallId::new(1),
        next_stack_small_id: StackSmallId::new(1),
        nodes: Table::new(execution),
        models: ObjectTable::new(execution),
        tasks: ObjectTable::new(execution),
        stacks: Table::new(execution),
        stack_settlement_tickets: ObjectTable::new(execution),
        fee_treasury: Balance::ZERO,
        communal_treasury: Balance::ZERO,
        cross_validation_probability_permille: 10,
        cross_validation_extra_nodes_count: 1,
        sampling_consensus_charge_permille: 1200,
        cross_validation_extra_nodes_charge_permille: 12,
        key_rotation_counter: 0,
        nonce: 0,
        is_registration_disabled: false,
        registration_collateral_in_protocol_token: 0,
        permille_to_slash_node_on_timeout: 100,
        permille_for_oracle_on_dispute: 100,
        permille_for_honest_nodes_on_dispute: 200,
    };
    let badge = AtomaManagerBadge {
        id: execution.fresh_id(),
    };
    let event = ContractEvent::from(Published {
        db: db.id,
        manager_badge: badge.id,
    });
    execution.emit(Event {
        package_id: package,
        module: Identifier::from_static(MODULE),
        sender: execution.context().sender,
        type_: package_struct(package, event.name()),
        contents: event
            .encode()
            .map_err(|error| MoveError::invariant(error.to_string()))?,
    });
    // Version 0 stands for the transaction's version.
    execution.create_object(package, &db, Owner::Shared(0))?;
    execution.create_object(package, &badge, Owner::Address(manager))?;
    Ok(Publication {
        atoma_db: db.id,
        manager_badge: badge.id,
    })
}
