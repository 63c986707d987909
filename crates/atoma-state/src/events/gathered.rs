//! Events that are written many at a time: those of stacks, which are most of all.
//!
//! Each kind is one statement over a JSON array, and the kinds are written in the order of a stack's life. What the ledger
//! has in another order for one stack, the caller writes before it goes on, so the mirror never depends on how
//! the ledger is cut into batches.

use std::collections::{BTreeMap, HashMap};

use atoma_domain::events::{
    ContractEvent, StackCreated, StackSettlementTicketClaimed, StackTrySettle,
};
use atoma_domain::model::StackSums;
use atoma_domain::ports::{LedgerTransaction, StoreError};
use atoma_domain::{ComputeUnits, MicroUsdc, NodeSmallId, StackSmallId};
use sqlx::SqliteConnection;

use crate::claimed_sums;
use crate::columns::{Cells, JsonRows, key_set, number, numbers};
use crate::error::statement_failed;

/// How many events a statement has at the most: one transaction can have hundreds.
const MOST: usize = 4_096;

/// The order in which kinds are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Bought,
    Settled,
    Attested,
    Claimed,
}

/// Events that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    events: usize,
    /// The last stage of each stack.
    stages: HashMap<StackSmallId, Stage>,
    bought: JsonRows,
    settled: JsonRows,
    attested: JsonRows,
    paid_tickets: JsonRows,
    /// The claimed stacks, and the units that were paid.
    claimed: BTreeMap<StackSmallId, Option<ComputeUnits>>,
}

impl Gathered {
    /// Whether this event can be taken with those before it. If not, they must be written first.
    pub(super) fn has_room_for(&self, event: &ContractEvent) -> bool {
        let Some((stack, stage)) = stage(event) else {
            return self.events == 0 || is_repetition(event);
        };
        let follows = self.stages.get(&stack).is_none_or(|last| match stage {
            // The last of two would win.
            Stage::Claimed => *last < stage,
            _ => *last <= stage,
        });
        follows && self.events < MOST
    }

    /// Takes the event with that index in its transaction; false if it is of another kind.
    pub(super) fn take(
        &mut self,
        transaction: &LedgerTransaction,
        index: usize,
        event: &ContractEvent,
    ) -> bool {
        match event {
            ContractEvent::StackCreated(event) => self.bought(event),
            ContractEvent::StackTrySettle(event) => self.settled(transaction, event),
            ContractEvent::NewStackSettlementAttestation(event) => {
                let (stack, node) = (event.stack_small_id, event.attestation_node_id);
                self.attested(transaction, index, stack, node);
            }
            ContractEvent::StackSettlementTicketClaimed(event) => self.ticket_claimed(event),
            // Of a confidential task: there is no ticket, only the stack is marked.
            ContractEvent::ClaimedStack(event) => {
                self.claimed(event.stack_small_id, event.num_claimed_compute_units);
            }
            other => return is_repetition(other),
        }
        if let Some((stack, stage)) = stage(event) {
            self.stages.insert(stack, stage);
        }
        self.events += 1;
        true
    }

    /// Takes a stack that was bought. One that was [taken early](atoma_domain::ports::ChainEvents::apply_early) is there
    /// already.
    pub(super) fn bought(&mut self, event: &StackCreated) {
        self.bought
            .row()
            .bytes(&number(event.stack_small_id.get()))
            .bytes(event.stack_id.as_bytes())
            .bytes(event.owner.as_bytes())
            .bytes(&number(event.task_small_id.get()))
            .bytes(&number(event.selected_node_id.get()))
            .bytes(&number(event.num_compute_units.get()))
            .bytes(&number(event.price_per_one_million_compute_units.get()));
    }

    /// Takes a ticket that was opened. It can be claimed from the epoch after the settling transaction's on; the event
    /// doesn't carry it.
    fn settled(&mut self, transaction: &LedgerTransaction, event: &StackTrySettle) {
        let requested = event.requested_attestation_nodes.iter();
        self.settled
            .row()
            .bytes(&number(event.stack_small_id.get()))
            .bytes(&number(event.selected_node_id.get()))
            .bytes(&number(event.num_claimed_compute_units.get()))
            .bytes(&number(transaction.timestamp.get()))
            .bytes(&number(transaction.epoch.next().get()))
            .bytes(&numbers(requested.map(|node| node.get())))
            .bytes(&event.committed_stack_proof.0)
            .bytes(&event.stack_merkle_leaf.0)
            .bytes(&number(MicroUsdc::ZERO.get()));
    }

    /// Takes an attestation. The key is the event, not the node: the contract counts a node's second attestation too.
    pub(super) fn attested(
        &mut self,
        transaction: &LedgerTransaction,
        index: usize,
        stack: StackSmallId,
        node: NodeSmallId,
    ) {
        self.attested
            .row()
            .bytes(&number(stack.get()))
            .bytes(&number(node.get()))
            .bytes(transaction.digest.as_bytes())
            .index(index);
    }

    fn ticket_claimed(&mut self, event: &StackSettlementTicketClaimed) {
        self.paid_tickets
            .row()
            .bytes(&number(event.stack_small_id.get()))
            .bytes(&number(event.user_refund_amount.get()));
        self.claimed(event.stack_small_id, event.num_claimed_compute_units);
    }

