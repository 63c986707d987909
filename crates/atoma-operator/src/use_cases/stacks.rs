//! What requests over several stacks have in common: every stack stands on its own, and every
//! answer says what became of each.

use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::journal::{
    EntryOutcome, Failure, IntentStatus, NewIntent, PlannedEntry, RequestEntry,
};
use atoma_domain::model::{Settlement, Stack};
use atoma_domain::{Digest, IntentId, Mist, NodeSmallId, StackSmallId};

use super::{Operator, internal, no_answer};
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
    pub transaction_id: Option<IntentId>,
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
    /// The wish as a request's key remembers it, and what is to be opened for it.
    fn planned(self) -> (PlannedEntry, Option<NewIntent>) {
        let (intent, refused) = match self.intent {
            Ok(intent) => (Some(intent), None),
            Err(failure) => (None, Some(failure)),
        };
        let entry = PlannedEntry {
            stack_small_id: Some(self.stack),
            node_small_id: self.node,
            warnings: self.warnings,
            outcome: refused.map(EntryOutcome::Refused),
        };
        (entry, intent)
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

/// A part of a request, with what became of the wish to begin it.
type Part = (StackResult, Submission);

/// The parts of an earlier request, to be told of again.
fn recalled_parts(entries: Vec<RequestEntry>) -> Vec<Part> {
    let parts = entries.into_iter().filter_map(|entry| {
        let stack = entry.stack_small_id?;
        let result = StackResult::undone(stack, entry.node_small_id, entry.warnings);
        Some((result, entry.outcome.into()))
    });
    parts.collect()
}

/// A part of an earlier request as it is to be remembered now, and what is to be opened for it:
/// what was refused for a reason that has passed is wished for again.
fn taken_up(entry: &RequestEntry, wishes: &mut Vec<Wish>) -> (PlannedEntry, Option<NewIntent>) {
    let is_its =
        |wish: &Wish| Some(wish.stack) == entry.stack_small_id && wish.node == entry.node_small_id;
    if entry.can_be_begun()
        && let Some(place) = wishes.iter().position(is_its)
    {
        return wishes.swap_remove(place).planned();
    }
    let known = PlannedEntry {
        stack_small_id: entry.stack_small_id,
        node_small_id: entry.node_small_id,
        warnings: entry.warnings.clone(),
        outcome: Some(entry.outcome.clone()),
    };
    (known, None)
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
    /// them; it isn't asked when the request was made before and all its parts were begun.
    pub(super) async fn run_wishes(
        &self,
        wishes: impl Future<Output = Result<Vec<Wish>, Failure>>,
    ) -> Result<Vec<StackResult>, Failure> {
        let wishes = async {
            self.check_start().await?;
            wishes.await
        };
        if self.dry {
            return Ok(self.rehearse_wishes(wishes.await?).await);
        }
        let known = self.recalled().await?;
        let parts = match known {
            Some(known) if !known.iter().any(RequestEntry::can_be_begun) => recalled_parts(known),
            Some(known) => match wishes.await {
                Ok(wishes) => self.begin_all(wishes, Some(known)).await?,
                // What was begun is told of all the same.
                Err(_) => recalled_parts(known),
            },
            None => self.begin_all(wishes.await?, None).await?,
        };
        Ok(self.follow(parts).await)
    }

    /// Has every wish begun that can be; of a request that is `known`, only what is not begun yet.
    async fn begin_all(
        &self,
        mut wishes: Vec<Wish>,
        known: Option<Vec<RequestEntry>>,
    ) -> Result<Vec<Part>, Failure> {
        let planned: Vec<_> = match &known {
            Some(known) => {
                let entries = known.iter();
                entries.map(|entry| taken_up(entry, &mut wishes)).collect()
            }
            None => wishes.into_iter().map(Wish::planned).collect(),
        };
        let (entries, intents): (Vec<_>, Vec<_>) = planned.into_iter().unzip();
        let intents = intents.into_iter().flatten().collect();
        let Some(submitted) = self.submit(intents, known, entries.clone()).await? else {
            let known = self.recalled().await?;
            return known.map(recalled_parts).ok_or_else(no_answer);
        };
        let mut submitted = submitted.into_iter();
        let parts = entries.into_iter().filter_map(|entry| {
            let stack = entry.stack_small_id?;
            let result = StackResult::undone(stack, entry.node_small_id, entry.warnings);
            let outcome = entry.outcome.map(Submission::from);
            Some((result, outcome.or_else(|| submitted.next())?))
        });
        Ok(parts.collect())
    }

    /// Waits for what was accepted, and tells of each part in order.
    async fn follow(&self, parts: Vec<Part>) -> Vec<StackResult> {
        let ids: Vec<IntentId> = parts
            .iter()
            .filter_map(|(_, submission)| match submission {
                Submission::Accepted(id) => Some(*id),
                Submission::Refused(_) => None,
            })
            .collect();
        let waited = self.engine.wait(&ids, self.request_timeout).await;
        let mut waited = waited.into_iter();
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
        let done: BTreeSet<Digest> = results
            .iter()
            .filter(|result| result.status == StackStatus::Succeeded)
            .filter_map(|result| result.tx_digest)
            .collect();
        self.wait_until_applied(done.into_iter()).await;
        results
    }

    /// Rehearses what can be.
    async fn rehearse_wishes(&self, wishes: Vec<Wish>) -> Vec<StackResult> {
        let (mut parts, mut intents) = (Vec::with_capacity(wishes.len()), Vec::new());
        for wish in wishes {
            let result = StackResult::undone(wish.stack, wish.node, wish.warnings);
            let refused = wish.intent.map(|intent| intents.push(intent)).err();
            parts.push((result, refused));
        }
        let rehearsed = self.engine.rehearse(intents, self.request_timeout).await;
        let mut rehearsed = rehearsed.into_iter();
        let results = parts.into_iter().map(|(mut result, refused)| {
            let outcome = match refused {
                Some(failure) => Err(failure),
                None => rehearsed.next().unwrap_or_else(|| Err(no_answer())),
            };
            match outcome {
                Ok(estimated_gas) => {
                    result.status = StackStatus::Succeeded;
                    result.estimated_gas = Some(estimated_gas);
                }
                Err(failure) => result.failure = Some(failure),
            }
            result
        });
        results.collect()
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
