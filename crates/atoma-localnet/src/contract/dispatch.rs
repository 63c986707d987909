//! Dispatching a call to the code that executes the function.

use atoma_domain::{EchelonId, NodeSmallId, StackSmallId, TaskSmallId};
use sui_sdk_types::{Address, TypeTag};

use super::abi;
use super::addresses::ContractAddresses;
use super::arguments::{CheckedArguments, ResolvedArgument};
use super::db::Db;
use super::parameters::ManagerSetting;
use super::tasks::TaskArguments;
use crate::vm::{AsciiString, Execution, MoveError, MoveErrorKind};

/// Executes an entry function of the module `db` in the given version of its package. All versions behave alike;
/// events and aborts name the version that was called.
///
/// # Errors
/// When the function is unknown, the arguments don't match its parameters, or the contract aborts.
/// Then `execution` must be dropped.
pub fn call(
    execution: &mut Execution<'_>,
    addresses: &ContractAddresses,
    package: Address,
    function: &str,
    type_arguments: &[TypeTag],
    arguments: &[ResolvedArgument],
) -> Result<(), MoveError> {
    let abi = abi::function(function).ok_or_else(|| MoveErrorKind::FunctionNotFound {
        function: function.to_owned(),
    })?;
    if !type_arguments.is_empty() {
        return Err(MoveErrorKind::WrongTypeArity {
            given: type_arguments.len(),
        }
        .into());
    }
    let arguments = CheckedArguments::check(execution, addresses, abi, arguments)?;
    let mut db = Db::open(execution, addresses, package, &arguments.object(0)?)?;
    run(&mut db, function, &arguments)?;
    db.close()
}

fn run(db: &mut Db<'_, '_>, function: &str, given: &CheckedArguments<'_>) -> Result<(), MoveError> {
    let task = |index| given.pure(index).map(TaskSmallId::new);
    let stack = |index| given.pure(index).map(StackSmallId::new);
    let echelon = |index| given.pure(index).map(EchelonId::new);
    let badge = || given.object(1);
    let number = |index| given.pure::<u64>(index);
    let text = |index| given.pure::<AsciiString>(index);
    match function {
        "register_node_entry" => db.register_node(),
        "permanently_disable_node" => db.disable_node(&badge()?),
        "destroy_disabled_node" => db.destroy_node(&badge()?),
        "withdraw_fees" => db.withdraw_fees(&badge()?),

        "subscribe_node_to_task" => db.subscribe(&badge()?, task(2)?, number(3)?),
        "update_node_subscription" => db.update_subscription(&badge()?, task(2)?, number(3)?),
        "unsubscribe_node_from_task" => db.unsubscribe(&badge()?, task(2)?),

        "acquire_new_stack_entry" => {
            db.acquire_stack(&given.object(1)?, task(2)?, number(3)?, number(4)?)
        }
        "try_settle_stack" => db.try_settle(
            &badge()?,
            stack(2)?,
            number(3)?,
            given.pure(4)?,
            given.pure(5)?,
        ),
        "submit_stack_settlement_attestation" => {
            db.attest(&badge()?, stack(2)?, given.pure(3)?, given.pure(4)?)
        }
        "start_attestation_dispute" => db.start_dispute(&badge()?, stack(2)?, given.pure(3)?),
        "claim_funds" => db.claim_funds(&badge()?, &given.pure::<Vec<StackSmallId>>(2)?),
        "claim_funds_for_stacks" => db.claim_funds_for_stacks(
            &badge()?,
            &given.pure::<Vec<StackSmallId>>(2)?,
            &given.pure::<Vec<u64>>(3)?,
        ),

        "rotate_node_public_key" => db.rotate_node_key(
            &badge()?,
            given.pure(2)?,
            given.pure(3)?,
            number(4)?,
            given.pure(5)?,
        ),
        "new_network_key_rotation" => db.rotate_network_key(),

        "create_task_entry" => db.create_task(TaskArguments {
            role: given.pure(2)?,
            model_name: given.pure(3)?,
            security_level: given.pure(4)?,
            minimum_reputation_score: given.pure(5)?,
            is_public: given.pure(6)?,
        }),
        "deprecate_task" => db.deprecate_task(&badge()?),
        "remove_deprecated_task" => db.remove_task(&badge()?),
        "remove_deprecated_task_by_admin" => db.remove_task_by_admin(task(2)?),
        "whitelist_nodes_for_task" => {
            db.whitelist_nodes(task(2)?, given.pure::<Vec<NodeSmallId>>(3)?)
        }

        "add_node_to_model" => db.add_node_to_model(&badge()?, text(2)?, echelon(3)?),
        "remove_node_from_model" => db.remove_node_from_model(&badge()?, &text(2)?, number(3)?),
        "add_model_entry" => db.add_model(text(2)?, number(3)?),
        "add_model_echelon_entry" => {
            db.add_echelon(&text(2)?, echelon(3)?, number(4)?, number(5)?, number(6)?)
        }
        "disable_model" => db.set_model_disabled(&text(2)?, true),
        "enable_model" => db.set_model_disabled(&text(2)?, false),

        "disable_registration" => {
            db.state.is_registration_disabled = true;
            Ok(())
        }
        "enable_registration" => {
            db.state.is_registration_disabled = false;
            Ok(())
        }
        _ => match parameter(function) {
            Some(parameter) => db.set_parameter(parameter, number(2)?),
            None => Err(MoveErrorKind::FunctionNotFound {
                function: function.to_owned(),
            }
            .into()),
        },
    }
}

/// The parameter that a `set_…` function sets.
fn parameter(function: &str) -> Option<ManagerSetting> {
    Some(match function {
        "set_cross_validation_probability_permille" => ManagerSetting::CrossValidationProbability,
        "set_cross_validation_extra_nodes_count" => ManagerSetting::CrossValidationExtraNodesCount,
        "set_sampling_consensus_charge_permille" => ManagerSetting::SamplingConsensusCharge,
        "set_cross_validation_extra_nodes_charge_permille" => {
            ManagerSetting::CrossValidationExtraNodesCharge
        }
        "set_permille_to_slash_node_on_timeout" => ManagerSetting::SlashOnTimeout,
        _ => return None,
    })
}
