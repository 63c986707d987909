//! Writing a signed attempt to the journal before it is sent.

use std::sync::Arc;

use atoma_domain::journal::{Attempt, Failure, Intent};
use tracing::error;

use super::conclude::{Unwritten, write_down};
use super::next::Next;
use super::payment::Payment;
use super::sign::Signed;
use crate::causes::{internal, with_causes};
use crate::engine::backoff::Backoff;
use crate::engine::shared::{
    Context, database_back, database_stuck, fail_all, unfinished, without_ended,
};

/// Why a signed attempt may not be sent.
#[derive(Debug)]
pub(in crate::engine) enum NotRecorded {
    /// The journal takes no new attempt for these intents.
    Conflict(Box<Signed>),
    /// This is to be done with the batch.
    Next(Next),
}

/// What the journal has instead of an attempt that it refused.
#[derive(Debug)]
pub(in crate::engine) enum Conflict {
    /// This very attempt: only the answer was lost.
    Same(Box<Signed>),
    /// Another open attempt for some of the intents.
    Other {
        attempt: Box<Attempt>,
        payment: Payment,
        /// The intents that it carries.
        carried: Vec<Intent>,
        /// The others.
        rest: Vec<Intent>,
    },
    /// Nothing: some intents were abandoned, or these very bytes were refused before. These
    /// intents are left.
    None(Vec<Intent>),
    /// Not known: the daemon stops.
    Stopped,
}

/// How one try to write an attempt failed.
enum Refused {
    Conflict,
    /// The journal can never hold it.
    Never(Failure),
    /// The daemon stopped before the answer was known.
    Unknown,
}

/// Writes an attempt to the journal, together with the success of the attempt before it. The same
/// attempt is tried until the journal takes it, because a write whose answer was lost may have
/// succeeded. After the first failure callers learn what they wait for.
///
/// # Errors
/// Why the attempt may not be sent.
pub(in crate::engine) async fn record(
    context: &Arc<Context>,
    signed: Signed,
    previous: Option<Unwritten>,
) -> Result<Signed, NotRecorded> {
    match insist(context, &signed, previous).await {
        Ok(()) => Ok(signed),
        Err(Refused::Conflict) => Err(NotRecorded::Conflict(Box::new(signed))),
        Err(Refused::Never(failure)) => {
            fail_all(context, &signed.intents, &failure).await;
            Err(NotRecorded::Next(Next::Nothing))
        }
        Err(Refused::Unknown) => {
            // It may be in the journal: nothing else may use its coins.
            signed.payment.keep();
            Err(NotRecorded::Next(Next::Stop))
        }
    }
}

async fn insist(
    context: &Context,
    signed: &Signed,
    mut previous: Option<Unwritten>,
) -> Result<(), Refused> {
    let mut backoff = Backoff::new(&context.config);
    let mut was_stuck = false;
    let recorded = loop {
        let conclusion = previous.as_ref().map(|previous| &previous.conclusion);
        let now = context.ports.clock.now();
        let journal = &context.ports.journal;
        let error = match journal
            .record_attempt(&signed.attempt, conclusion, now)
            .await
        {
            Ok(()) => {
                if let Some(previous) = previous.take() {
                    previous.announce(context);
                }
                break Ok(());
            }
            Err(error) if previous.is_some() || error.is_temporary() => error,
            Err(error) if error.is_superseded() => break Err(Refused::Conflict),
            Err(error) => break Err(Refused::Never(internal(error))),
        };
        error!(
            error = with_causes(&error),
            "can't journal the attempt, so it is not sent; retrying"
        );
        if let Some(previous) = previous.take() {
            // Each by itself: the journal may refuse just one of them.
            write_down(context, previous).await;
        } else {
            database_stuck(context, &signed.intents, None, &error);
            was_stuck = true;
            tokio::select! {
                () = context.stopping.cancelled() => return Err(Refused::Unknown),
                () = backoff.pause() => {}
            }
        }
        if context.stopping.is_cancelled() {
            return Err(Refused::Unknown);
        }
    };
    if was_stuck {
        database_back(context, &signed.intents);
    }
    recorded
}

/// Finds out what the journal has instead of an attempt that it refused.
pub(in crate::engine) async fn conflict(context: &Arc<Context>, signed: Signed) -> Conflict {
    let Some(unfinished) = unfinished(context, &signed.intents).await else {
        signed.payment.keep();
        return Conflict::Stopped;
    };
    let digest = signed.attempt.digest();
    let mut open = unfinished.into_iter().filter_map(|open| open.attempt);
    let conflicting = open.find(|open| {
        open.digest() == digest
            || open
                .intents
                .iter()
                .any(|id| signed.attempt.intents.contains(id))
    });
    match conflicting {
        Some(open) if open.digest() == digest => Conflict::Same(Box::new(signed)),
        Some(open) => {
            let (carried, rest): (Vec<_>, Vec<_>) = signed
                .intents
                .into_iter()
                .partition(|intent| open.intents.contains(&intent.id));
            drop(signed.payment);
            Conflict::Other {
                payment: Payment::of_signed(context, &open),
                attempt: Box::new(open),
                carried,
                rest,
            }
        }
        None => {
            drop(signed.payment);
            Conflict::None(without_ended(context, signed.intents).await)
        }
    }
}
