//! Stacks: buying, settling, attesting, disputing.

use super::{Scenario, confidential_stack, disable_and_destroy, done, drawn, sampled, settled};
use crate::contract::tests::chain::{CONFIDENTIAL, NONE, PRICE, SAMPLING, UNITS, USER};

const ACQUIRE: &str = "acquire_new_stack_entry";
const SETTLE: &str = "try_settle_stack";
const ATTEST: &str = "submit_stack_settlement_attestation";
const DISPUTE: &str = "start_attestation_dispute";

pub(super) const SCENARIOS: &[Scenario] = &[
    (ACQUIRE, "compute units 0", |w| {
        let task = w.task(NONE, &[1]);
        done(w.buy(w.wallet, task, 0, PRICE, None))
    }),
    (ACQUIRE, "task unknown", |w| {
        done(w.buy(w.wallet, 9, UNITS, PRICE, None))
    }),
    (ACQUIRE, "wallet one token short", |w| {
        let task = w.task(NONE, &[1]);
        let wallet = w.coin(USER, PRICE - 1);
        done(w.buy(wallet, task, UNITS, PRICE, None))
    }),
    (ACQUIRE, "wallet exactly enough", |w| {
        let task = w.task(NONE, &[1]);
        let wallet = w.coin(USER, PRICE);
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
];
