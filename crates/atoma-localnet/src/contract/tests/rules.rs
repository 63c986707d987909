//! Rules that the vectors don't cover: overflows, the order of checks, shares, models.

use super::chain::{
    CONFIDENTIAL, MANAGER, NONE, PRICE, SAMPLING, TestChain, UNITS, USER, address_of, pure, random,
};
use super::vectors::described;
use crate::contract::{ContractState, ResolvedArgument, abort_name};
use crate::vm::{MoveError, MoveErrorKind};

/// The constant and the function of a call's abort.
fn abort<T: std::fmt::Debug>(result: Result<T, MoveError>) -> (&'static str, String) {
    let (_, code, module, function) = described(&result.unwrap_err());
    assert_eq!(module, "atoma::db");
    (code.and_then(abort_name).unwrap(), function)
}

/// The native function of `0x2::dynamic_field` in which a call aborted.
fn missing<T: std::fmt::Debug>(result: Result<T, MoveError>) -> String {
    let (_, code, module, function) = described(&result.unwrap_err());
    assert_eq!((code, module.as_str()), (Some(1), "sui::dynamic_field"));
    function
}

#[test]
fn prices_must_be_positive() {
    let mut w = TestChain::new(1);
    let task = w.task(NONE, &[]);
    let (constant, function) = abort(w.subscribe(1, task, 0));
    assert_eq!(constant, "EInvalidPricePerComputeUnit");
    assert_eq!(function, "subscribe_node_to_task");
    let (constant, function) = abort(w.buy(w.wallet, task, UNITS, 0, None));
    assert_eq!(constant, "EInvalidPricePerComputeUnit");
    assert_eq!(function, "acquire_new_stack");
}

#[test]
fn a_task_without_subscribers_sells_nothing() {
    let mut w = TestChain::new(1);
    let task = w.task(NONE, &[]);
    let (constant, function) = abort(w.buy(w.wallet, task, UNITS, PRICE, None));
    assert_eq!(constant, "ENoNodesSubscribedToTask");
    assert_eq!(function, "sample_node_for_stack");
}

#[test]
fn of_many_stacks_the_state_has_the_newest() {
    let mut w = TestChain::new(3);
    w.always_sample(1);
    let task = w.task(SAMPLING, &[1, 2]);
    let stacks = [w.stack(task), w.stack(task), w.stack(task)];
    w.settle_drawn(stacks[0], &[2]);
    w.settle_drawn(stacks[1], &[2]);
    let ids = |state: &ContractState| {
        let stacks = state.stacks.keys().map(|id| id.get());
        let tickets = state.tickets.keys().map(|id| id.get());
        (stacks.collect::<Vec<_>>(), tickets.collect::<Vec<_>>())
    };
    let newest = w.newest(2);
    assert_eq!(ids(&newest), (stacks[1..].to_vec(), vec![stacks[1]]));
    assert_eq!(newest.fee_treasury, w.state().fee_treasury);
    assert_eq!(w.newest(u64::MAX), w.state());
    assert_eq!(ids(&w.newest(0)), (Vec::new(), Vec::new()));
}

#[test]
fn a_stack_can_be_settled_and_disputed_once() {
    let mut w = TestChain::new(3);
    w.always_sample(1);
    let task = w.task(SAMPLING, &[1, 2]);
    let stack = w.stack(task);
    assert_eq!(abort(w.attest(2, stack)).0, "EStackNotInSettlementDispute");
    w.settle_drawn(stack, &[2]);
    let again = w.settle_with(1, stack, UNITS, &[1; 31], &[2; 32], None);
    assert_eq!(abort(again).0, "EStackInSettlementDispute");
    let short = w.attest_with(2, stack, &[1; 32], &[3; 31]);
    assert_eq!(abort(short).0, "EInvalidStackMerkleLeaf");
    w.dispute(3, stack).unwrap();
    assert_eq!(abort(w.dispute(3, stack)).0, "EStackAlreadyInDispute");
    w.epoch += 1;
    assert_eq!(abort(w.claim(1, &[stack])).0, "EStackInDispute");
}

