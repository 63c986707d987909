//! What waits for a lane. Requests take turns, one transaction each, so that a large request does not
//! hold up a small one that came after it. Attestations come before everything else: the contract punishes late ones.

use std::collections::VecDeque;

use atoma_domain::journal::{Action, Intent};

/// Intents by the request that they came with, never an empty one.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    turns: VecDeque<VecDeque<Intent>>,
}

impl Backlog {
    /// Adds a request's intents; they have their turn after all others.
    pub(super) fn add(&mut self, intents: Vec<Intent>) {
        if !intents.is_empty() {
            self.turns.push_back(intents.into());
        }
    }

    /// Adds intents that have their turn next.
    pub(super) fn add_first(&mut self, intents: Vec<Intent>) {
        if !intents.is_empty() {
            self.turns.push_front(intents.into());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// The intent that the next batch begins with.
    pub(super) fn next(&self) -> Option<&Intent> {
        self.turns.get(self.turn()).and_then(VecDeque::front)
    }

    /// The place of the turn that is next.
    fn turn(&self) -> usize {
        let mut turns = self.turns.iter();
        let is_urgent = |turn: &VecDeque<Intent>| turn.front().is_some_and(is_attestation);
        turns.position(is_urgent).unwrap_or(0)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Intent> {
        self.turns.iter().flatten()
    }

    /// Takes the oldest intent of the request whose turn it is, with all that can share its
    /// transaction, from other requests too, up to what `limit` says of it.
    pub(super) fn take(&mut self, limit: impl FnOnce(&Intent) -> usize) -> Vec<Intent> {
        let Some(mut turn) = self.turns.remove(self.turn()) else {
            return Vec::new();
        };
        let mut batch: Vec<Intent> = turn.pop_front().into_iter().collect();
        if let Some(first) = batch.first().filter(|first| first.action.can_be_batched()) {
            let limit = limit(first);
            join(&mut batch, &mut turn, limit);
            for other in &mut self.turns {
                join(&mut batch, other, limit);
            }
            self.turns.retain(|turn| !turn.is_empty());
        }
        if !turn.is_empty() {
            self.turns.push_back(turn);
        }
        batch
    }
}

const fn is_attestation(intent: &Intent) -> bool {
    matches!(intent.action, Action::AttestSettlement { .. })
}

/// Moves intents of the batch's kind and terms into it.
fn join(batch: &mut Vec<Intent>, from: &mut VecDeque<Intent>, limit: usize) {
    let Some(first) = batch.first() else { return };
    let (kind, gas) = (first.action.kind(), first.gas);
    from.retain(|intent| {
        let joins = batch.len() < limit && intent.action.kind() == kind && intent.gas == gas;
        if joins {
            batch.push(intent.clone());
        }
        !joins
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::{attest, claim, settle};

    fn taken(backlog: &mut Backlog, limit: usize) -> Vec<Vec<u64>> {
        std::iter::from_fn(|| {
            let batch = backlog.take(|_| limit);
            (!batch.is_empty()).then(|| batch.iter().map(|intent| intent.id.get()).collect())
        })
        .collect()
    }

    #[test]
    fn a_large_request_does_not_hold_up_a_small_one() {
        let mut backlog = Backlog::default();
        backlog.add((1..=4).map(settle).collect());
        backlog.add(vec![settle(5)]);
        backlog.add(vec![settle(6), settle(7)]);
        assert_eq!(backlog.next().map(|intent| intent.id.get()), Some(1));
        let order: Vec<u64> = taken(&mut backlog, 9).concat();
        assert_eq!(order, [1, 5, 6, 2, 7, 3, 4]);
        assert!(backlog.is_empty());
    }

    #[test]
    fn intents_of_different_requests_share_transactions() {
        let mut backlog = Backlog::default();
        backlog.add(vec![claim(1), settle(2), claim(3)]);
        backlog.add(vec![claim(4)]);
        backlog.add(vec![claim(5), settle(6)]);
        assert_eq!(
            taken(&mut backlog, 3),
            vec![vec![1, 3, 4], vec![5], vec![2], vec![6]]
        );
        assert!(backlog.is_empty());
    }

    #[test]
    fn attestations_come_before_everything_else() {
        let mut backlog = Backlog::default();
        backlog.add(vec![settle(1), settle(2)]);
        backlog.add(vec![attest(3)]);
        backlog.add(vec![claim(4)]);
        backlog.add(vec![attest(5), attest(6)]);
        assert_eq!(backlog.next().map(|intent| intent.id.get()), Some(3));
        let expected = [vec![3, 5], vec![6], vec![1], vec![4], vec![2]];
        assert_eq!(taken(&mut backlog, 2), expected);
    }

    #[test]
    fn intents_added_first_come_next() {
        let mut backlog = Backlog::default();
        backlog.add(vec![settle(1)]);
        backlog.add_first(vec![settle(2), settle(3)]);
        assert_eq!(taken(&mut backlog, 1), vec![vec![2], vec![1], vec![3]]);
    }
}
