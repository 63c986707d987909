//! One scenario for every condition of `aborts.json`: what comes before, then the call itself.
//! Nodes 1 to 4 are registered; preparations that must go through are unwrapped.

use super::world::{CONFIDENTIAL, MANAGER, NONE, PRICE, SAMPLING, UNITS, World, address_of, pure};
use crate::contract::CallArgument;
use crate::vm::{MoveError, Outcome};

type Outcomes = Result<(), MoveError>;
type Scenario = (&'static str, &'static str, fn(&mut World) -> Outcomes);

fn done<T>(result: Result<T, MoveError>) -> Outcomes {
    result.map(|_| ())
}

/// A sampling-consensus task of these nodes, all settlements attested by `extra` nodes.
fn sampled(w: &mut World, extra: u64, nodes: &[u64]) -> u64 {
    w.always_sample(extra);
    w.task(SAMPLING, nodes)
}

/// A stack of node 1 of a task of that level, bought and settled by its word alone.
fn settled(w: &mut World, level: u16) -> u64 {
    let task = w.task(level, &[1]);
    let stack = w.stack(task);
    w.settle_drawn(stack, &[]);
    stack
}

/// A sampling-consensus stack of node 1, settled, node 2 drawn.
fn drawn(w: &mut World) -> u64 {
    let task = sampled(w, 1, &[1, 2]);
    let stack = w.stack(task);
    w.settle_drawn(stack, &[2]);
    stack
}

fn confidential_stack(w: &mut World) -> u64 {
    let task = w.task(CONFIDENTIAL, &[1]);
    w.stack(task)
}

