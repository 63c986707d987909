//! What became of a signed attempt: sent until executed, or proved dead, never guessed.

use atoma_domain::journal::{Attempt, Failure};
use atoma_domain::ports::{ChainError, Executed, Refusal, RefusalKind, SubmitError};
use tracing::{debug, warn};

use super::config::Backoff;
use super::shared::Shared;
use crate::causes::with_causes;

/// An attempt's end.
#[derive(Debug)]
pub(super) enum Fate {
    /// It is in the ledger.
    Executed(Box<Executed>),
    /// It never was and never will be; the reason is the proof.
    Dead(String),
    /// The network refused it on its first and only sending, for a reason that has nothing to do
    /// with versions or time.
    Refused(Failure),
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
pub(super) async fn pursue(shared: &Shared, attempt: &Attempt, mut sent: Sent) -> Option<Fate> {
    let mut backoff = Backoff::new(&shared.config);
    let digest = attempt.digest();
    loop {
        if sent == Sent::Maybe
            && let Some(fate) = ask_the_ledger(shared, attempt).await
        {
            return Some(fate);
        }
        let answer = tokio::select! {
            biased;
            answer = shared.ports.chain.execute(&attempt.transaction) => answer,
            () = shared.grace() => return None,
        };
        match answer {
            Ok(executed) => return Some(Fate::Executed(Box::new(executed))),
            Err(SubmitError::Refused(refusal)) => {
                let provable = matches!(
                    refusal.kind,
                    RefusalKind::ObjectVersion { .. } | RefusalKind::Expired
                );
                if !provable && sent == Sent::Never {
                    return Some(Fate::Refused(failure(attempt, refusal)));
                }
                debug!(%digest, %refusal, "refused; asking the ledger for proof");
            }
            Err(SubmitError::Unknown(source)) => {
                warn!(%digest, error = with_causes(source.as_ref()), "sent without an answer; the same bytes will be sent again");
            }
        }
        sent = Sent::Maybe;
        if let Some(fate) = ask_the_ledger(shared, attempt).await {
            return Some(fate);
        }
        tokio::select! {
            () = shared.stopping.cancelled() => return None,
            () = backoff.pause() => {}
        }
    }
}

/// The fate as the ledger proves it; `None` while it proves nothing, or can't be asked.
async fn ask_the_ledger(shared: &Shared, attempt: &Attempt) -> Option<Fate> {
    match proof(shared, attempt).await {
        Ok(fate) => fate,
        Err(error) => {
            debug!(digest = %attempt.digest(), error = with_causes(&error), "the ledger can't be asked");
            None
        }
    }
}

/// An attempt is dead only when its epoch is past, the node's ledger covers that epoch and lacks
/// the digest; or when the transaction that consumed its badge or coin version is another one.
async fn proof(shared: &Shared, attempt: &Attempt) -> Result<Option<Fate>, ChainError> {
    let chain = &shared.ports.chain;
    let digest = attempt.digest();
    // What could prove death is read *before* the digest is looked up: what executes in between
    // is then found by the look-up.
    let mut evidence = None;
    for used in attempt.badge.iter().chain(&attempt.gas) {
        let consumed = match chain.object(*used.object_id()).await? {
            Some((now, _)) => now.version() > used.version(),
            None => true,
        };
        if consumed {
            evidence = Some(format!(
                "another transaction consumed version {} of {}",
                used.version(),
                used.object_id()
            ));
            break;
        }
    }
    if evidence.is_none() && chain.covers_epoch(attempt.expires_after).await? {
        evidence = Some(format!("epoch {} ended without it", attempt.expires_after));
    }
    if let Some(executed) = chain.lookup(digest).await? {
        return Ok(Some(Fate::Executed(Box::new(executed))));
    }
    Ok(evidence.map(Fate::Dead))
}

fn failure(attempt: &Attempt, refusal: Refusal) -> Failure {
    let reason = refusal.message;
    match refusal.kind {
        RefusalKind::ObjectNotUsable {
            object: Some(object_id),
        } => Failure::ObjectNotUsable { object_id, reason },
        RefusalKind::GasBalance => match attempt.gas.first() {
            Some(coin) => Failure::ObjectNotUsable {
                object_id: *coin.object_id(),
                reason,
            },
            None => Failure::TransactionRefused { reason },
        },
        _ => Failure::TransactionRefused { reason },
    }
}

#[cfg(test)]
mod tests;
