//! Calls whose arguments don't match the function.

use sui_sdk_types::{CommandArgumentError, ExecutionError, TypeTag};

use super::chain::{MANAGER, NONE, PRICE, TestChain, USER, address_of, pure, random};
use crate::contract::{ResolvedArgument, call};
use crate::vm::{MoveError, MoveErrorKind};

fn wrong(result: Result<crate::vm::ExecutionResults, MoveError>) -> (u16, CommandArgumentError) {
    match result.unwrap_err().kind {
        MoveErrorKind::WrongArgument { index, kind } => (index, kind),
        other => panic!("{other}"),
    }
}

#[test]
fn arguments_are_checked_before_the_contract_runs() {
    let mut w = TestChain::new(1);
    let task = w.task(NONE, &[1]);
    let badge = ResolvedArgument::Object(w.badges[&1]);
    let sender = address_of(1);
    let update = "update_node_subscription";

    let object_for_pure = [badge.clone(), badge.clone(), pure(&PRICE)];
    assert_eq!(
        wrong(w.call(sender, update, &object_for_pure)),
        (2, CommandArgumentError::TypeMismatch)
    );
    let pure_for_object = [pure(&task), pure(&task), pure(&PRICE)];
    assert_eq!(
        wrong(w.call(sender, update, &pure_for_object)),
        (1, CommandArgumentError::InvalidUsageOfPureArgument)
    );
    let other_object = ResolvedArgument::Object(w.manager_badge);
    assert_eq!(
        wrong(w.call(sender, update, &[other_object, pure(&task), pure(&PRICE)])),
        (1, CommandArgumentError::TypeMismatch)
    );
    let trailing_bytes = [badge.clone(), pure(&task), pure(&(PRICE, 1_u8))];
    assert_eq!(
        wrong(w.call(sender, update, &trailing_bytes)),
        (3, CommandArgumentError::InvalidBcsBytes)
    );
    let not_ascii = [badge.clone(), pure("modèle"), pure(&0_u64)];
    assert_eq!(
        wrong(w.call(sender, "add_node_to_model", &not_ascii)),
        (2, CommandArgumentError::InvalidBcsBytes)
    );
    let other_currency = w
        .transact(USER, |vm| {
            let id = vm.fresh_id();
            let mut contents = id.as_bytes().to_vec();
            contents.extend_from_slice(&u64::MAX.to_le_bytes());
            let owner = Some(sui_sdk_types::Owner::Address(USER));
            vm.create(sui_sdk_types::StructTag::gas_coin(), true, owner, contents)
        })
        .unwrap()
        .1;
    let wallet = [
        ResolvedArgument::Object(other_currency),
        pure(&task),
        pure(&1_u64),
        pure(&PRICE),
        random(),
    ];
    assert_eq!(
        wrong(w.call(USER, "acquire_new_stack_entry", &wallet)),
        (1, CommandArgumentError::TypeMismatch)
    );
    let no_random = [
        ResolvedArgument::Object(w.manager_badge),
        ResolvedArgument::Object(w.manager_badge),
    ];
    assert_eq!(
        wrong(w.call(MANAGER, "new_network_key_rotation", &no_random)),
        (2, CommandArgumentError::TypeMismatch)
    );
}

#[test]
fn calls_need_a_known_function_and_the_right_number_of_arguments() {
    let mut w = TestChain::new(1);
    let error = w.call(USER, "no_such_function", &[]).unwrap_err();
    assert_eq!(error.execution_error(), ExecutionError::FunctionNotFound);
    let error = w.call(USER, "withdraw_fees", &[]).unwrap_err();
    assert_eq!(error.execution_error(), ExecutionError::ArityMismatch);
    let addresses = w.addresses;
    let arguments = [ResolvedArgument::Object(addresses.atoma_db)];
    let (name, types) = ("register_node_entry", [TypeTag::U8]);
    let error = w
        .transact(USER, |vm| {
            call(vm, &addresses, addresses.package, name, &types, &arguments)
        })
        .unwrap_err();
    assert_eq!(error.execution_error(), ExecutionError::TypeArityMismatch);
}

#[test]
fn every_listed_function_is_executed() {
    for function in crate::contract::abi::FUNCTIONS {
        let mut w = TestChain::new(1);
        let result = w.call(USER, function.name, &[]);
        let unknown = matches!(
            result,
            Err(MoveError {
                kind: MoveErrorKind::FunctionNotFound { .. }
            })
        );
        assert!(!unknown, "{}", function.name);
    }
}
