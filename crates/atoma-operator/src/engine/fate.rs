//! What became of a signed attempt: sent until executed, or proved dead, never guessed.

use atoma_domain::journal::{Attempt, Failure};
use atoma_domain::ports::{
    ChainError, Consumption, Executed, Refusal, RefusalKind, SubmitError, Until,
};
use atoma_domain::{Mist, ObjectReference};
use tracing::{debug, error, warn};

use super::config::Backoff;
use super::shared::Shared;
use crate::causes::{chain_failure, with_causes};

/// After so many rounds without an end the operator is told, once: a minute and a half, when the
/// node answers at once.
const PATIENCE: u32 = 20;

/// An attempt's end.
#[derive(Debug)]
pub(super) enum Fate {
    /// It is in the ledger.
    Executed(Box<Executed>),
    /// The ledger proves that it was executed, and the node does not tell what came of it: nothing of
    /// it can execute any more. With the badge as it is since.
    Untold(Option<ObjectReference>),
    /// It never was and never will be; the reason is the proof.
    Dead(String),
    /// The network refused it on its first and only sending, for a reason that has nothing to do
    /// with versions or time.
    Refused(Failure),
}

/// Why no fate is proved.
#[derive(Debug)]
struct Open {
    why: String,
    /// That it was executed is proved.
    is_executed: bool,
}

impl From<String> for Open {
    fn from(why: String) -> Self {
        let is_executed = false;
        Self { why, is_executed }
    }
}

/// Whether anybody may have seen the bytes before this sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// They were signed a moment ago.
    Never,
    /// They may be on their way.
    Maybe,
}

/// Sends the bytes, the same again and again, until their fate is known. `None`: the daemon stops;
/// the journal keeps the attempt open for the next start.
pub(super) async fn pursue(shared: &Shared, attempt: &Attempt, sent: Sent) -> Option<Fate> {
    tokio::select! {
        biased;
        fate = pursue_to_the_end(shared, attempt, sent) => fate,
        () = shared.grace() => None,
    }
}

async fn pursue_to_the_end(shared: &Shared, attempt: &Attempt, mut sent: Sent) -> Option<Fate> {
    let mut backoff = Backoff::new(&shared.config);
    let digest = attempt.digest();
    if sent == Sent::Maybe
        && let Ok(fate) = inquire(shared, attempt).await
    {
        return Some(fate);
    }
    let mut rounds = 0_u32;
    let mut refused = None;
    loop {
        match shared.ports.chain.execute(&attempt.transaction).await {
            Ok(executed) => return Some(Fate::Executed(Box::new(executed))),
            Err(SubmitError::Refused(refusal)) => {
                if sent == Sent::Never && is_definite(&refusal.kind) {
                    return Some(Fate::Refused(refusal_failure(&refusal, attempt.gas_budget)));
                }
                debug!(%digest, %refusal, "refused; asking the ledger for proof");
                refused = Some(refusal.message);
            }
            Err(SubmitError::Unknown(source)) => {
                warn!(%digest, error = with_causes(source.as_ref()), "sent without an answer; the same bytes will be sent again");
            }
        }
        sent = Sent::Maybe;
        rounds = rounds.saturating_add(1);
        match inquire(shared, attempt).await {
            Ok(fate) => return Some(fate),
            Err(open) if rounds < PATIENCE => {
                debug!(%digest, why = open.why, "nothing is proved yet");
            }
            Err(Open { why, is_executed }) => {
                if rounds == PATIENCE {
                    error!(
                        %digest, rounds, why,
                        "a transaction comes to no end that is known; the node is asked on"
                    );
                    let mut reason = format!("it does not prove what became of {digest}: {why}");
                    if let Some(words) = &refused {
                        reason = format!("{reason}; the last time it refused it: {words}");
                    }
                    let carried = attempt.intents.iter().copied();
                    let waits = Failure::SuiNodeError { reason };
                    shared.outcomes.hold(carried, &waits);
                }
                if is_executed && let Some(badge) = badge_since(shared, attempt).await {
                    return Some(Fate::Untold(badge));
                }
            }
        }
        tokio::select! {
            () = shared.stopping.cancelled() => return None,
            () = backoff.pause() => {}
        }
    }
}

/// Whether a refusal of this kind ends bytes that nobody had before: the Sui node gives it by itself,
/// before they come to a validator's vote, or every validator would. What moves (versions, the epoch)
/// is left to the ledger, and so is what is said in words that aren't known.
const fn is_definite(kind: &RefusalKind) -> bool {
    match kind {
        RefusalKind::ObjectNotUsable { .. }
        | RefusalKind::GasBalance
        | RefusalKind::GasTerms
        | RefusalKind::GasBudgetTooLow
        | RefusalKind::Invalid => true,
        RefusalKind::ObjectVersion { .. } | RefusalKind::Expired | RefusalKind::Other => false,
    }
}

