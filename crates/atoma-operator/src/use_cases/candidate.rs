//! The parts of a request over several stacks, before anything is submitted.

use atoma_domain::journal::{EntryOutcome, Failure, NewIntent, PlannedEntry, RequestEntry};
use atoma_domain::{NodeSmallId, StackSmallId};

/// An intent that a request asks for, or the reason why the use case refuses it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) stack_small_id: StackSmallId,
    pub(super) node_small_id: Option<NodeSmallId>,
    pub(super) intent: Result<NewIntent, Failure>,
    pub(super) warnings: Vec<String>,
}

/// A part of a request: what to remember of it under the request's key, and the intent to submit.
pub(super) type PlannedPart = (PlannedEntry, Option<NewIntent>);

impl Candidate {
    /// A candidate that the use case refuses.
    pub(super) const fn refused(
        stack_small_id: StackSmallId,
        node_small_id: Option<NodeSmallId>,
        failure: Failure,
    ) -> Self {
        Self {
            stack_small_id,
            node_small_id,
            intent: Err(failure),
            warnings: Vec::new(),
        }
    }

    /// Plans the candidate as a part of a new request.
    pub(super) fn plan(self) -> PlannedPart {
        let (intent, refused) = match self.intent {
            Ok(intent) => (Some(intent), None),
            Err(failure) => (None, Some(failure)),
        };
        let entry = PlannedEntry {
            stack_small_id: Some(self.stack_small_id),
            node_small_id: self.node_small_id,
            warnings: self.warnings,
            outcome: refused.map(EntryOutcome::Refused),
        };
        (entry, intent)
    }

    fn is_for(&self, entry: &RequestEntry) -> bool {
        Some(self.stack_small_id) == entry.stack_small_id
            && self.node_small_id == entry.node_small_id
    }
}

/// Plans a part of a repeated request. A part that was refused for a transient reason is planned anew
/// from its candidate, which is removed. Any other part keeps its outcome.
pub(super) fn plan_repeated(entry: &RequestEntry, candidates: &mut Vec<Candidate>) -> PlannedPart {
    if entry.can_be_begun()
        && let Some(place) = candidates.iter().position(|c| c.is_for(entry))
    {
        return candidates.swap_remove(place).plan();
    }
    let known = PlannedEntry {
        stack_small_id: entry.stack_small_id,
        node_small_id: entry.node_small_id,
        warnings: entry.warnings.clone(),
        outcome: Some(entry.outcome.clone()),
    };
    (known, None)
}
