//! What requests over several stacks have in common: every stack stands on its own, and every
//! answer says what became of each.

use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::journal::{Failure, IntentStatus, NewIntent, PlannedEntry, RequestEntry};
use atoma_domain::model::{Settlement, Stack};
use atoma_domain::{Digest, Mist, NodeSmallId, StackSmallId, TransactionId};

use super::{Operator, READ_YOUR_WRITES, internal, no_answer};
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

impl StackResult {
    /// What a part of a request comes to while nothing was done.
    const fn undone(
        stack_small_id: StackSmallId,
        node_small_id: Option<NodeSmallId>,
        warnings: Vec<String>,
    ) -> Self {
        Self {
            stack_small_id,
            node_small_id,
            status: StackStatus::Failed,
            tx_digest: None,
            transaction_id: None,
            estimated_gas: None,
            failure: None,
            warnings,
        }
    }
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
    /// The wish as a request's key remembers it.
    fn planned(&self) -> PlannedEntry {
        PlannedEntry {
            stack_small_id: Some(self.stack),
            node_small_id: self.node,
            warnings: self.warnings.clone(),
            refused: self.intent.as_ref().err().cloned(),
        }
    }

    /// What it comes to while nothing was done.
    fn result(&self) -> StackResult {
        StackResult::undone(self.stack, self.node, self.warnings.clone())
    }

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

impl From<IntentStatus> for StackStatus {
    fn from(status: IntentStatus) -> Self {
        match status {
            IntentStatus::Succeeded => Self::Succeeded,
            IntentStatus::Failed => Self::Failed,
            IntentStatus::Queued | IntentStatus::Submitted => Self::Pending,
        }
    }
}

/// A part of an earlier request, to be told of again.
fn recalled_part(entry: RequestEntry) -> Option<(StackResult, Submission)> {
    let stack = entry.stack_small_id?;
    let result = StackResult::undone(stack, entry.node_small_id, entry.warnings);
    Some((result, entry.outcome.into()))
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

    /// Has every wish done that can be, waits, and tells of each in order. `wishes` checks and makes
    /// them; it isn't asked when the request was made before.
    pub(super) async fn run_wishes(
        &self,
        wishes: impl Future<Output = Result<Vec<Wish>, Failure>>,
    ) -> Result<Vec<StackResult>, Failure> {
        if self.dry {
            return Ok(self.rehearse_wishes(wishes.await?).await);
        }
        if let Some(parts) = self.recalled_parts().await? {
            return self.follow(parts).await;
        }
        let wishes = wishes.await?;
        let planned = wishes.iter().map(Wish::planned).collect();
        let (mut parts, mut intents) = (Vec::with_capacity(wishes.len()), Vec::new());
        for wish in wishes {
            let result = wish.result();
            match wish.intent {
                Ok(intent) => {
                    intents.push(intent);
                    parts.push((result, None));
                }
                Err(failure) => parts.push((result, Some(Submission::Refused(failure)))),
            }
        }
        let Some(submitted) = self.submit(intents, planned).await? else {
            let parts = self.recalled_parts().await?;
            return self.follow(parts.ok_or_else(no_answer)?).await;
        };
        let mut submitted = submitted.into_iter();
        let parts = parts
            .into_iter()
            .filter_map(|(result, refused)| Some((result, refused.or_else(|| submitted.next())?)))
            .collect();
        self.follow(parts).await
    }

    /// The parts of this very request, if it was made before under its key.
    async fn recalled_parts(&self) -> Result<Option<Vec<(StackResult, Submission)>>, Failure> {
        let entries = self.recalled().await?;
        Ok(entries.map(|entries| entries.into_iter().filter_map(recalled_part).collect()))
    }

    /// Waits for what was accepted, and tells of each part in order.
    async fn follow(
        &self,
        parts: Vec<(StackResult, Submission)>,
    ) -> Result<Vec<StackResult>, Failure> {
        let ids: Vec<TransactionId> = parts
            .iter()
            .filter_map(|(_, submission)| match submission {
                Submission::Accepted(id) => Some(*id),
                Submission::Refused(_) => None,
            })
            .collect();
        let waited = self.engine.wait(&ids, self.request_timeout).await;
        let mut waited = waited.map_err(internal)?.into_iter();
        let mut results = Vec::with_capacity(parts.len());
        for (mut result, submission) in parts {
            match submission {
                Submission::Accepted(id) => {
                    result.transaction_id = Some(id);
                    result.status = StackStatus::Pending;
                    if let Some(waited) = waited.next() {
                        result.tx_digest = waited.tx_digest;
                        result.failure = waited.failure;
                        result.status = waited.status.into();
                    }
                }
                Submission::Refused(failure) => result.failure = Some(failure),
            }
            results.push(result);
        }
        self.wait_until_applied(&results).await;
        Ok(results)
    }

    /// Rehearses what can be, one by one.
    async fn rehearse_wishes(&self, wishes: Vec<Wish>) -> Vec<StackResult> {
        let mut results = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let mut result = wish.result();
            let rehearsed = match &wish.intent {
                Ok(intent) => self.engine.rehearse(intent).await,
                Err(failure) => Err(failure.clone()),
            };
            match rehearsed {
                Ok(estimated_gas) => {
                    result.status = StackStatus::Succeeded;
                    result.estimated_gas = Some(estimated_gas);
                }
                Err(failure) => result.failure = Some(failure),
            }
            results.push(result);
        }
        results
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