    fn claimed(&mut self, stack: StackSmallId, paid: ComputeUnits) {
        self.claimed.insert(stack, Some(paid));
    }

    /// Writes all that was taken, and is empty afterwards.
    pub(super) async fn write(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        let gathered = std::mem::take(self);
        for (rows, statement) in [
            (
                gathered.bought,
                "INSERT INTO stacks (stack_small_id, stack_id, owner_address, task_small_id, \
                 selected_node_id, num_compute_units, price_per_one_million_compute_units) \
                 SELECT unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), \
                 unhex(value ->> 3), unhex(value ->> 4), unhex(value ->> 5), unhex(value ->> 6) \
                 FROM json_each($1) WHERE TRUE ON CONFLICT DO NOTHING",
            ),
            (
                gathered.settled,
                "INSERT INTO settlements (stack_small_id, selected_node_id, \
                 num_claimed_compute_units, settled_at, dispute_settled_at_epoch, \
                 requested_attestation_nodes, committed_stack_proof, stack_merkle_leaf, \
                 user_refund_amount) \
                 SELECT unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), \
                 unhex(value ->> 3), unhex(value ->> 4), unhex(value ->> 5), unhex(value ->> 6), \
                 unhex(value ->> 7), unhex(value ->> 8) \
                 FROM json_each($1) WHERE TRUE ON CONFLICT DO NOTHING",
            ),
            (
                gathered.attested,
                // Their sequence is the ledger's.
                "INSERT INTO attestations (stack_small_id, node_small_id, transaction_digest, \
                 event_index) \
                 SELECT unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), value ->> 3 \
                 FROM json_each($1) WHERE TRUE ORDER BY key ON CONFLICT DO NOTHING",
            ),
            (
                gathered.paid_tickets,
                "UPDATE settlements SET is_claimed = 1, user_refund_amount = unhex(paid.value ->> 1) \
                 FROM json_each($1) paid WHERE stack_small_id = unhex(paid.value ->> 0)",
            ),
        ] {
            if let Some(json) = rows.finish() {
                sqlx::query(statement)
                    .bind(json)
                    .execute(&mut *connection)
                    .await
                    .map_err(statement_failed)?;
            }
        }
        mark_claimed(connection, &gathered.claimed).await
    }
}

/// The stack that the event is about, and its stage.
const fn stage(event: &ContractEvent) -> Option<(StackSmallId, Stage)> {
    match event {
        ContractEvent::StackCreated(event) => Some((event.stack_small_id, Stage::Bought)),
        ContractEvent::StackTrySettle(event) => Some((event.stack_small_id, Stage::Settled)),
        ContractEvent::NewStackSettlementAttestation(event) => {
            Some((event.stack_small_id, Stage::Attested))
        }
        ContractEvent::StackSettlementTicketClaimed(event) => {
            Some((event.stack_small_id, Stage::Claimed))
        }
        ContractEvent::ClaimedStack(event) => Some((event.stack_small_id, Stage::Claimed)),
        _ => None,
    }
}

/// Whether the event only repeats what the attestations said. Its epoch is that of the last attestation, not the
/// ticket's.
const fn is_repetition(event: &ContractEvent) -> bool {
    matches!(event, ContractEvent::StackSettlementTicket(_))
}

/// Marks stacks as claimed, and adds them to their nodes' sums with the units that were paid, if that is known. A stack older than the mirror has no row.
pub(crate) async fn mark_claimed(
    connection: &mut SqliteConnection,
    claimed: &BTreeMap<StackSmallId, Option<ComputeUnits>>,
) -> Result<(), StoreError> {
    if claimed.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query(
        "UPDATE stacks SET is_claimed = 1 \
         WHERE stack_small_id IN (SELECT unhex(value) FROM json_each($1)) AND is_claimed = 0 \
         RETURNING stack_small_id, selected_node_id, price_per_one_million_compute_units, \
         (SELECT w.computed_units FROM work_records w \
          WHERE w.stack_small_id = stacks.stack_small_id \
          AND w.node_small_id = stacks.selected_node_id) AS computed_units, \
         (SELECT t.security_level FROM tasks t WHERE t.task_small_id = stacks.task_small_id) \
         AS security_level",
    )
    .bind(key_set(claimed.keys().map(|stack| stack.get())))
    .fetch_all(&mut *connection)
    .await
    .map_err(statement_failed)?;
    let mut sums: BTreeMap<NodeSmallId, StackSums> = BTreeMap::new();
    for row in &rows {
        let cells = Cells::new(row, "stacks", "stack_small_id");
        let stack = StackSmallId::new(cells.number("stack_small_id")?);
        let node = NodeSmallId::new(cells.number("selected_node_id")?);
        let paid = claimed.get(&stack).copied().flatten();
        let of_node = sums.entry(node).or_default();
        *of_node = of_node.plus(claimed_sums::of_stack(&cells, paid)?);
    }
    for (node, sums) in sums {
        claimed_sums::add(connection, node, sums).await?;
    }
    Ok(())
}
