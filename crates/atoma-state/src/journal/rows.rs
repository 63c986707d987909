//! Rows of the journal as the domain's types.

use atoma_domain::journal::{
    Action, Attempt, AttemptRecord, AttemptStatus, Intent, IntentRecord, IntentStatus,
};
use atoma_domain::ports::{SignedTransaction, StoreError};
use atoma_domain::{
    CheckpointNumber, Digest, Epoch, IntentId, Mist, ObjectId, ObjectReference, StackSmallId,
    TimestampMs,
};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;

use crate::columns::Cells;

/// The stored form of an owned object version.
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

/// An intent as a transition reads it, under the write lock. Its action stays unread: a transition must
/// not fail because other software wrote an action that this version can't read.
pub(super) struct LockedIntent {
    pub(super) id: IntentId,
    pub(super) kind: String,
    pub(super) stack: Option<StackSmallId>,
    pub(super) status: IntentStatus,
}

impl LockedIntent {
    /// Reads the columns `id`, `kind`, `stack_small_id` and `status` of an intent.
    pub(super) fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let cells = Cells::new(row, "intents", "id");
        Ok(Self {
            id: IntentId::new(cells.row_number("id")?),
            kind: cells.text("kind")?.to_owned(),
            stack: cells
                .optional_number("stack_small_id")?
                .map(StackSmallId::new),
            status: intent_status(&cells)?,
        })
    }

    /// The stack whose record it keeps frozen until it fails.
    pub(super) fn frozen_stack(&self) -> Option<StackSmallId> {
        self.stack
            .filter(|_| Action::kind_closes_record(&self.kind))
    }

    /// Whether it holds its key in a status.
    pub(super) fn keeps_key(&self, status: IntentStatus) -> bool {
        match status {
            IntentStatus::Queued | IntentStatus::Submitted => true,
            IntentStatus::Succeeded => Action::kind_succeeds_only_once(&self.kind),
            IntentStatus::Failed => false,
        }
    }

    /// The refusal of a transition of this intent.
    pub(super) const fn refuse(&self, to: IntentStatus) -> StoreError {
        StoreError::Transition {
            id: self.id,
            from: self.status,
            to,
        }
    }
}

/// The error for an intent that is not in the journal.
pub(super) fn missing_intent(id: IntentId) -> StoreError {
    StoreError::Missing {
        what: format!("transaction {id}"),
    }
}

pub(super) fn intent_status(cells: &Cells<'_>) -> Result<IntentStatus, StoreError> {
    let name = cells.text("status")?;
    IntentStatus::from_name(name)
        .ok_or_else(|| cells.corrupt("status", format!("no status is called {name:?}")))
}

/// The status of an attempt, in a column that a join may have renamed.
pub(super) fn attempt_status(
    cells: &Cells<'_>,
    column: &'static str,
) -> Result<AttemptStatus, StoreError> {
    let name = cells.text(column)?;
    AttemptStatus::from_name(name)
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

pub(super) fn intent_record(row: &SqliteRow) -> Result<IntentRecord, StoreError> {
    let cells = Cells::new(row, "intents", "id");
    Ok(IntentRecord {
        intent: intent(row)?,
        status: intent_status(&cells)?,
        tx_digest: cells.optional_digest("tx_digest")?,
        failure: cells.optional_json("failure")?,
        created_at: TimestampMs::new(cells.number("created_at")?),
        updated_at: TimestampMs::new(cells.number("updated_at")?),
    })
}

/// An attempt with its intents, which come as a JSON array in the column `intents`.
pub(super) fn attempt(row: &SqliteRow) -> Result<Attempt, StoreError> {
    let cells = Cells::new(row, "attempts", "id");
    let signatures = cells.bytes("signatures")?;
    let badge: Option<StoredReference> = cells.optional_json("badge")?;
    Ok(Attempt {
        intents: attempt_intents(&cells)?,
        transaction: SignedTransaction {
            bytes: cells.bytes("bytes")?,
            digest: cells.digest("digest")?,
            signatures: bcs::from_bytes(&signatures)
                .map_err(|source| cells.corrupt("signatures", source))?,
        },
        expires_after: Epoch::new(cells.number("expires_after")?),
        badge: badge.map(ObjectReference::from),
        gas: gas_coins(&cells)?,
        gas_budget: Mist::new(cells.number("gas_budget")?),
    })
}

/// The coin versions that an attempt uses.
pub(super) fn gas_coins(cells: &Cells<'_>) -> Result<Vec<ObjectReference>, StoreError> {
    let gas: Vec<StoredReference> = cells.json("gas")?;
    Ok(gas.into_iter().map(ObjectReference::from).collect())
}

/// All that is known of an attempt but its bytes. Its intents come as a JSON array in the column
/// `intents`.
pub(super) fn attempt_record(row: &SqliteRow) -> Result<AttemptRecord, StoreError> {
    let cells = Cells::new(row, "attempts", "id");
    Ok(AttemptRecord {
        digest: cells.digest("digest")?,
        intents: attempt_intents(&cells)?,
        status: attempt_status(&cells, "status")?,
        expires_after: Epoch::new(cells.number("expires_after")?),
        gas_budget: Mist::new(cells.number("gas_budget")?),
        gas_used: cells.optional_number("gas_used")?.map(Mist::new),
        gas_returned: cells.optional_number("gas_returned")?.map(Mist::new),
        checkpoint: cells
            .optional_number("checkpoint")?
            .map(CheckpointNumber::new),
        registered_badge: cells
            .optional_text("registered_badge")?
            .map(|badge| badge.parse())
            .transpose()
            .map_err(|source| cells.corrupt("registered_badge", source))?,
        reason: cells.optional_text("reason")?.map(str::to_owned),
        failure: cells.optional_json("failure")?,
        created_at: TimestampMs::new(cells.number("created_at")?),
        concluded_at: cells.optional_number("concluded_at")?.map(TimestampMs::new),
    })
}

fn attempt_intents(cells: &Cells<'_>) -> Result<Vec<IntentId>, StoreError> {
    let intents: Vec<u64> = cells.json("intents")?;
    Ok(intents.into_iter().map(IntentId::new).collect())
}
