//! The guards of the schema: whatever program writes to the database, it refuses what the journal's
//! state machine doesn't allow.

mod immutability;
mod transitions;

use atoma_domain::journal::{AttemptOutcome, AttemptStatus, Failure, IntentStatus};
use atoma_domain::ports::Journal;
use atoma_state::SqliteState;

use crate::suite::fixtures::*;

/// Opens intent 1 and brings it into a status.
async fn intent_in(store: &SqliteState, status: IntentStatus) {
    store
        .open(&[new_intent(1, claim(1))], None, at(1))
        .await
        .unwrap();
    match status {
        IntentStatus::Queued => {}
        IntentStatus::Submitted => attempted(store, 1, AttemptStatus::Signed).await,
        IntentStatus::Succeeded => attempted(store, 1, AttemptStatus::Succeeded).await,
        IntentStatus::Failed => attempted(store, 1, AttemptStatus::Aborted).await,
    }
}

/// Records another attempt for intent 1 and brings the attempt into a status.
async fn attempted(store: &SqliteState, number: u64, status: AttemptStatus) {
    store
        .record_attempt(&bare_attempt(number, &[1]), None, at(1))
        .await
        .unwrap();
    let failure = Failure::ShuttingDown {};
    let reason = String::from("test");
    let outcome = match status {
        AttemptStatus::Signed => return,
        AttemptStatus::Succeeded => AttemptOutcome::Succeeded {
            receipt: receipt(0),
        },
        AttemptStatus::Aborted => AttemptOutcome::BatchAborted {
            failure,
            receipt: receipt(0),
        },
        AttemptStatus::Cancelled => AttemptOutcome::Cancelled {
            reason,
            receipt: receipt(0),
        },
        AttemptStatus::Dead => AttemptOutcome::Dead { reason },
    };
    store
        .conclude(&concluded(digest(number), &outcome), at(1))
        .await
        .unwrap();
}