#[test]
fn a_deprecated_task_keeps_its_subscribers() {
    let mut w = TestChain::new(1);
    let task = w.task(NONE, &[1]);
    w.deprecate(task).unwrap();
    assert_eq!(abort(w.unsubscribe(1, task)).0, "ETaskDeprecated");
    w.stack(task);
    assert_eq!(abort(w.unsubscribe(1, 9)).0, "ETaskNotFound");
}

#[test]
fn a_destroyed_attester_blocks_the_claim() {
    let mut w = TestChain::new(2);
    w.always_sample(2);
    let task = w.task(SAMPLING, &[1, 2]);
    let stack = w.stack(task);
    w.settle_drawn(stack, &[2, 1]);
    w.attest(2, stack).unwrap();
    w.disable(2).unwrap();
    w.epoch += 4;
    w.destroy(2).unwrap();
    assert_eq!(missing(w.claim(1, &[stack])), "borrow_child_object_mut");
}

#[test]
fn stacks_of_a_removed_task_can_not_be_claimed() {
    let mut w = TestChain::new(1);
    let task = w.task(CONFIDENTIAL, &[1]);
    let stack = w.stack(task);
    w.retire(task);
    let claim = w.claim_confidential(1, &[stack], &[1]);
    assert_eq!(missing(claim), "borrow_child_object");
    let unknown = w.claim_confidential(1, &[9], &[1]);
    assert_eq!(missing(unknown), "borrow_child_object_mut");
}

#[test]
fn tasks_are_checked_when_created_and_removed() {
    let mut w = TestChain::new(0);
    let make = |w: &mut TestChain, role: u16, level: u16, reputation: u8| {
        let arguments = [
            pure(&role),
            pure(&None::<String>),
            pure(&Some(level)),
            pure(&Some(reputation)),
            pure(&true),
        ];
        w.manage("create_task_entry", &arguments)
    };
    let expected = |constant| (constant, "create_task".to_owned());
    assert_eq!(abort(make(&mut w, 8, 0, 0)), expected("EInvalidTaskRole"));
    assert_eq!(
        abort(make(&mut w, 7, 3, 0)),
        expected("EInvalidSecurityLevel")
    );
    assert_eq!(
        abort(make(&mut w, 7, 2, 101)),
        expected("EInvalidMinimumReputationScore")
    );
    make(&mut w, 7, 2, 100).unwrap();

    let task = w.task(NONE, &[]);
    assert_eq!(abort(w.remove_task(task)).0, "ETaskNotDeprecated");
    assert_eq!(abort(w.remove_task_by_admin(9)).0, "ETaskNotFound");
    let list = w.manage(
        "whitelist_nodes_for_task",
        &[pure(&task), pure(&[1_u64][..])],
    );
    assert_eq!(abort(list).0, "ETaskIsPublic");
}

#[test]
fn registration_can_be_disabled() {
    let mut w = TestChain::new(0);
    let badge = [ResolvedArgument::Object(w.manager_badge)];
    w.call(MANAGER, "disable_registration", &badge).unwrap();
    let (constant, function) = abort(w.call(address_of(1), "register_node_entry", &[]));
    assert_eq!(
        (constant, function.as_str()),
        ("ENodeRegDisabled", "register_node")
    );
}

#[test]
fn at_most_the_whole_collateral_is_slashed() {
    let mut w = TestChain::new(0);
    w.set("permille_to_slash_node_on_timeout", 1000);
    let beyond = w.manage("set_permille_to_slash_node_on_timeout", &[pure(&1001_u64)]);
    assert_eq!(abort(beyond).0, "ETotalPermilleMustBeLessThan1000");
}

