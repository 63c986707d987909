//! The two log lines of a transaction: when it is sent and when it has ended.

use std::time::Duration;

use atoma_domain::journal::Intent;
use atoma_domain::{NodeSmallId, StackSmallId};
use tracing::info;

use crate::engine::attempt::{Ended, Signed};

/// The fields that say what a transaction is about.
struct About {
    kind: &'static str,
    node: Option<u64>,
    /// The stacks, or the intents of a batch without stacks.
    stacks: Vec<u64>,
    transactions: Vec<u64>,
}

impl About {
    fn new(intents: &[Intent]) -> Self {
        let first = intents.first();
        let stacks = intents.iter().filter_map(|intent| intent.action.stack());
        Self {
            kind: first.map_or("none", |intent| intent.action.kind()),
            node: first
                .and_then(|intent| intent.actor.node())
                .map(NodeSmallId::get),
            stacks: stacks.map(StackSmallId::get).collect(),
            transactions: intents.iter().map(|intent| intent.id.get()).collect(),
        }
    }
}

pub(super) fn sending(signed: &Signed) {
    let about = About::new(&signed.intents);
    info!(
        digest = %signed.attempt.digest(),
        kind = about.kind,
        node = about.node,
        stacks = ?about.stacks,
        transactions = ?about.transactions,
        gas_budget = %signed.attempt.gas_budget,
        "sending a transaction"
    );
}

pub(super) fn ended(ended: &Ended, took: Duration) {
    let about = About::new(ended.intents());
    let outcome = ended.outcome();
    info!(
        digest = %ended.digest(),
        kind = about.kind,
        node = about.node,
        stacks = ?about.stacks,
        transactions = ?about.transactions,
        outcome = ended.status().as_str(),
        gas_used = outcome.receipt().map(|receipt| receipt.gas_used.get()),
        reason = outcome.failure().map(ToString::to_string).as_deref().or(outcome.reason()),
        duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "a transaction has ended"
    );
}
