//! The state that a stack must be in before its work record can be frozen.

use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::journal::{Action, Failure, NewIntent};
use atoma_domain::ports::StoreError;
use atoma_domain::{NodeSmallId, StackSmallId, TimestampMs};
use sqlx::sqlite::SqliteRow;

use crate::batch::Batch;
use crate::columns::{Cells, key_set, number};
use crate::work::LATEST_EXPIRY;

/// The stacks whose records intents would freeze, as they are under the write lock.
pub(super) struct LockedStacks(BTreeMap<StackSmallId, Result<LockedStack, Failure>>);

struct LockedStack {
    selected_node_id: NodeSmallId,
    is_claimed: bool,
    is_settled: bool,
    has_record: bool,
    has_messages: bool,
    has_units: bool,
    has_reservations: bool,
    has_reservations_to_end: bool,
}

impl LockedStack {
    fn read(cells: &Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            selected_node_id: NodeSmallId::new(cells.number("selected_node_id")?),
            is_claimed: cells.flag("is_claimed")?,
            is_settled: cells.flag("is_settled")?,
            has_record: cells.flag("has_record")?,
            has_messages: cells.flag("has_messages")?,
            has_units: cells.flag("has_units")?,
            has_reservations: cells.flag("has_reservations")?,
            has_reservations_to_end: cells.flag("has_reservations_to_end")?,
        })
    }
}

impl LockedStacks {
    /// Adds the statement whose rows [`read`](Self::read) takes.
    pub(super) fn select(reads: &mut Batch, intents: &[NewIntent], now: TimestampMs) {
        let stacks = intents.iter().filter_map(|i| i.action.closes_record());
        reads
            .statement(
                "SELECT s.stack_small_id, s.selected_node_id, s.is_claimed, \
                 EXISTS (SELECT 1 FROM settlements t \
                  WHERE t.stack_small_id = s.stack_small_id) AS is_settled, \
                 w.stack_small_id IS NOT NULL AS has_record, \
                 w.merkle_root IS NOT NULL AS has_messages, \
                 coalesce(w.computed_units > $1, FALSE) AS has_units, \
                 EXISTS (SELECT 1 FROM reservations r \
                  WHERE r.stack_small_id = s.stack_small_id AND r.expires_at > $3) \
                 AS has_reservations, \
                 EXISTS (SELECT 1 FROM reservations r \
                  WHERE r.stack_small_id = s.stack_small_id \
                  AND (r.expires_at <= $3 OR r.expires_at > $4)) AS has_reservations_to_end \
                 FROM stacks s LEFT JOIN work_records w \
                 ON w.stack_small_id = s.stack_small_id AND w.node_small_id = s.selected_node_id \
                 WHERE s.stack_small_id IN (SELECT unhex(value) FROM json_each($2))",
            )
            .bind(number(0))
            .bind(key_set(stacks.map(StackSmallId::get)))
            .bind(number(now.get()))
            .bind(number(LATEST_EXPIRY.end(now).get()));
    }

    pub(super) fn read(rows: &[SqliteRow]) -> Result<Self, StoreError> {
        let stacks = rows.iter().map(|row| {
            let cells = Cells::new(row, "stacks", "stack_small_id");
            let id = StackSmallId::new(cells.number("stack_small_id")?);
            let stack = LockedStack::read(&cells).map_err(|error| Failure::Internal {
                reason: format!("stack {id} can't be read: {error}"),
            });
            Ok::<_, StoreError>((id, stack))
        });
        Ok(Self(stacks.collect::<Result<_, _>>()?))
    }

    /// Whether a reservation has expired, or has a lease that is too long to be right.
    pub(super) fn have_reservations_to_end(&self) -> bool {
        let mut readable = self.0.values().flatten();
        readable.any(|stack| stack.has_reservations_to_end)
    }

    /// Which of the records that these actions freeze exist.
    pub(super) fn records<'a>(
        &self,
        actions: impl IntoIterator<Item = &'a Action>,
    ) -> BTreeSet<StackSmallId> {
        actions
            .into_iter()
            .filter_map(Action::closes_record)
            .filter(|id| matches!(self.0.get(id), Some(Ok(stack)) if stack.has_record))
            .collect()
    }

    /// Why an intent can't be opened, if it can't. Only what freezes a record has preconditions here.
    pub(super) fn refusal(&self, intent: &NewIntent) -> Option<Failure> {
        let stack_small_id = intent.action.closes_record()?;
        let stack = match self.0.get(&stack_small_id) {
            Some(Ok(stack)) => stack,
            // It costs only the intents about this stack.
            Some(Err(unreadable)) => return Some(unreadable.clone()),
            None => return Some(Failure::UnknownStack { stack_small_id }),
        };
        // A claim without a settlement proves nothing of what was served: the record says how many
        // units to claim, unless the request takes the number from a ticket.
        let claims_recorded_units = matches!(
            intent.action,
            Action::ClaimConfidentialStack {
                num_claimed_compute_units: None,
                ..
            }
        );
        let is_settlement = matches!(intent.action, Action::SettleStack { .. });
        let selected_node_id = stack.selected_node_id;
        match intent.actor.node() {
            // If it were let through, its failure would thaw the selected node's record.
            Some(node_small_id) if node_small_id != selected_node_id => {
                Some(Failure::NodeNotSelected {
                    stack_small_id,
                    node_small_id,
                    selected_node_id,
                })
            }
            _ if stack.is_claimed => Some(Failure::AlreadyClaimed { stack_small_id }),
            _ if is_settlement && stack.is_settled => {
                Some(Failure::AlreadySettling { stack_small_id })
            }
            _ if (is_settlement && !stack.has_messages)
                || (claims_recorded_units && !stack.has_units) =>
            {
                Some(Failure::StackHasNoMessages { stack_small_id })
            }
            _ if stack.has_reservations => Some(Failure::RequestsInProgress { stack_small_id }),
            _ => None,
        }
    }
}