/// The badge as it is since the attempt was executed, if the attempt uses one; `None` while the node
/// that answers does not show that.
async fn badge_since(shared: &Shared, attempt: &Attempt) -> Option<Option<ObjectReference>> {
    let Some(used) = &attempt.badge else {
        return Some(None);
    };
    let shown = shared.ports.chain.object(*used.object_id()).await;
    let (shown, _) = shown.ok()??;
    (shown.version() > used.version()).then_some(Some(shown))
}

/// The fate as the ledger proves it.
///
/// # Errors
/// Why nothing is proved.
async fn inquire(shared: &Shared, attempt: &Attempt) -> Result<Fate, Open> {
    let chain = &shared.ports.chain;
    let digest = attempt.digest();
    let used: Vec<_> = attempt.badge.iter().chain(&attempt.gas).cloned().collect();
    // Read *before* the digest is looked up: what executes in between is then found by the look-up.
    let consumption = chain.consumption(&used).await;
    match chain.lookup(digest).await {
        Ok(Some(executed)) => return Ok(Fate::Executed(Box::new(executed))),
        Ok(None) => {}
        Err(error) => return Err(with_causes(&error).into()),
    }
    let consumption = consumption.map_err(|error| with_causes(&error))?;
    let own = [Consumption::By(digest), Consumption::Past { last: digest }];
    if consumption.iter().any(|told| own.contains(told)) {
        return Err(Open {
            why: String::from(
                "it was executed, but the node does not tell what came of it: use one with more history",
            ),
            is_executed: true,
        });
    }
    for (used, told) in used.iter().zip(&consumption) {
        let (id, version) = (used.object_id(), used.version());
        match told {
            Consumption::By(other) => {
                let proof = format!("transaction {other} consumed version {version} of {id}");
                return Ok(Fate::Dead(proof));
            }
            Consumption::Current(epoch) if *epoch > attempt.expires_after => {
                let proof = format!(
                    "version {version} of {id} is untouched in epoch {epoch}; it could be used until {}",
                    attempt.expires_after
                );
                return Ok(Fate::Dead(proof));
            }
            Consumption::Current(_) | Consumption::Past { .. } | Consumption::Unseen => {}
        }
    }
    let absence = absence(shared, attempt, &consumption).await;
    absence.map_err(Open::from)
}

/// Death by a ledger that is whole, as far as the attempt could be in it, and lacks it.
async fn absence(
    shared: &Shared,
    attempt: &Attempt,
    consumption: &[Consumption],
) -> Result<Fate, String> {
    let mut reaches = vec![Until::EpochEnd];
    for told in consumption {
        // Whoever consumed the version is in the ledger by then.
        if let Consumption::Past { last } = told
            && !reaches.contains(&Until::Transaction(*last))
        {
            reaches.push(Until::Transaction(*last));
        }
    }
    let mut why = String::from("the ledger doesn't show it, and it may still execute");
    for until in reaches {
        let absent = shared
            .ports
            .chain
            .is_absent(attempt.digest(), attempt.expires_after, until);
        match absent.await {
            Ok(true) => {
                return Ok(Fate::Dead(match until {
                    Until::EpochEnd => format!("epoch {} ended without it", attempt.expires_after),
                    Until::Transaction(other) => {
                        format!("transaction {other} came after what it would use, without it")
                    }
                }));
            }
            Ok(false) => {}
            Err(error) => why = with_causes(&error),
        }
    }
    Err(why)
}

/// A simulation that was not answered, or refused, as the caller sees it.
pub(super) fn simulation_failure(error: &ChainError, gas_budget: Mist) -> Failure {
    let refusal = match error {
        ChainError::Answer(source) => source.downcast_ref::<Refusal>(),
        _ => None,
    };
    match refusal {
        Some(refusal) => refusal_failure(refusal, gas_budget),
        None => chain_failure(error),
    }
}

/// A refusal of what nobody had before, as the caller sees it.
pub(super) fn refusal_failure(refusal: &Refusal, gas_budget: Mist) -> Failure {
    let reason = refusal.message.clone();
    match refusal.kind {
        RefusalKind::ObjectNotUsable {
            object: Some(object_id),
        }
        | RefusalKind::ObjectVersion {
            object: Some(object_id),
        } => Failure::ObjectNotUsable { object_id, reason },
        RefusalKind::GasBalance => Failure::GasBalanceInsufficient { gas_budget },
        RefusalKind::GasBudgetTooLow => Failure::GasBudgetTooLow { gas_budget },
        _ => Failure::TransactionRefused { reason },
    }
}

#[cfg(test)]
mod tests;
