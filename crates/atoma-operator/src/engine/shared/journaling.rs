//! Writes to the journal that are retried until it takes them, and the announcements that follow.

use atoma_domain::journal::{Failure, Intent, IntentStatus};
use atoma_domain::ports::{JournalKey, StoreError, UnfinishedIntent};
use atoma_domain::{Digest, with_causes};
use tracing::{error, warn};

use super::abandoned::AbandonMark;
use super::context::Context;
use super::registry::{IntentOutcome, LaneKey};
use crate::Ports;
use crate::engine::backoff::Backoff;
use crate::engine::wait_reason::WaitReason;

/// The result of insisting on a write.
#[derive(Debug)]
pub(in crate::engine) enum Insisted {
    /// The journal has it.
    Written,
    /// The journal has moved on: the intent or attempt no longer has the status that the write needs.
    Superseded(StoreError),
    /// The journal can never take it. It stays as the journal has it until the next start, and the
    /// callers of these intents know why.
    Impossible,
    /// The daemon stopped first.
    Stopped,
}

/// Writes something about these intents of one lane, until the journal takes it or refuses it for
/// good, or the daemon stops. After the first failure the lane's callers learn what they wait for.
/// `executed` is the transaction that did execute, if the write is about one.
pub(in crate::engine) async fn insist<Writing>(
    context: &Context,
    intents: &[Intent],
    executed: Option<Digest>,
    mut write: impl FnMut() -> Writing,
) -> Insisted
where
    Writing: Future<Output = Result<(), StoreError>>,
{
    let mut backoff = Backoff::new(&context.config);
    let mut was_stuck = false;
    let insisted = loop {
        match write().await {
            Ok(()) => break Insisted::Written,
            Err(error) if error.is_temporary() => {
                error!(
                    error = with_causes(&error),
                    "can't write to the journal; retrying"
                );
                database_stuck(context, intents, executed, &error);
                was_stuck = true;
            }
            Err(error) if error.is_superseded() => break Insisted::Superseded(error),
            Err(error) => {
                error!(
                    error = with_causes(&error),
                    "the journal can't store this; leaving it to the next start"
                );
                never_written(context, intents, executed, &error);
                return Insisted::Impossible;
            }
        }
        tokio::select! {
            () = context.stopping.cancelled() => return Insisted::Stopped,
            () = backoff.pause() => {}
        }
    };
    if was_stuck {
        database_back(context, intents);
    }
    insisted
}

/// Lets callers of these intents, and of all others in their lane, know that the database holds
/// them up. Callers of an intent that has executed learn that, and by which transaction.
pub(in crate::engine) fn database_stuck(
    context: &Context,
    intents: &[Intent],
    executed: Option<Digest>,
    error: &StoreError,
) {
    let Some(lane) = intents.first().map(LaneKey::of) else {
        return;
    };
    context.registry.hold_lane(lane, |id| {
        let executed = executed.filter(|_| intents.iter().any(|intent| intent.id == id));
        let executed = but_executed(executed);
        WaitReason::Database {
            reason: format!("{executed}the journal is unreachable; retrying: {error}"),
        }
    });
}

/// Lets callers of these intents know that the journal can't store their outcome.
fn never_written(
    context: &Context,
    intents: &[Intent],
    executed: Option<Digest>,
    error: &StoreError,
) {
    database_back(context, intents);
    let executed = but_executed(executed);
    let reason = WaitReason::Unwritable {
        reason: format!(
            "{executed}the journal can't store the result, and the next start takes it up again: {error}"
        ),
    };
    context
        .registry
        .hold(intents.iter().map(|intent| intent.id), &reason);
}

/// The beginning of a sentence about a write that failed, if a transaction has executed already.
fn but_executed(executed: Option<Digest>) -> String {
    executed.map_or_else(String::new, |digest| {
        format!("transaction {digest} has executed, but ")
    })
}

