//! What requests over several stacks have in common: every stack stands on its own, and every
//! answer says what became of each.

use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::journal::{Failure, IntentStatus, NewIntent};
use atoma_domain::model::{Settlement, Stack};
use atoma_domain::{Digest, Mist, NodeSmallId, StackSmallId, TransactionId};

use super::{Operator, READ_YOUR_WRITES, internal};
use crate::engine::Submission;

/// The most stacks that one request may name.
const MOST_STACKS: usize = 1_000;

/// What became of one stack (and node) of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct StackResult {
    /// The stack.
    pub stack_small_id: StackSmallId,
    /// The node that acted, where one was found.
    pub node_small_id: Option<NodeSmallId>,
    /// What became of it.
    pub status: StackStatus,
    /// The transaction that reached the network, or may have.
    pub tx_digest: Option<Digest>,
    /// Its number in the journal, if it got there.
    pub transaction_id: Option<TransactionId>,
    /// The gas that it would need, in MIST, where it was only rehearsed.
    pub estimated_gas: Option<Mist>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What the operator should see.
    pub warnings: Vec<String>,
}

/// How far one stack of a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackStatus {
    /// It is done.
    Succeeded,
    /// It is not, and won't be.
    Failed,
    /// It is under way.
    Pending,
}

/// One (stack, node) of a request, before anything is sent.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) stack: StackSmallId,
    pub(super) node: Option<NodeSmallId>,
    pub(super) intent: Result<NewIntent, Failure>,
    pub(super) warnings: Vec<String>,
}

impl Wish {
    /// A wish that can't be granted.
    pub(super) const fn refused(
        stack: StackSmallId,
        node: Option<NodeSmallId>,
        failure: Failure,
    ) -> Self {
        Self {
            stack,
            node,
            intent: Err(failure),
            warnings: Vec::new(),
        }
    }
}

/// Refuses a list of stacks that is empty, too long or names one twice.
pub(super) fn check_ids(ids: &[StackSmallId]) -> Result<(), Failure> {
    let invalid = |message: String| Err(Failure::InvalidRequest { message });
    if ids.is_empty() {
        return invalid(String::from("`stack_small_ids` is empty"));
    }
    if ids.len() > MOST_STACKS {
        return invalid(format!(
            "`stack_small_ids` has {} entries, at most {MOST_STACKS} are allowed",
            ids.len()
        ));
    }
    let mut seen = BTreeSet::new();
    match ids.iter().find(|id| !seen.insert(**id)) {
        Some(twice) => invalid(format!("`stack_small_ids` names {twice} twice")),
        None => Ok(()),
    }
}