#[test]
fn a_purchase_takes_its_price_from_the_wallet() {
    let mut w = TestChain::new(1);
    let task = w.task(NONE, &[1]);
    let wallet = w.coin(USER, 10 * PRICE);
    let arguments = [
        ResolvedArgument::Object(wallet),
        pure(&task),
        pure(&UNITS),
        pure(&(3 * PRICE)),
        random(),
    ];
    let results = w.call(USER, "acquire_new_stack_entry", &arguments).unwrap();
    assert_eq!(w.coin_value(&wallet), 7 * PRICE);
    assert_eq!(w.state().fee_treasury, 3 * PRICE);
    let badge = w.created(&results, "StackBadge");
    assert!(results.written[&badge].has_public_transfer);
}

#[test]
fn overflowing_fees_are_arithmetic_errors() {
    let mut chain = TestChain::new(1);
    let task = chain.create_task(SAMPLING, None, true);
    chain.subscribe(1, task, 1).unwrap();
    let dear = u64::MAX / UNITS;
    let error = chain
        .buy(chain.wallet, task, UNITS, dear + 1, None)
        .unwrap_err();
    let MoveErrorKind::Arithmetic { function, .. } = error.kind else {
        panic!("{error}");
    };
    assert_eq!(function.as_str(), "acquire_new_stack");

    // It can be bought, but units times price times charge overflows when it is claimed.
    let stack = chain.buy(chain.wallet, task, UNITS, dear, None).unwrap();
    chain
        .settle_with(1, stack, UNITS, &[1; 32], &[2; 32], Some(&[]))
        .unwrap();
    chain.epoch += 1;
    let error = chain.claim(1, &[stack]).unwrap_err();
    let MoveErrorKind::Arithmetic { function, .. } = error.kind else {
        panic!("{error}");
    };
    assert_eq!(function.as_str(), "calculate_stack_fee_amount");
}

#[test]
fn attested_shares_are_withdrawn_with_the_next_claim() {
    let mut chain = TestChain::new(2);
    chain.always_sample(1);
    let task = chain.task(SAMPLING, &[1, 2]);
    let leaves = [[2; 32], [3; 32]].concat();
    let proof = *atoma_domain::Hash32::of(&[&leaves]).as_bytes();
    let stack = chain.stack(task);
    chain.top_up(1_000_000);
    chain
        .settle_with(1, stack, UNITS, &proof, &[2; 32], Some(&[2]))
        .unwrap();
    chain.attest_with(2, stack, &proof, &[3; 32]).unwrap();
    chain.epoch += 1;
    chain.claim(1, &[stack]).unwrap();
    let other = chain.task(NONE, &[2]);
    let own = chain
        .buy(chain.wallet, other, UNITS, PRICE, Some(2))
        .unwrap();
    chain.settle(2, own, UNITS).unwrap();
    chain.epoch += 1;
    let results = chain.claim(2, &[own]).unwrap();
    let mut paid: Vec<u64> = results
        .created
        .iter()
        .filter_map(|id| results.written[id].coin_value())
        .collect();
    paid.sort_unstable();
    assert_eq!(
        paid,
        [1_000, 1_200],
        "its own stack, and its share of the other one"
    );
}

#[test]
fn nodes_join_and_leave_a_model() {
    let mut chain = TestChain::new(2);
    chain
        .manage("add_model_entry", &[pure("m"), pure(&0_u64)])
        .unwrap();
    let numbers = [
        pure("m"),
        pure(&5_u64),
        pure(&1_u64),
        pure(&1_u64),
        pure(&1_u64),
    ];
    chain.manage("add_model_echelon_entry", &numbers).unwrap();
    for node in [1, 2] {
        chain
            .as_node(node, "add_node_to_model", &[pure("m"), pure(&5_u64)])
            .unwrap();
    }
    let leave = |chain: &mut TestChain, node, index: u64| {
        chain.as_node(node, "remove_node_from_model", &[pure("m"), pure(&index)])
    };
    leave(&mut chain, 1, 0).unwrap();
    // The other node has moved into its place.
    leave(&mut chain, 2, 0).unwrap();
}