/// Takes [`database_stuck`] back: the database answers again.
pub(in crate::engine) fn database_back(context: &Context, intents: &[Intent]) {
    if let Some(first) = intents.first() {
        context.registry.release_lane(LaneKey::of(first));
    }
}

/// Fails intents for which no signed transaction is open.
pub(in crate::engine) async fn fail_all(context: &Context, intents: &[Intent], failure: &Failure) {
    for intent in intents {
        fail(context, intent, failure.clone()).await;
    }
}

/// Fails an intent for which no signed transaction is open.
pub(in crate::engine) async fn fail(context: &Context, intent: &Intent, failure: Failure) {
    let Ports { journal, clock, .. } = &context.ports;
    let write = || journal.fail(intent.id, &failure, clock.now());
    let one = std::slice::from_ref(intent);
    match insist(context, one, None, write).await {
        Insisted::Written => announce_failure(context, intent, failure).await,
        Insisted::Superseded(error) => {
            warn!(intent = %intent.id, error = with_causes(&error), "the intent is not queued");
            without_ended(context, vec![intent.clone()]).await;
        }
        Insisted::Impossible | Insisted::Stopped => {}
    }
}

/// Announces a failure that is in the journal, with the transaction that the journal shows for it:
/// an attempt that executed without success stays visible.
pub(in crate::engine) async fn announce_failure(
    context: &Context,
    intent: &Intent,
    failure: Failure,
) {
    let record = context.ports.journal.find(JournalKey::Id(intent.id)).await;
    let outcome = IntentOutcome {
        status: IntentStatus::Failed,
        tx_digest: record.ok().flatten().and_then(|record| record.tx_digest),
        failure: Some(failure),
    };
    context.registry.finish(intent.id, outcome);
}

/// Drops intents that the operator has abandoned. None of them may have an open transaction.
pub(in crate::engine) async fn without_abandoned(
    context: &Context,
    batch: Vec<Intent>,
) -> Vec<Intent> {
    let mut kept = Vec::with_capacity(batch.len());
    for intent in batch {
        match context.abandoned.take(intent.id) {
            Some(AbandonMark::Failed) => {}
            Some(AbandonMark::Requested) => fail(context, &intent, Failure::Abandoned {}).await,
            None => kept.push(intent),
        }
    }
    kept
}

/// Drops intents that are final in the journal: the operator abandoned them.
pub(in crate::engine) async fn without_ended(
    context: &Context,
    intents: Vec<Intent>,
) -> Vec<Intent> {
    let mut kept = Vec::with_capacity(intents.len());
    for intent in intents {
        let record = context.ports.journal.find(JournalKey::Id(intent.id));
        match record.await {
            Ok(Some(record)) if record.status.is_final() => {
                context.abandoned.take(intent.id);
                // Whoever abandoned it has announced this, or is about to.
                context.registry.finish(intent.id, record.into());
            }
            // If the journal can't be read, the next attempt finds out.
            _ => kept.push(intent),
        }
    }
    kept
}

/// What the journal holds unfinished, read until it answers; `None` when the daemon stops first.
/// After the first failure callers of these intents learn what they wait for.
pub(in crate::engine) async fn unfinished(
    context: &Context,
    intents: &[Intent],
) -> Option<Vec<UnfinishedIntent>> {
    let mut backoff = Backoff::new(&context.config);
    let mut was_stuck = false;
    loop {
        match context.ports.journal.unfinished().await {
            Ok(unfinished) => {
                if was_stuck {
                    database_back(context, intents);
                }
                return Some(unfinished);
            }
            Err(error) => {
                error!(
                    error = with_causes(&error),
                    "can't read the journal; retrying"
                );
                database_stuck(context, intents, None, &error);
                was_stuck = true;
            }
        }
        tokio::select! {
            () = context.stopping.cancelled() => return None,
            () = backoff.pause() => {}
        }
    }
}
