//! What of the ledger goes into the books: what concerns the operator's nodes.
//!
//! Whether a transaction does is decided in memory, by the events' own fields, except for attestations by others: their
//! event doesn't name the selected node, so the mirrored stack does.

use std::collections::BTreeMap;

use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{LedgerTransaction, StoreError};
use atoma_domain::{Address, ComputeUnits, MicroUsdc, NodeSmallId, ObjectId, StackSmallId};
use sqlx::SqliteConnection;

use crate::columns::{Cells, JsonRows, json, number, numbers};
use crate::error::statement_failed;

/// What goes into the books of the transactions that are applied.
#[derive(Debug)]
pub(super) struct Booked {
    operator: Address,
    /// The operator's nodes, with their badges.
    own: BTreeMap<NodeSmallId, ObjectId>,
    transactions: JsonRows,
    entries: JsonRows,
    /// Attestations by others, perhaps of a stack of the operator's nodes.
    attested_by_others: JsonRows,
}

/// A row of `book_entries`.
#[derive(Debug)]
struct Entry<'e> {
    kind: &'static str,
    node: NodeSmallId,
    stack: Option<StackSmallId>,
    units: Option<ComputeUnits>,
    refund: Option<MicroUsdc>,
    attesters: Option<&'e [NodeSmallId]>,
}

impl Entry<'_> {
    const fn of(kind: &'static str, node: NodeSmallId, stack: Option<StackSmallId>) -> Self {
        Self {
            kind,
            node,
            stack,
            units: None,
            refund: None,
            attesters: None,
        }
    }
}