fn model(w: &mut World) -> Outcomes {
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

fn join_model(w: &mut World, node: u64, name: &str) -> Outcomes {
    done(w.as_node(node, "add_node_to_model", &[pure(name), pure(&5_u64)]))
}

fn leave_model(w: &mut World, node: u64, index: u64) -> Result<Outcome, MoveError> {
    w.as_node(node, "remove_node_from_model", &[pure("m"), pure(&index)])
}

fn whitelist(w: &mut World, task: u64, nodes: &[u64]) {
    w.manage("whitelist_nodes_for_task", &[pure(&task), pure(nodes)])
        .unwrap();
}

/// A stack settled and attested honestly by node 2.
fn attested(w: &mut World, attester: u64) -> u64 {
    let task = sampled(w, 1, &[1, 2]);
    let stack = w.stack(task);
    let leaves = [[2_u8; 32], [3; 32]].concat();
    let proof = atoma_domain::Hash32::of(&[&leaves]);
    w.settle_with(
        1,
        stack,
        UNITS,
        proof.as_bytes(),
        &[2; 32],
        Some(&[attester]),
    )
    .unwrap();
    w.attest_with(attester, stack, proof.as_bytes(), &[3; 32])
        .unwrap();
    stack
}

fn disable_and_destroy(w: &mut World, node: u64) {
    w.disable(node).unwrap();
    w.epoch += 4;
    w.destroy(node).unwrap();
}

const SUBSCRIBE: &str = "subscribe_node_to_task";
const UPDATE: &str = "update_node_subscription";
const UNSUBSCRIBE: &str = "unsubscribe_node_from_task";
const ACQUIRE: &str = "acquire_new_stack_entry";
const SETTLE: &str = "try_settle_stack";
const ATTEST: &str = "submit_stack_settlement_attestation";
const DISPUTE: &str = "start_attestation_dispute";
const CLAIM: &str = "claim_funds";
const CLAIM_CONFIDENTIAL: &str = "claim_funds_for_stacks";
const ROTATE: &str = "rotate_node_public_key";

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
    (ACQUIRE, "compute units 0", |w| {
        let task = w.task(NONE, &[1]);
        done(w.buy(w.wallet, task, 0, PRICE, None))
    }),
    (ACQUIRE, "task unknown", |w| {
        done(w.buy(w.wallet, 9, UNITS, PRICE, None))
    }),
    (ACQUIRE, "wallet one token short", |w| {
        let task = w.task(NONE, &[1]);
        let wallet = w.coin(super::world::USER, PRICE - 1);
        done(w.buy(wallet, task, UNITS, PRICE, None))
    }),
    (ACQUIRE, "wallet exactly enough", |w| {
        let task = w.task(NONE, &[1]);
        let wallet = w.coin(super::world::USER, PRICE);
        done(w.buy(wallet, task, UNITS, PRICE, None))
    }),
    (ACQUIRE, "only node is dearer than the offered price", |w| {
        let task = w.task(NONE, &[1]);
        done(w.buy(w.wallet, task, UNITS, PRICE - 1, None))
    }),
    (ACQUIRE, "more than 1,000,000 compute units", |w| {
        let task = w.task(NONE, &[1]);
        done(w.buy(w.wallet, task, UNITS + 1, PRICE, None))
    }),
    (ACQUIRE, "only node has unsubscribed", |w| {
        let task = w.task(NONE, &[1]);
        w.unsubscribe(1, task).unwrap();
        done(w.buy(w.wallet, task, UNITS, PRICE, None))
    }),
    (SETTLE, "stack id unknown", |w| w.settle(1, 9, 1)),
    (SETTLE, "another node is selected", |w| {
        let task = w.task(NONE, &[1, 2]);
        let stack = w.stack(task);
        w.settle(2, stack, UNITS)
    }),
    (SETTLE, "one unit more than the stack has", |w| {
        let task = w.task(NONE, &[1]);
        let stack = w.stack(task);
        w.settle(1, stack, UNITS + 1)
    }),
    (
        SETTLE,
        "other node and too many units (order of checks)",
        |w| {
            let task = w.task(NONE, &[1, 2]);
            let stack = w.stack(task);
            w.settle(2, stack, UNITS + 1)
        },
    ),
    (
        SETTLE,
        "settled twice, second time too many units (order of checks)",
        |w| {
            let stack = settled(w, NONE);
            w.settle(1, stack, UNITS + 1)
        },
    ),
    (SETTLE, "proof of 33 bytes", |w| {
        let task = w.task(NONE, &[1]);
        let stack = w.stack(task);
        w.settle_with(1, stack, UNITS, &[1; 33], &[2; 32], None)
    }),
    (SETTLE, "empty proof", |w| {
        let task = w.task(NONE, &[1]);
        let stack = w.stack(task);
        w.settle_with(1, stack, UNITS, &[], &[2; 32], None)
    }),
    (SETTLE, "leaf of 64 bytes", |w| {
        let task = w.task(NONE, &[1]);
        let stack = w.stack(task);
        w.settle_with(1, stack, UNITS, &[1; 32], &[2; 64], None)
    }),
    (
        SETTLE,
        "sampling drawn while another subscriber has unsubscribed since the last acquire",
        |w| {
            let task = sampled(w, 1, &[1, 2]);
            let stack = w.stack(task);
            w.unsubscribe(2, task).unwrap();
            w.settle(1, stack, UNITS)
        },
    ),
    (
        SETTLE,
        "another subscriber unsubscribed, then a new stack was bought (list swept)",
        |w| {
            let task = sampled(w, 1, &[1, 2]);
            let stack = w.stack(task);
            w.unsubscribe(2, task).unwrap();
            w.stack(task);
            w.settle(1, stack, UNITS)
        },
    ),
    (
        SETTLE,
        "another subscriber unsubscribed but probability is 0",
        |w| {
            let task = sampled(w, 1, &[1, 2]);
            w.set("cross_validation_probability_permille", 0);
            let stack = w.stack(task);
            w.unsubscribe(2, task).unwrap();
            w.settle(1, stack, UNITS)
        },
    ),
    (
        SETTLE,
        "another subscriber disabled and destroyed without unsubscribing",
        |w| {
            let task = sampled(w, 1, &[1, 2]);
            let stack = w.stack(task);
            disable_and_destroy(w, 2);
            w.settle(1, stack, UNITS)
        },
    ),
    (SETTLE, "task removed after deprecation", |w| {
        let task = w.task(NONE, &[1]);
        let stack = w.stack(task);
        w.retire(task);
        w.settle(1, stack, UNITS)
    }),
    (SETTLE, "settling node disabled after the purchase", |w| {
        let task = w.task(NONE, &[1]);
        let stack = w.stack(task);
        w.disable(1).unwrap();
        w.settle(1, stack, UNITS)
    }),
    (SETTLE, "task deprecated after the purchase", |w| {
        let task = w.task(NONE, &[1]);
        let stack = w.stack(task);
        w.deprecate(task).unwrap();
        w.settle(1, stack, UNITS)
    }),
    (SETTLE, "all units claimed", |w| {
        let task = w.task(NONE, &[1]);
        let stack = w.stack(task);
        w.settle(1, stack, UNITS)
    }),
    (
        SETTLE,
        "confidential stack already claimed with claim_funds_for_stacks",
        |w| {
            let stack = confidential_stack(w);
            w.claim_confidential(1, &[stack], &[1]).unwrap();
            w.settle(1, stack, UNITS)
        },
    ),
    (ATTEST, "stack id unknown", |w| w.attest(2, 9)),
    (ATTEST, "stack already claimed", |w| {
        let stack = drawn(w);
        w.epoch += 1;
        w.claim(1, &[stack]).unwrap();
        w.attest(2, stack)
    }),
    (ATTEST, "proof of 31 bytes", |w| {
        let stack = drawn(w);
        w.attest_with(2, stack, &[1; 31], &[3; 32])
    }),
    (ATTEST, "task level 0", |w| {
        let stack = settled(w, NONE);
        w.attest(2, stack)
    }),
    (ATTEST, "task level 1 (confidential)", |w| {
        let stack = settled(w, CONFIDENTIAL);
        w.attest(2, stack)
    }),
    (ATTEST, "three epochs after the settlement", |w| {
        let stack = drawn(w);
        w.epoch += 3;
        w.attest(2, stack)
    }),
    (ATTEST, "node not drawn", |w| {
        let stack = drawn(w);
        w.attest(3, stack)
    }),
    (ATTEST, "no attester was drawn (probability 0)", |w| {
        let task = sampled(w, 1, &[1, 2]);
        w.set("cross_validation_probability_permille", 0);
        let stack = w.stack(task);
        w.settle(1, stack, UNITS).unwrap();
        w.attest(2, stack)
    }),
    (
        ATTEST,
        "other committed value while already in dispute",
        |w| {
            let stack = drawn(w);
            w.dispute(3, stack).unwrap();
            w.attest_with(2, stack, &[9; 32], &[3; 32])
        },
    ),
    (ATTEST, "attester was disabled after the draw", |w| {
        let stack = drawn(w);
        w.disable(2).unwrap();
        w.attest(2, stack)
    }),
    (ATTEST, "attester unsubscribed after the draw", |w| {
        let stack = drawn(w);
        w.unsubscribe(2, 1).unwrap();
        w.attest(2, stack)
    }),
    (ATTEST, "task deprecated after the draw", |w| {
        let stack = drawn(w);
        w.deprecate(1).unwrap();
        w.attest(2, stack)
    }),
    (DISPUTE, "no ticket for that stack", |w| {
        let task = w.task(SAMPLING, &[1]);
        let stack = w.stack(task);
        w.dispute(2, stack)
    }),
    (DISPUTE, "stack id unknown", |w| w.dispute(2, 9)),
    (DISPUTE, "task level 0", |w| {
        let stack = settled(w, NONE);
        w.dispute(2, stack)
    }),
    (DISPUTE, "task level 1 (confidential)", |w| {
        let stack = settled(w, CONFIDENTIAL);
        w.dispute(2, stack)
    }),
    (CLAIM, "stack id unknown", |w| done(w.claim(1, &[9]))),
    (CLAIM, "another node claims", |w| {
        let stack = settled(w, NONE);
        w.epoch += 1;
        done(w.claim(2, &[stack]))
    }),
    (CLAIM, "same epoch as the settlement", |w| {
        let stack = settled(w, NONE);
        done(w.claim(1, &[stack]))
    }),
    (CLAIM, "in dispute and same epoch (order of checks)", |w| {
        let stack = drawn(w);
        w.dispute(3, stack).unwrap();
        done(w.claim(1, &[stack]))
    }),
    (
        CLAIM,
        "confidential stack already claimed with claim_funds_for_stacks, ticket made after",
        |w| {
            let stack = confidential_stack(w);
            w.claim_confidential(1, &[stack], &[1]).unwrap();
            w.settle(1, stack, 1).unwrap();
            w.epoch += 1;
            done(w.claim(1, &[stack]))
        },
    ),
    (CLAIM, "same id twice in one call", |w| {
        let stack = settled(w, NONE);
        w.epoch += 1;
        done(w.claim(1, &[stack, stack]))
    }),
    (
        CLAIM,
        "good id followed by one not settled (whole call fails)",
        |w| {
            let stack = settled(w, NONE);
            let other = w.stack(1);
            w.epoch += 1;
            done(w.claim(1, &[stack, other]))
        },
    ),
    (
        CLAIM,
        "good id followed by one settled this epoch (whole call fails)",
        |w| {
            let stack = settled(w, NONE);
            let other = w.stack(1);
            w.epoch += 1;
            w.settle(1, other, UNITS).unwrap();
            done(w.claim(1, &[stack, other]))
        },
    ),
    (
        CLAIM,
        "self-attested stack, treasury holds only what the user paid",
        |w| {
            let stack = attested(w, 1);
            w.epoch += 1;
            done(w.claim(1, &[stack]))
        },
    ),
    (
        CLAIM,
        "extra-nodes count set to 0 by the manager after an attestation",
        |w| {
            let stack = attested(w, 2);
            w.set("cross_validation_extra_nodes_count", 0);
            w.epoch += 1;
            done(w.claim(1, &[stack]))
        },
    ),
    (CLAIM, "extra-nodes count 0 at settlement and claim", |w| {
        let task = sampled(w, 0, &[1, 2]);
        let stack = w.stack(task);
        w.settle(1, stack, UNITS).unwrap();
        w.epoch += 1;
        done(w.claim(1, &[stack]))
    }),
    (CLAIM, "task removed after deprecation", |w| {
        let stack = settled(w, NONE);
        w.retire(1);
        done(w.claim(1, &[stack]))
    }),
    (
        CLAIM,
        "sampling charge raised by the manager after the purchase, treasury too small",
        |w| {
            let stack = settled(w, SAMPLING);
            w.set("sampling_consensus_charge_permille", 1300);
            w.epoch += 1;
            done(w.claim(1, &[stack]))
        },
    ),
    (CLAIM, "empty id list", |w| done(w.claim(1, &[]))),
    (
        CLAIM,
        "drawn attester that did not attest was destroyed before the claim",
        |w| {
            let stack = drawn(w);
            disable_and_destroy(w, 2);
            done(w.claim(1, &[stack]))
        },
    ),
    (CLAIM, "two stacks in descending order", |w| {
        let first = settled(w, NONE);
        let second = w.stack(1);
        w.settle(1, second, UNITS).unwrap();
        w.epoch += 1;
        done(w.claim(1, &[second, first]))
    }),
    (CLAIM_CONFIDENTIAL, "two ids, one unit count", |w| {
        let stack = confidential_stack(w);
        let other = w.stack(1);
        done(w.claim_confidential(1, &[stack, other], &[1]))
    }),
    (CLAIM_CONFIDENTIAL, "no ids, one unit count", |w| {
        done(w.claim_confidential(1, &[], &[1]))
    }),
    (CLAIM_CONFIDENTIAL, "another node claims", |w| {
        let stack = confidential_stack(w);
        done(w.claim_confidential(2, &[stack], &[1]))
    }),
    (CLAIM_CONFIDENTIAL, "claimed a second time", |w| {
        let stack = confidential_stack(w);
        w.claim_confidential(1, &[stack], &[1]).unwrap();
        done(w.claim_confidential(1, &[stack], &[1]))
    }),
    (
        CLAIM_CONFIDENTIAL,
        "one unit more than the stack has",
        |w| {
            let stack = confidential_stack(w);
            done(w.claim_confidential(1, &[stack], &[UNITS + 1]))
        },
    ),
    (CLAIM_CONFIDENTIAL, "task level 0", |w| {
        let task = w.task(NONE, &[1]);
        let stack = w.stack(task);
        done(w.claim_confidential(1, &[stack], &[1]))
    }),
    (
        CLAIM_CONFIDENTIAL,
        "claimed already and too many units (order of checks)",
        |w| {
            let stack = confidential_stack(w);
            w.claim_confidential(1, &[stack], &[1]).unwrap();
            done(w.claim_confidential(1, &[stack], &[UNITS + 1]))
        },
    ),
    (
        CLAIM_CONFIDENTIAL,
        "level 0 and too many units (order of checks)",
        |w| {
            let task = w.task(NONE, &[1]);
            let stack = w.stack(task);
            done(w.claim_confidential(1, &[stack], &[UNITS + 1]))
        },
    ),
    (
        CLAIM_CONFIDENTIAL,
        "stack deleted by claim_funds before",
        |w| {
            let stack = settled(w, CONFIDENTIAL);
            w.epoch += 1;
            w.claim(1, &[stack]).unwrap();
            done(w.claim_confidential(1, &[stack], &[1]))
        },
    ),
    (CLAIM_CONFIDENTIAL, "ticket made before, same epoch", |w| {
        let stack = settled(w, CONFIDENTIAL);
        done(w.claim_confidential(1, &[stack], &[1]))
    }),
    (CLAIM_CONFIDENTIAL, "same epoch as the purchase", |w| {
        let stack = confidential_stack(w);
        done(w.claim_confidential(1, &[stack], &[1]))
    }),
    (ROTATE, "device type 16000", |w| {
        done(w.rotate(1, b"key", b"", 0, 16_000))
    }),
    (ROTATE, "device type 15999", |w| {
        done(w.rotate(1, b"key", b"", 0, 15_999))
    }),
    (ROTATE, "counter 1 while the contract is at 0", |w| {
        done(w.rotate(1, b"key", b"", 1, 300))
    }),
    (ROTATE, "counter 0 while the contract is at 1", |w| {
        w.rotate_network();
        done(w.rotate(1, b"key", b"", 0, 300))
    }),
    (ROTATE, "second device, other key, same rotation", |w| {
        w.rotate(1, b"key", b"", 0, 300).unwrap();
        done(w.rotate(1, b"other", b"", 0, 10_000))
    }),
    (ROTATE, "second device, same key, same rotation", |w| {
        w.rotate(1, b"key", b"", 0, 300).unwrap();
        done(w.rotate(1, b"key", b"", 0, 10_000))
    }),
    (ROTATE, "new key after a network rotation", |w| {
        w.rotate(1, b"key", b"", 0, 300).unwrap();
        w.rotate_network();
        done(w.rotate(1, b"other", b"", 1, 300))
    }),
    ("permanently_disable_node", "disabled twice", |w| {
        w.disable(1).unwrap();
        done(w.disable(1))
    }),
    ("destroy_disabled_node", "never disabled", |w| {
        done(w.destroy(1))
    }),
    (
        "destroy_disabled_node",
        "same epoch as the disabling",
        |w| {
            w.disable(1).unwrap();
            done(w.destroy(1))
        },
    ),
    (
        "withdraw_fees",
        "node has more credited than the treasury holds",
        |w| {
            let stack = attested(w, 2);
            w.epoch += 1;
            w.claim(1, &[stack]).unwrap();
            done(w.withdraw(2))
        },
    ),
    ("withdraw_fees", "disabled node", |w| {
        w.disable(1).unwrap();
        done(w.withdraw(1))
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
    (
        "register_node_entry",
        "second registration from the same address (a second badge)",
        |w| done(w.call(address_of(1), "register_node_entry", &[])),
    ),
    ("register_node_entry", "registration enabled again", |w| {
        let badge = [CallArgument::Object(w.manager_badge)];
        w.call(MANAGER, "disable_registration", &badge).unwrap();
        assert!(w.call(address_of(5), "register_node_entry", &[]).is_err());
        w.call(MANAGER, "enable_registration", &badge).unwrap();
        done(w.call(address_of(5), "register_node_entry", &[]))
    }),
];
