//! What is told.

use std::collections::BTreeSet;

use atoma_domain::StackSmallId;
use atoma_domain::events::ContractEvent;
use atoma_operator::MirrorChange;
use serde_json::{Value, json};

/// The most stacks that one event names.
const MOST_STACKS: usize = 100;

/// An event as the page is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) data: Value,
}

/// What the mirror has applied since it was last told.
#[derive(Debug, Default)]
pub(super) struct AppliedSince {
    kinds: BTreeSet<&'static str>,
    stacks: BTreeSet<u64>,
    /// Whether anything may have changed besides.
    is_partial: bool,
}

impl AppliedSince {
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty() && !self.is_partial
    }

    pub(super) fn add(&mut self, change: &MirrorChange) {
        let MirrorChange::Applied(transaction) = change else {
            self.is_partial = true;
            return;
        };
        for event in &transaction.events {
            self.kinds.insert(event.name());
            if let Some(stack) = stack_of(event) {
                self.stacks.insert(stack.get());
            }
        }
        self.is_partial |= !transaction.set_aside.is_empty();
        while self.stacks.len() > MOST_STACKS {
            self.stacks.pop_last();
            self.is_partial = true;
        }
    }

    /// Tells it, and begins anew.
    pub(super) fn take(&mut self) -> Event {
        let told = std::mem::take(self);
        Event {
            name: "applied",
            data: json!({
                "kinds": told.kinds,
                "stack_small_ids": told.stacks,
                "is_partial": told.is_partial,
            }),
        }
    }
}

/// The stack that an event of the contract is about.
const fn stack_of(event: &ContractEvent) -> Option<StackSmallId> {
    match event {
        ContractEvent::StackCreated(event) => Some(event.stack_small_id),
        ContractEvent::StackTrySettle(event) => Some(event.stack_small_id),
        ContractEvent::NewStackSettlementAttestation(event) => Some(event.stack_small_id),
        ContractEvent::StackSettlementTicket(event) => Some(event.stack_small_id),
        ContractEvent::StackSettlementTicketClaimed(event) => Some(event.stack_small_id),
        ContractEvent::StackAttestationDispute(event) => Some(event.stack_small_id),
        ContractEvent::ClaimedStack(event) => Some(event.stack_small_id),
        _ => None,
    }
}

/// An event whose name says all.
pub(super) fn changed(name: &'static str) -> Event {
    Event {
        name,
        data: json!({}),
    }
}