/// How an event concerns the operator.
enum Concern<'e> {
    Yes(Entry<'e>),
    /// If the stack is one of its nodes'.
    Perhaps(Entry<'e>),
    /// It moves money of others.
    OfOthers,
    No,
}

impl Booked {
    /// Nothing yet.
    pub(super) async fn of(
        connection: &mut SqliteConnection,
        operator: Address,
    ) -> Result<Self, StoreError> {
        let rows = sqlx::query(
            "SELECT node_small_id, node_badge_id FROM operator_nodes WHERE address = $1",
        )
        .bind(operator.as_bytes())
        .fetch_all(connection)
        .await
        .map_err(statement_failed)?;
        let own = rows.iter().map(|row| {
            let cells = Cells::new(row, "operator_nodes", "node_small_id");
            let node = NodeSmallId::new(cells.number("node_small_id")?);
            Ok((node, cells.object_id("node_badge_id")?))
        });
        Ok(Self {
            operator,
            own: own.collect::<Result<_, StoreError>>()?,
            transactions: JsonRows::default(),
            entries: JsonRows::default(),
            attested_by_others: JsonRows::default(),
        })
    }

    /// Takes what of the transaction concerns the operator.
    pub(super) fn take(&mut self, transaction: &LedgerTransaction) {
        let (mut concerns, mut has_others) = (false, !transaction.set_aside.is_empty());
        for (index, event) in transaction.events.iter().enumerate() {
            if let ContractEvent::NodeRegistered(event) = event
                && transaction.sender == self.operator
            {
                self.own.insert(event.node_small_id, event.badge_id);
            }
            match self.concern(transaction, event) {
                Concern::Yes(entry) => {
                    add(&mut self.entries, transaction, index, &entry);
                    concerns = true;
                }
                Concern::Perhaps(entry) => {
                    add(&mut self.attested_by_others, transaction, index, &entry);
                    concerns = true;
                }
                Concern::OfOthers => has_others = true,
                Concern::No => {}
            }
        }
        for (index, node) in self.withdrawing(transaction).into_iter().enumerate() {
            let entry = Entry::of("withdrawn", node, None);
            add(&mut self.entries, transaction, index, &entry);
            concerns = true;
        }
        if concerns {
            self.add_transaction(transaction, has_others);
        }
    }

    fn concern<'e>(
        &self,
        transaction: &LedgerTransaction,
        event: &'e ContractEvent,
    ) -> Concern<'e> {
        let is_own = |node: &NodeSmallId| self.own.contains_key(node);
        let (concerns, entry) = match event {
            ContractEvent::NodeRegistered(event) => (
                transaction.sender == self.operator,
                Entry::of("registered", event.node_small_id, None),
            ),
            ContractEvent::StackCreated(event) => {
                if !is_own(&event.selected_node_id) {
                    return Concern::OfOthers;
                }
                let stack = Some(event.stack_small_id);
                (true, Entry::of("bought", event.selected_node_id, stack))
            }
            ContractEvent::StackTrySettle(event) => {
                let node = event.selected_node_id;
                let drawn = event.requested_attestation_nodes.iter().any(is_own);
                let entry = Entry {
                    units: Some(event.num_claimed_compute_units),
                    ..Entry::of("settled", node, Some(event.stack_small_id))
                };
                (is_own(&node) || drawn, entry)
            }
            ContractEvent::NewStackSettlementAttestation(event) => {
                let node = event.attestation_node_id;
                let entry = Entry::of("attested", node, Some(event.stack_small_id));
                if !is_own(&node) {
                    return Concern::Perhaps(entry);
                }
                (true, entry)
            }
            ContractEvent::StackAttestationDispute(event) => {
                let node = event.attestation_node_id;
                let concerns = is_own(&node) || is_own(&event.original_node_id);
                (
                    concerns,
                    Entry::of("disputed", node, Some(event.stack_small_id)),
                )
            }
            ContractEvent::StackSettlementTicketClaimed(event) => {
                let node = event.selected_node_id;
                let drawn = event.attestation_nodes.iter().any(is_own);
                if !is_own(&node) && !drawn {
                    return Concern::OfOthers;
                }
                let entry = Entry {
                    units: Some(event.num_claimed_compute_units),
                    refund: Some(event.user_refund_amount),
                    attesters: Some(&event.attestation_nodes),
                    ..Entry::of("claimed", node, Some(event.stack_small_id))
                };
                (true, entry)
            }
            ContractEvent::ClaimedStack(event) => {
                let node = event.selected_node_id;
                if !is_own(&node) {
                    return Concern::OfOthers;
                }
                let entry = Entry {
                    units: Some(event.num_claimed_compute_units),
                    refund: Some(event.user_refund_amount),
                    attesters: Some(&[]),
                    ..Entry::of("claimed", node, Some(event.stack_small_id))
                };
                (true, entry)
            }
            _ => return Concern::No,
        };
        match concerns {
            true => Concern::Yes(entry),
            false => Concern::No,
        }
    }

    /// The nodes that withdraw their shares without an event: the operator's, whose badges the transaction used and which
    /// were paid something.
    fn withdrawing(&self, transaction: &LedgerTransaction) -> Vec<NodeSmallId> {
        let is_silent = transaction.events.is_empty() && transaction.set_aside.is_empty();
        let changes = transaction.balance_changes.iter().flatten();
        let is_paid = changes
            .filter(|change| change.address == self.operator)
            .any(|change| change.amount > 0);
        if !is_silent || transaction.sender != self.operator || !is_paid {
            return Vec::new();
        }
        let used = self.own.iter();
        used.filter(|(_, badge)| transaction.unexplained.contains(badge))
            .map(|(node, _)| *node)
            .collect()
    }

    fn add_transaction(&mut self, transaction: &LedgerTransaction, has_others: bool) {
        let mut changes: BTreeMap<String, i128> = BTreeMap::new();
        for change in transaction.balance_changes.iter().flatten() {
            let sum = changes.entry(change.address.to_string()).or_default();
            *sum = sum.saturating_add(change.amount);
        }
        let changes: BTreeMap<_, _> = changes
            .into_iter()
            .map(|(address, amount)| (address, amount.to_string()))
            .collect();
        let changes = transaction
            .balance_changes
            .as_ref()
            // Text and numbers are always JSON.
            .and_then(|_| json("balance changes", &changes).ok());
        let version = transaction.contract_version.map(number);
        self.transactions
            .row()
            .bytes(transaction.digest.as_bytes())
            .bytes(&number(transaction.timestamp.get()))
            .bytes(&number(transaction.epoch.get()))
            .optional_bytes(version.as_deref())
            .bytes(transaction.sender.as_bytes())
            .index(usize::from(has_others))
            .optional_bytes(changes.as_deref().map(str::as_bytes));
    }

    /// Writes all that was taken.
    pub(super) async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        for (rows, statement) in [
            (
                self.entries,
                "INSERT INTO book_entries (transaction_digest, event_index, kind, node_small_id, \
                 stack_small_id, num_compute_units, user_refund_amount, attestation_nodes) \
                 SELECT unhex(value ->> 0), value ->> 1, CAST(unhex(value ->> 2) AS TEXT), \
                 unhex(value ->> 3), unhex(value ->> 4), unhex(value ->> 5), unhex(value ->> 6), \
                 unhex(value ->> 7) \
                 FROM json_each($1) WHERE $2 IS NOT NULL ON CONFLICT DO NOTHING",
            ),
            (
                self.attested_by_others,
                "INSERT INTO book_entries (transaction_digest, event_index, kind, node_small_id, \
                 stack_small_id) \
                 SELECT unhex(value ->> 0), value ->> 1, CAST(unhex(value ->> 2) AS TEXT), \
                 unhex(value ->> 3), unhex(value ->> 4) FROM json_each($1) \
                 WHERE EXISTS (SELECT 1 FROM stacks s \
                 JOIN operator_nodes o ON o.node_small_id = s.selected_node_id \
                 WHERE s.stack_small_id = unhex(value ->> 4) AND o.address = $2) \
                 ON CONFLICT DO NOTHING",
            ),
            (
                self.transactions,
                // Their numbers follow the ledger.
                "INSERT INTO book_transactions (transaction_digest, emitted_at, epoch, \
                 contract_version, sender, has_others, balance_changes) \
                 SELECT unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), \
                 unhex(value ->> 3), unhex(value ->> 4), value ->> 5, \
                 CAST(unhex(value ->> 6) AS TEXT) FROM json_each($1) \
                 WHERE $2 IS NOT NULL AND EXISTS (SELECT 1 FROM book_entries e \
                 WHERE e.transaction_digest = unhex(value ->> 0)) \
                 ORDER BY key ON CONFLICT DO NOTHING",
            ),
        ] {
            if let Some(json) = rows.finish() {
                sqlx::query(statement)
                    .bind(json)
                    .bind(self.operator.as_bytes())
                    .execute(&mut *connection)
                    .await
                    .map_err(statement_failed)?;
            }
        }
        Ok(())
    }
}

fn add(rows: &mut JsonRows, transaction: &LedgerTransaction, index: usize, entry: &Entry<'_>) {
    let stack = entry.stack.map(|stack| number(stack.get()));
    let units = entry.units.map(|units| number(units.get()));
    let refund = entry.refund.map(|refund| number(refund.get()));
    let attesters = entry.attesters;
    let attesters = attesters.map(|nodes| numbers(nodes.iter().map(|node| node.get())));
    rows.row()
        .bytes(transaction.digest.as_bytes())
        .index(index)
        .bytes(entry.kind.as_bytes())
        .bytes(&number(entry.node.get()))
        .optional_bytes(stack.as_deref())
        .optional_bytes(units.as_deref())
        .optional_bytes(refund.as_deref())
        .optional_bytes(attesters.as_deref());
}
