//! Drawing and selecting nodes. `proofs.json` has measured draws. No seed repeats them here, so the
//! tests check the rule behind them.

use std::collections::BTreeSet;

use super::chain::{NONE, PRICE, SAMPLING, TestChain, UNITS};
use super::vectors::{load, number, numbers, text};
use atoma_domain::events::ContractEvent;
use atoma_domain::{NodeSmallId, TaskSmallId};

/// The attesters drawn by the last settlement.
fn drawn_for(chain: &TestChain, stack: u64) -> Vec<u64> {
    let Some(ContractEvent::StackTrySettle(event)) = chain.events.last() else {
        panic!("no settlement");
    };
    assert_eq!(event.stack_small_id.get(), stack);
    event
        .requested_attestation_nodes
        .iter()
        .map(|node| node.get())
        .collect()
}

#[test]
fn draws_follow_the_rule_of_the_measured_ones() {
    for vector in load("proofs.json")["draws"].as_array().unwrap() {
        let case = text(vector, "case");
        let extra_nodes = number(&vector["extra_nodes_count"]);
        let measured: Vec<Vec<u64>> = vector["drawn"]
            .as_array()
            .unwrap()
            .iter()
            .map(numbers)
            .collect();
        let mut eligible: BTreeSet<u64> = measured.iter().flatten().copied().collect();
        if extra_nodes == 0 {
            eligible.insert(1);
        }
        let length = measured[0].len();

        let mut chain = TestChain::new(4);
        chain.always_sample(extra_nodes);
        let task = chain.task(SAMPLING, &[1, 2, 3, 4]);
        let stacks: Vec<u64> = (0..40).map(|_| chain.stack(task)).collect();
        for node in 1..=4 {
            if !eligible.contains(&node) {
                chain.update(node, task, PRICE + 1).unwrap();
            }
        }
        let mut seen = BTreeSet::new();
        for stack in stacks {
            chain.settle(1, stack, UNITS).unwrap();
            let drawn = drawn_for(&chain, stack);
            assert_eq!(drawn.len(), length, "{case}");
            assert!(drawn.iter().all(|node| eligible.contains(node)), "{case}");
            if u64::try_from(eligible.len()).unwrap() < extra_nodes {
                assert_eq!(drawn, measured[0], "{case}: all of them, in order");
            }
            seen.extend(drawn);
        }
        if extra_nodes > 0 {
            assert_eq!(seen, eligible, "{case}: every eligible node is drawn");
        }
    }
}

#[test]
fn a_node_can_be_drawn_twice() {
    let mut chain = TestChain::new(2);
    chain.always_sample(2);
    let task = chain.task(SAMPLING, &[1, 2]);
    let drawn: BTreeSet<Vec<u64>> = (0..40)
        .map(|_| {
            let stack = chain.stack(task);
            chain.settle(1, stack, UNITS).unwrap();
            drawn_for(&chain, stack)
        })
        .collect();
    let all = [[1, 1], [1, 2], [2, 1], [2, 2]].map(Vec::from);
    assert_eq!(drawn, BTreeSet::from(all));
}

#[test]
fn attesters_are_drawn_with_the_configured_probability() {
    let mut chain = TestChain::new(1);
    chain.set("cross_validation_probability_permille", 300);
    let task = chain.task(SAMPLING, &[1]);
    let attested = (0..400)
        .filter(|_| {
            let stack = chain.stack(task);
            chain.settle(1, stack, UNITS).unwrap();
            !drawn_for(&chain, stack).is_empty()
        })
        .count();
    assert!((80..160).contains(&attested), "{attested} of 400");
}

#[test]
fn a_disabled_node_is_neither_selected_nor_drawn() {
    let mut chain = TestChain::new(2);
    chain.always_sample(1);
    let task = chain.task(SAMPLING, &[1, 2]);
    chain.disable(2).unwrap();
    for _ in 0..20 {
        let stack = chain.buy(chain.wallet, task, UNITS, PRICE, None).unwrap();
        chain.settle(1, stack, UNITS).unwrap();
        assert_eq!(drawn_for(&chain, stack), [1]);
    }
    let forced = chain.buy(chain.wallet, task, UNITS, PRICE, Some(2));
    assert!(forced.is_err(), "a disabled node can't be forced");
}

#[test]
fn a_forced_draw_is_limited_to_the_tickets_size() {
    let mut chain = TestChain::new(3);
    chain.always_sample(1);
    let task = chain.task(SAMPLING, &[1, 2, 3]);
    let stack = chain.stack(task);
    chain
        .settle_with(1, stack, UNITS, &[1; 32], &[2; 32], Some(&[3, 2]))
        .unwrap();
    assert_eq!(drawn_for(&chain, stack), [3]);
}

#[test]
fn equal_seeds_give_equal_selections() {
    let selections = |seed| -> Vec<NodeSmallId> {
        let mut chain = TestChain::seeded(4, seed);
        let task = chain.task(NONE, &[1, 2, 3, 4]);
        for _ in 0..20 {
            chain.buy(chain.wallet, task, UNITS, PRICE, None).unwrap();
        }
        let stacks = chain.state().stacks;
        stacks
            .values()
            .map(|stack| stack.selected_node_id)
            .collect()
    };
    assert_eq!(selections(3), selections(3));
    assert_ne!(selections(3), selections(4));
}

#[test]
fn only_purchases_remove_unsubscribed_nodes_from_the_list() {
    let vectors = load("state.json");
    let steps = vectors["subscriber_list"].as_array().unwrap();
    let mut chain = TestChain::new(3);
    let task = chain.task(NONE, &[]);
    for step in steps {
        match text(step, "after") {
            "nodes 1,2,3 subscribed" => {
                for node in 1..=3 {
                    chain.subscribe(node, task, PRICE).unwrap();
                }
            }
            "3 unsubscribed" => {
                chain.unsubscribe(3, task).unwrap();
            }
            "a stack bought" => {
                chain.stack(task);
            }
            "2 unsubscribed and subscribed again" => {
                chain.unsubscribe(2, task).unwrap();
                chain.subscribe(2, task, PRICE).unwrap();
            }
            other => panic!("unknown step: {other}"),
        }
        let state = chain.state();
        let listed: Vec<u64> = state.tasks[&TaskSmallId::new(task)]
            .subscribed_nodes_small_ids
            .iter()
            .map(|node| node.get())
            .collect();
        assert_eq!(
            listed,
            numbers(&step["subscribed_nodes_small_ids"]),
            "{step}"
        );
    }
}

#[test]
fn the_last_subscriber_takes_the_place_of_a_removed_one() {
    let mut chain = TestChain::new(4);
    let task = chain.task(NONE, &[1, 2, 3, 4]);
    chain.unsubscribe(2, task).unwrap();
    chain.unsubscribe(4, task).unwrap();
    chain.stack(task);
    let state = chain.state();
    let listed = &state.tasks[&TaskSmallId::new(task)].subscribed_nodes_small_ids;
    assert_eq!(*listed, [1, 3].map(NodeSmallId::new));
}
