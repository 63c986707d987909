//! What keeps a stack from being settled, or claimed without a settlement: read in the transaction
//! that closes its record.

use std::collections::HashMap;

use atoma_domain::journal::{Action, Failure, NewIntent};
use atoma_domain::ports::StoreError;
use atoma_domain::{NodeSmallId, StackSmallId};
use sqlx::SqliteConnection;

use crate::columns::{Cells, key_set, number};
use crate::store::unavailable;

/// How the stacks stand whose records are to be closed.
pub(super) struct Obstacles(HashMap<StackSmallId, Standing>);

/// How a stack stands.
struct Standing {
    selected_node_id: NodeSmallId,
    is_claimed: bool,
    is_settled: bool,
    has_messages: bool,
    has_units: bool,
    has_reservations: bool,
}

impl Obstacles {
    /// Reads how the stacks stand whose records these would close.
    pub(super) async fn load(
        connection: &mut SqliteConnection,
        wanted: &[NewIntent],
    ) -> Result<Self, StoreError> {
        let closed = wanted.iter().filter_map(|w| w.action.closes_record());
        let closed: Vec<u64> = closed.map(StackSmallId::get).collect();
        if closed.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let rows = sqlx::query(
            "SELECT s.stack_small_id, s.selected_node_id, s.is_claimed, \
             EXISTS (SELECT 1 FROM settlements t WHERE t.stack_small_id = s.stack_small_id) \
             AS is_settled, \
             w.merkle_root IS NOT NULL AS has_messages, \
             coalesce(w.computed_units > ?1, 0) AS has_units, \
             EXISTS (SELECT 1 FROM reservations r WHERE r.stack_small_id = s.stack_small_id) \
             AS has_reservations \
             FROM stacks s LEFT JOIN work_records w \
             ON w.stack_small_id = s.stack_small_id AND w.node_small_id = s.selected_node_id \
             WHERE s.stack_small_id IN (SELECT unhex(value) FROM json_each(?2))",
        )
        .bind(number(0))
        .bind(key_set(closed))
        .fetch_all(connection)
        .await
        .map_err(unavailable)?;
        let standings = rows.iter().map(|row| {
            let cells = Cells::new(row, "stacks", "stack_small_id");
            let standing = Standing {
                selected_node_id: NodeSmallId::new(cells.number("selected_node_id")?),
                is_claimed: cells.flag("is_claimed")?,
                is_settled: cells.flag("is_settled")?,
                has_messages: cells.flag("has_messages")?,
                has_units: cells.flag("has_units")?,
                has_reservations: cells.flag("has_reservations")?,
            };
            let id = StackSmallId::new(cells.number("stack_small_id")?);
            Ok::<_, StoreError>((id, standing))
        });
        Ok(Self(standings.collect::<Result<_, _>>()?))
    }

    /// Why an intent can't be opened, if it can't.
    pub(super) fn to(&self, wanted: &NewIntent) -> Option<Failure> {
        let stack_small_id = wanted.action.closes_record()?;
        let Some(standing) = self.0.get(&stack_small_id) else {
            return Some(Failure::UnknownStack { stack_small_id });
        };
        let selected_node_id = standing.selected_node_id;
        // A confidential stack's units are claimed without a proof of what was served; its record
        // tells how many, unless a ticket does.
        let claims_the_record = matches!(
            wanted.action,
            Action::ClaimConfidentialStack {
                num_claimed_compute_units: None,
                ..
            }
        );
        let is_settlement = matches!(wanted.action, Action::SettleStack { .. });
        match wanted.actor.node() {
            // Were it let through, its failure would thaw the selected node's record.
            Some(node_small_id) if node_small_id != selected_node_id => {
                Some(Failure::NodeNotSelected {
                    stack_small_id,
                    node_small_id,
                    selected_node_id,
                })
            }
            _ if standing.is_claimed => Some(Failure::AlreadyClaimed { stack_small_id }),
            _ if is_settlement && standing.is_settled => {
                Some(Failure::AlreadySettling { stack_small_id })
            }
            _ if (is_settlement && !standing.has_messages)
                || (claims_the_record && !standing.has_units) =>
            {
                Some(Failure::StackHasNoMessages { stack_small_id })
            }
            _ if standing.has_reservations => Some(Failure::RequestsInProgress { stack_small_id }),
            _ => None,
        }
    }
}