impl Operator {
    /// The stacks of those ids, once the mirror knows them all; waits as long as it takes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wait_for_stacks(&self, ids: &[StackSmallId]) -> Result<Vec<Stack>, Failure> {
        loop {
            let seen = self.applied.progress();
            let (stacks, _) = self.known_stacks(ids).await?;
            if stacks.len() == ids.len() {
                return Ok(stacks.into_values().collect());
            }
            self.applied.changed_since(&seen).await;
        }
    }

    /// The stacks and settlements of those ids, by id.
    pub(super) async fn known_stacks(
        &self,
        ids: &[StackSmallId],
    ) -> Result<
        (
            BTreeMap<StackSmallId, Stack>,
            BTreeMap<StackSmallId, Settlement>,
        ),
        Failure,
    > {
        let state = &self.ports.state;
        let stacks = state.stacks_by_id(ids).await.map_err(internal)?;
        let settlements = state.settlements_by_id(ids).await.map_err(internal)?;
        Ok((
            stacks
                .into_iter()
                .map(|stack| (stack.stack_small_id, stack))
                .collect(),
            settlements
                .into_iter()
                .map(|settlement| (settlement.stack_small_id, settlement))
                .collect(),
        ))
    }

    /// Has every wish done that can be, waits, and tells of each in order.
    pub(super) async fn run_wishes(&self, wishes: Vec<Wish>) -> Result<Vec<StackResult>, Failure> {
        let mut results = Vec::with_capacity(wishes.len());
        let mut intents = Vec::new();
        let mut places = Vec::new();
        for (place, wish) in wishes.into_iter().enumerate() {
            let mut result = StackResult {
                stack_small_id: wish.stack,
                node_small_id: wish.node,
                status: StackStatus::Failed,
                tx_digest: None,
                transaction_id: None,
                estimated_gas: None,
                failure: None,
                warnings: wish.warnings,
            };
            match wish.intent {
                Ok(intent) => {
                    places.push(place);
                    intents.push(intent);
                }
                Err(failure) => result.failure = Some(failure),
            }
            results.push(result);
        }
        if self.dry {
            self.rehearse_wishes(&mut results, places, &intents).await;
            return Ok(results);
        }
        let submissions = self.engine.submit(intents).await.map_err(internal)?;
        let mut accepted = Vec::new();
        for (place, submission) in places.into_iter().zip(submissions) {
            let Some(result) = results.get_mut(place) else {
                continue;
            };
            match submission {
                Submission::Accepted(id) => {
                    result.transaction_id = Some(id);
                    accepted.push((place, id));
                }
                Submission::Refused(failure) => result.failure = Some(failure),
            }
        }
        let ids: Vec<_> = accepted.iter().map(|(_, id)| *id).collect();
        let waited = self
            .engine
            .wait(&ids, self.request_timeout)
            .await
            .map_err(internal)?;
        for ((place, _), waited) in accepted.into_iter().zip(waited) {
            let Some(result) = results.get_mut(place) else {
                continue;
            };
            result.tx_digest = waited.tx_digest;
            result.failure = waited.failure;
            result.status = match waited.status {
                IntentStatus::Succeeded => StackStatus::Succeeded,
                IntentStatus::Failed => StackStatus::Failed,
                IntentStatus::Queued | IntentStatus::Submitted => StackStatus::Pending,
            };
        }
        self.wait_until_applied(&results).await;
        Ok(results)
    }

    /// Rehearses the intents one by one, each into its place.
    async fn rehearse_wishes(
        &self,
        results: &mut [StackResult],
        places: Vec<usize>,
        intents: &[NewIntent],
    ) {
        for (place, intent) in places.into_iter().zip(intents) {
            let rehearsed = self.engine.rehearse(intent).await;
            let Some(result) = results.get_mut(place) else {
                continue;
            };
            match rehearsed {
                Ok(estimated_gas) => {
                    result.status = StackStatus::Succeeded;
                    result.estimated_gas = Some(estimated_gas);
                }
                Err(failure) => result.failure = Some(failure),
            }
        }
    }

    /// Waits until the mirror shows what was done, all in all no longer than for one.
    async fn wait_until_applied(&self, results: &[StackResult]) {
        let done: BTreeSet<Digest> = results
            .iter()
            .filter(|result| result.status == StackStatus::Succeeded)
            .filter_map(|result| result.tx_digest)
            .collect();
        let all = async {
            for digest in done {
                self.applied.wait_for(digest, READ_YOUR_WRITES).await;
            }
        };
        // Late is no failure: the answer is right, only the mirror lags.
        let _ = tokio::time::timeout(READ_YOUR_WRITES, all).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: impl IntoIterator<Item = u64>) -> Vec<StackSmallId> {
        ids.into_iter().map(StackSmallId::new).collect()
    }

    #[test]
    fn lists_of_stacks_are_bounded_and_without_repeats() {
        assert!(check_ids(&ids([])).is_err());
        assert!(check_ids(&ids([3, 1, 2])).is_ok());
        assert!(check_ids(&ids([3, 1, 3])).is_err());
        assert!(check_ids(&ids(0..1_000)).is_ok());
        assert!(check_ids(&ids(0..1_001)).is_err());
    }
}
