//! The stacks that a request names, and what the mirror knows about them.

use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::journal::Failure;
use atoma_domain::model::{Settlement, Stack, Task};
use atoma_domain::ports::StackSnapshot;
use atoma_domain::{StackSmallId, TaskSmallId};

use super::operator::Operator;
use crate::causes::internal;

/// The most stacks that one request may name.
pub const MOST_STACKS: usize = 1_000;

/// What the mirror knew about the stacks of a request at one moment, by id.
#[derive(Debug)]
pub(super) struct KnownStacks {
    pub(super) stacks: BTreeMap<StackSmallId, Stack>,
    pub(super) settlements: BTreeMap<StackSmallId, Settlement>,
    /// The tasks of the stacks.
    tasks: BTreeMap<TaskSmallId, Task>,
}

impl KnownStacks {
    /// The settlement of a stack.
    ///
    /// # Errors
    /// [`Failure::NotSettled`], or [`Failure::UnknownStack`] when the stack is unknown too.
    pub(super) fn settlement(&self, stack_small_id: StackSmallId) -> Result<&Settlement, Failure> {
        self.settlements.get(&stack_small_id).ok_or_else(|| {
            if self.stacks.contains_key(&stack_small_id) {
                Failure::NotSettled { stack_small_id }
            } else {
                Failure::UnknownStack { stack_small_id }
            }
        })
    }

    /// The task of one of the stacks, if the mirror has it.
    pub(super) fn task_of(&self, stack: &Stack) -> Option<&Task> {
        self.tasks.get(&stack.task_small_id)
    }
}

impl Operator {
    /// Waits until the mirror knows all these stacks, without a time limit, and returns them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wait_for_stacks(&self, ids: &[StackSmallId]) -> Result<Vec<Stack>, Failure> {
        loop {
            let seen = self.applied.progress();
            let KnownStacks { stacks, .. } = self.known_stacks(ids).await?;
            if stacks.len() == ids.len() {
                return Ok(stacks.into_values().collect());
            }
            self.applied.changed_since(&seen).await;
        }
    }

    /// What the mirror knows about these stacks.
    pub(super) async fn known_stacks(&self, ids: &[StackSmallId]) -> Result<KnownStacks, Failure> {
        let StackSnapshot {
            stacks,
            settlements,
            tasks,
        } = self.ports.state.snapshot_of(ids).await.map_err(internal)?;
        Ok(KnownStacks {
            tasks: tasks
                .into_iter()
                .map(|task| (task.task_small_id, task))
                .collect(),
            stacks: stacks
                .into_iter()
                .map(|stack| (stack.stack_small_id, stack))
                .collect(),
            settlements: settlements
                .into_iter()
                .map(|settlement| (settlement.stack_small_id, settlement))
                .collect(),
        })
    }
}

/// Refuses a list of stacks that is empty, is too long or names a stack twice.
pub(super) fn check_ids(ids: &[StackSmallId]) -> Result<(), Failure> {
    let invalid = |message: String| Err(Failure::InvalidRequest { message });
    if ids.is_empty() {
        return invalid(String::from(
            "`stack_small_ids` is empty. Name at least one stack.",
        ));
    }
    if ids.len() > MOST_STACKS {
        return invalid(format!(
            "`stack_small_ids` names {} stacks, more than {MOST_STACKS}. Split it into several requests.",
            ids.len()
        ));
    }
    let mut seen = BTreeSet::new();
    match ids.iter().find(|id| !seen.insert(**id)) {
        Some(twice) => invalid(format!(
            "`stack_small_ids` names stack {twice} twice. Name each stack once."
        )),
        None => Ok(()),
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
