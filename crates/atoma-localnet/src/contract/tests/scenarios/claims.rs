//! Claims and withdrawals.

use super::{
    Scenario, attested, confidential_stack, disable_and_destroy, done, drawn, sampled, settled,
};
use crate::contract::tests::chain::{CONFIDENTIAL, NONE, SAMPLING, UNITS};

const CLAIM: &str = "claim_funds";
const CLAIM_CONFIDENTIAL: &str = "claim_funds_for_stacks";

pub(super) const SCENARIOS: &[Scenario] = &[
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
];
