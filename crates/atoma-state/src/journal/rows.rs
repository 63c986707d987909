//! Rows of the journal as the domain's types.

use atoma_domain::journal::{Attempt, Intent, IntentRecord, IntentStatus};
use atoma_domain::ports::{SignedTransaction, StoreError};
use atoma_domain::{Digest, Epoch, IntentId, Mist, ObjectId, ObjectReference, TimestampMs};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;

use crate::columns::Cells;

/// The stored form of an object's version.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredReference {
    object_id: ObjectId,
    version: u64,
    digest: Digest,
}

impl From<&ObjectReference> for StoredReference {
    fn from(reference: &ObjectReference) -> Self {
        Self {
            object_id: *reference.object_id(),
            version: reference.version(),
            digest: *reference.digest(),
        }
    }
}

impl From<StoredReference> for ObjectReference {
    fn from(stored: StoredReference) -> Self {
        Self::new(stored.object_id, stored.version, stored.digest)
    }
}

pub(super) fn status_of(cells: &Cells<'_>) -> Result<IntentStatus, StoreError> {
    let name = cells.text("status")?;
    IntentStatus::from_name(name)
        .ok_or_else(|| cells.corrupt("status", format!("no status is called {name:?}")))
}

pub(super) fn intent(row: &SqliteRow) -> Result<Intent, StoreError> {
    let cells = Cells::new(row, "intents", "id");
    Ok(Intent {
        id: IntentId::new(cells.row_number("id")?),
        action: cells.json("action")?,
        actor: cells.json("actor")?,
        gas: cells.json("gas")?,
    })
}

pub(super) fn record(row: &SqliteRow) -> Result<IntentRecord, StoreError> {
    let cells = Cells::new(row, "intents", "id");
    Ok(IntentRecord {
        intent: intent(row)?,
        status: status_of(&cells)?,
        tx_digest: cells.optional_digest("tx_digest")?,
        failure: cells.optional_json("failure")?,
        created_at: TimestampMs::new(cells.number("created_at")?),
        updated_at: TimestampMs::new(cells.number("updated_at")?),
    })
}

/// A row of attempts; the intents that it carries are added by the caller.
pub(super) fn attempt(row: &SqliteRow) -> Result<Attempt, StoreError> {
    let cells = Cells::new(row, "attempts", "id");
    let signatures = cells.bytes("signatures")?;
    let badge: Option<StoredReference> = cells.optional_json("badge")?;
    let gas: Vec<StoredReference> = cells.json("gas")?;
    Ok(Attempt {
        intents: Vec::new(),
        transaction: SignedTransaction {
            bytes: cells.bytes("bytes")?,
            digest: cells.digest("digest")?,
            signatures: bcs::from_bytes(&signatures)
                .map_err(|source| cells.corrupt("signatures", source))?,
        },
        expires_after: Epoch::new(cells.number("expires_after")?),
        badge: badge.map(ObjectReference::from),
        gas: gas.into_iter().map(ObjectReference::from).collect(),
        gas_budget: Mist::new(cells.number("gas_budget")?),
    })
}
