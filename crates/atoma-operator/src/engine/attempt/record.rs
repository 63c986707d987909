//! Writing a signed attempt to the journal before it is sent.

use std::sync::Arc;

use atoma_domain::journal::{Attempt, Failure, Intent};
use atoma_domain::{Digest, with_causes};
use tracing::error;

use super::conclude::{Unwritten, write_down};
use super::next::Next;
use super::payment::Payment;
use super::sign::Signed;
use crate::causes::internal;
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
    /// An attempt for other intents, open too, that uses the same version of a badge or coin.
    Blocked {
        intents: Vec<Intent>,
        /// The digest of that attempt; `None` if the attempt can't be read.
        by: Option<Digest>,
    },
    /// Nothing: some intents were abandoned, or these very bytes were signed before. These intents
    /// are left.
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
                context.registry.changed.note();
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
    let open: Vec<Attempt> = unfinished
        .into_iter()
        .filter_map(|open| open.attempt)
        .collect();
    let for_same_intents = open.iter().find(|open| {
        open.digest() == digest
            || open
                .intents
                .iter()
                .any(|id| signed.attempt.intents.contains(id))
    });
    match for_same_intents.cloned() {
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
            let blocking = open
                .iter()
                .find(|open| share_a_version(open, &signed.attempt))
                .map(Attempt::digest);
            // An attempt that can't be read may use it too.
            let is_blocked = blocking.is_some() || !context.unreadable().is_empty();
            let mut payment = signed.payment;
            if is_blocked {
                // What the pool knows of the coins may be out of date.
                payment.lease.forget();
            }
            drop(payment);
            let intents = without_ended(context, signed.intents).await;
            match is_blocked {
                true => Conflict::Blocked {
                    intents,
                    by: blocking,
                },
                false => Conflict::None(intents),
            }
        }
    }
}

/// Whether two attempts use the same version of an object.
fn share_a_version(one: &Attempt, other: &Attempt) -> bool {
    let mut used = one.badge.iter().chain(&one.gas);
    used.any(|used| {
        let mut objects = other.badge.iter().chain(&other.gas);
        objects.any(|object| {
            (object.object_id(), object.version()) == (used.object_id(), used.version())
        })
    })
}

#[cfg(test)]
mod tests {
    use atoma_domain::journal::NewIntent;
    use atoma_domain::ports::{Opened, SignedTransaction};
    use atoma_domain::{Address, Epoch, IntentId, Mist, ObjectReference, TimestampMs};

    use super::*;
    use crate::engine::testing::ledger::{FakeChain, FakeLedger};
    use crate::engine::testing::{claim, context};

    fn attempt(digest: u8, intent: &Intent, badge: u8) -> Attempt {
        let reference = |id, version| {
            ObjectReference::new(Address::new([id; 32]), version, Digest::new([3; 32]))
        };
        Attempt {
            intents: vec![intent.id],
            transaction: SignedTransaction {
                bytes: vec![digest],
                digest: Digest::new([digest; 32]),
                signatures: Vec::new(),
            },
            expires_after: Epoch::new(1),
            badge: Some(reference(badge, 5)),
            gas: vec![reference(9, 7)],
            gas_budget: Mist::new(1),
        }
    }

    /// Signing over the version again and again would never end, and nobody would know why.
    #[tokio::test]
    async fn an_open_attempt_over_the_same_coin_version_is_named() {
        let chain = FakeChain(FakeLedger::default().into());
        let context = Arc::new(context(Arc::new(chain)).await);
        let journal = &context.ports.journal;
        let wanted = [1, 2].map(|id| {
            let Intent {
                action, actor, gas, ..
            } = claim(id);
            NewIntent { action, actor, gas }
        });
        let now = TimestampMs::new(1);
        let opened = journal.open(&wanted, None, now).await.unwrap();
        let intents: Vec<Intent> = opened
            .into_iter()
            .filter_map(|opened| match opened {
                Opened::New(intent) => Some(intent),
                _ => None,
            })
            .collect();
        let (first, second) = (attempt(1, &intents[0], 10), attempt(2, &intents[1], 11));
        journal.record_attempt(&first, None, now).await.unwrap();
        let signed = Signed {
            chain: context.ports.chain_for_attempt(),
            intents: vec![intents[1].clone()],
            payment: Payment::of_signed(&context, &second),
            attempt: second,
        };
        let refused = record(&context, signed, None).await;
        let Err(NotRecorded::Conflict(signed)) = refused else {
            panic!("{refused:?}");
        };
        let found = conflict(&context, *signed).await;
        let Conflict::Blocked { intents, by } = found else {
            panic!("{found:?}");
        };
        assert_eq!(
            (intents[0].id, by),
            (IntentId::new(2), Some(first.digest()))
        );
    }
}
