//! Tasks, subscriptions, models.

use super::{Scenario, ScenarioResult, done};
use crate::contract::tests::chain::{NONE, PRICE, TestChain, pure};
use crate::vm::{ExecutionResults, MoveError};

const SUBSCRIBE: &str = "subscribe_node_to_task";
const UPDATE: &str = "update_node_subscription";
const UNSUBSCRIBE: &str = "unsubscribe_node_from_task";

pub(super) const SCENARIOS: &[Scenario] = &[
    (SUBSCRIBE, "task id never registered", |w| {
        done(w.subscribe(1, 9, PRICE))
    }),
    (SUBSCRIBE, "task id 0", |w| done(w.subscribe(1, 0, PRICE))),
    (
        SUBSCRIBE,
        "task minimum reputation 51, node starts with 50",
        |w| {
            let task = w.create_task(NONE, Some(51), true);
            done(w.subscribe(1, task, PRICE))
        },
    ),
    (SUBSCRIBE, "minimum reputation 50", |w| {
        let task = w.create_task(NONE, Some(50), true);
        done(w.subscribe(1, task, PRICE))
    }),
    (SUBSCRIBE, "private task, node not whitelisted", |w| {
        let task = w.create_task(NONE, None, false);
        whitelist(w, task, &[2]);
        done(w.subscribe(1, task, PRICE))
    }),
    (SUBSCRIBE, "private task, whitelisted", |w| {
        let task = w.create_task(NONE, None, false);
        whitelist(w, task, &[2, 1]);
        done(w.subscribe(1, task, PRICE))
    }),
    (SUBSCRIBE, "task deprecated", |w| {
        let task = w.task(NONE, &[]);
        w.deprecate(task).unwrap();
        done(w.subscribe(1, task, PRICE))
    }),
    (SUBSCRIBE, "already subscribed", |w| {
        let task = w.task(NONE, &[1]);
        done(w.subscribe(1, task, PRICE))
    }),
    (
        SUBSCRIBE,
        "already subscribed and price 0 (order of checks)",
        |w| {
            let task = w.task(NONE, &[1]);
            done(w.subscribe(1, task, 0))
        },
    ),
    (
        SUBSCRIBE,
        "private, not whitelisted and deprecated (order of checks)",
        |w| {
            let task = w.create_task(NONE, None, false);
            w.deprecate(task).unwrap();
            done(w.subscribe(1, task, PRICE))
        },
    ),
    (UPDATE, "price 0 and unknown task (order of checks)", |w| {
        done(w.update(1, 9, 0))
    }),
    (UPDATE, "task unknown", |w| done(w.update(1, 9, PRICE))),
    (UPDATE, "unsubscribed before", |w| {
        let task = w.task(NONE, &[1]);
        w.unsubscribe(1, task).unwrap();
        done(w.update(1, task, PRICE))
    }),
    (UPDATE, "task deprecated", |w| {
        let task = w.task(NONE, &[1]);
        w.deprecate(task).unwrap();
        done(w.update(1, task, PRICE))
    }),
    (UNSUBSCRIBE, "not subscribed", |w| {
        let task = w.task(NONE, &[2]);
        done(w.unsubscribe(1, task))
    }),
    (UNSUBSCRIBE, "unsubscribed twice", |w| {
        let task = w.task(NONE, &[1]);
        w.unsubscribe(1, task).unwrap();
        done(w.unsubscribe(1, task))
    }),
    ("add_node_to_model", "model name unknown", |w| {
        join_model(w, 1, "none")
    }),
    ("add_node_to_model", "model disabled", |w| {
        model(w).unwrap();
        w.manage("disable_model", &[pure("m")]).unwrap();
        join_model(w, 1, "m")
    }),
    ("add_node_to_model", "already added", |w| {
        model(w).unwrap();
        join_model(w, 1, "m").unwrap();
        join_model(w, 1, "m")
    }),
    ("remove_node_from_model", "not subscribed", |w| {
        model(w).unwrap();
        done(leave_model(w, 1, 0))
    }),
    ("remove_node_from_model", "index of another node", |w| {
        model(w).unwrap();
        join_model(w, 1, "m").unwrap();
        join_model(w, 2, "m").unwrap();
        done(leave_model(w, 1, 1))
    }),
    (
        "remove_deprecated_task",
        "same epoch as the deprecation",
        |w| {
            let task = w.task(NONE, &[]);
            w.deprecate(task).unwrap();
            done(w.remove_task(task))
        },
    ),
    (
        "remove_deprecated_task_by_admin",
        "one epoch after the deprecation",
        |w| {
            let task = w.task(NONE, &[]);
            w.deprecate(task).unwrap();
            w.epoch += 1;
            done(w.remove_task_by_admin(task))
        },
    ),
    ("deprecate_task", "deprecated twice", |w| {
        let task = w.task(NONE, &[]);
        w.deprecate(task).unwrap();
        done(w.deprecate(task))
    }),
];

fn model(w: &mut TestChain) -> ScenarioResult {
    w.manage("add_model_entry", &[pure("m"), pure(&0_u64)])?;
    let numbers = [
        pure("m"),
        pure(&5_u64),
        pure(&1_u64),
        pure(&1_u64),
        pure(&1_u64),
    ];
    done(w.manage("add_model_echelon_entry", &numbers))
}

fn join_model(w: &mut TestChain, node: u64, name: &str) -> ScenarioResult {
    done(w.as_node(node, "add_node_to_model", &[pure(name), pure(&5_u64)]))
}

fn leave_model(w: &mut TestChain, node: u64, index: u64) -> Result<ExecutionResults, MoveError> {
    w.as_node(node, "remove_node_from_model", &[pure("m"), pure(&index)])
}

fn whitelist(w: &mut TestChain, task: u64, nodes: &[u64]) {
    w.manage("whitelist_nodes_for_task", &[pure(&task), pure(nodes)])
        .unwrap();
}
