//! Ids of objects that can only be found through other objects.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use atoma_domain::{ObjectId, StackSmallId};

/// Ticket ids kept at most. Each settled stack adds one, so this only bounds memory.
const MAX_TICKETS: usize = 10_000;

/// The ids found so far. An id never changes while its object exists and is never reused.
#[derive(Debug, Default)]
pub(super) struct Cache {
    tickets: Mutex<HashMap<StackSmallId, ObjectId>>,
    tasks: Mutex<HashMap<u64, TaskLocation>>,
}

/// A task's object, the tables inside it, and the length of its subscriber list when last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TaskLocation {
    pub(super) object: ObjectId,
    /// The table of prices by node.
    pub(super) prices: ObjectId,
    /// The table of subscribers by index.
    pub(super) subscribers: ObjectId,
    pub(super) length: u64,
}

impl Cache {
    pub(super) fn ticket(&self, stack: StackSmallId) -> Option<ObjectId> {
        self.tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&stack)
            .copied()
    }

    pub(super) fn set_ticket(&self, stack: StackSmallId, ticket: Option<ObjectId>) {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        match ticket {
            Some(id) => {
                if tickets.len() >= MAX_TICKETS {
                    tickets.clear();
                }
                tickets.insert(stack, id);
            }
            None => {
                tickets.remove(&stack);
            }
        }
    }

    pub(super) fn task(&self, task: u64) -> Option<TaskLocation> {
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&task)
            .copied()
    }

    pub(super) fn set_task(&self, task: u64, location: Option<TaskLocation>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        match location {
            Some(location) => tasks.insert(task, location),
            None => tasks.remove(&task),
        };
    }
}
