//! Rows of the books.

use std::collections::BTreeMap;

use atoma_domain::books::{BookEntry, BookedClaim, BookedTransaction, StackTerms};
use atoma_domain::ports::StoreError;
use atoma_domain::{
    Address, ComputeUnits, Digest, Epoch, MicroUsdc, NodeSmallId, PricePerMillion, SecurityLevel,
    StackSmallId, TaskSmallId, TimestampMs,
};
use sqlx::sqlite::SqliteRow;

use crate::columns::Cells;

/// A transaction, without its entries.
pub(super) fn transaction(row: &SqliteRow) -> Result<BookedTransaction, StoreError> {
    let cells = Cells::new(row, "book_transactions", "sequence");
    let changes: Option<BTreeMap<Address, String>> = cells.optional_json("balance_changes")?;
    let changes = changes.map(|changes| {
        let changes = changes.into_iter().map(|(address, amount)| {
            let amount = amount.parse::<i128>();
            let amount = amount.map_err(|error| cells.corrupt("balance_changes", error))?;
            Ok((address, amount))
        });
        changes.collect::<Result<BTreeMap<_, _>, StoreError>>()
    });
    Ok(BookedTransaction {
        sequence: cells.row_number("sequence")?,
        digest: cells.digest("transaction_digest")?,
        timestamp: TimestampMs::new(cells.number("emitted_at")?),
        epoch: Epoch::new(cells.number("epoch")?),
        contract_version: cells.optional_number("contract_version")?,
        sender: cells.object_id("sender")?,
        has_others: cells.flag("has_others")?,
        balance_changes: changes.transpose()?,
        entries: Vec::new(),
    })
}

/// An entry, and its transaction.
pub(super) fn entry(row: &SqliteRow) -> Result<(Digest, BookEntry), StoreError> {
    let cells = Cells::new(row, "book_entries", "event_index");
    let node = NodeSmallId::new(cells.number("node_small_id")?);
    let stack = || cells.number("stack_small_id").map(StackSmallId::new);
    let units = || cells.number("num_compute_units").map(ComputeUnits::new);
    let nodes = |column| -> Result<Vec<NodeSmallId>, StoreError> {
        let nodes = cells.numbers(column)?;
        Ok(nodes.into_iter().map(NodeSmallId::new).collect())
    };
    let entry = match cells.text("kind")? {
        "registered" => BookEntry::Registered { node },
        "withdrawn" => BookEntry::Withdrawn { node },
        "bought" => BookEntry::Bought {
            stack: stack()?,
            node,
            terms: terms(&cells)?,
        },
        "settled" => BookEntry::Settled {
            stack: stack()?,
            node,
            claimed: units()?,
        },
        "attested" => BookEntry::Attested {
            stack: stack()?,
            node,
        },
        "disputed" => BookEntry::Disputed {
            stack: stack()?,
            node,
        },
        "claimed" => BookEntry::Claimed(BookedClaim {
            stack: stack()?,
            node,
            claimed: units()?,
            refund: MicroUsdc::new(cells.number("user_refund_amount")?),
            terms: terms(&cells)?,
            requested: nodes("attestation_nodes")?,
            attested: nodes("attested_nodes")?,
        }),
        other => return Err(cells.corrupt("kind", format!("unknown kind `{other}`"))),
    };
    Ok((cells.digest("transaction_digest")?, entry))
}

/// The terms of the entry's stack; `None` if the mirror lacks the stack or its task.
fn terms(cells: &Cells<'_>) -> Result<Option<StackTerms>, StoreError> {
    let (Some(task), Some(level)) = (
        cells.optional_number("task_small_id")?,
        cells.optional_small("security_level")?,
    ) else {
        return Ok(None);
    };
    let price = cells.number("price_per_one_million_compute_units")?;
    Ok(Some(StackTerms {
        stack_small_id: StackSmallId::new(cells.number("stack_small_id")?),
        task_small_id: TaskSmallId::new(task),
        owner: cells.object_id("owner_address")?,
        selected_node_id: NodeSmallId::new(cells.number("selected_node_id")?),
        num_compute_units: ComputeUnits::new(cells.number("size")?),
        price_per_one_million_compute_units: PricePerMillion::new(price),
        security_level: SecurityLevel::new(level),
    }))
}
