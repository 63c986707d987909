//! Sending the same bytes until the attempt is resolved.

use std::sync::Arc;

use atoma_domain::journal::{Attempt, Failure};
use atoma_domain::ports::{Chain, RefusalKind, SubmitError};
use atoma_domain::with_causes;
use tracing::{debug, error, warn};

use super::resolve::{Resolution, Unresolved, badge_since, resolve};
use crate::engine::backoff::Backoff;
use crate::engine::shared::Context;
use crate::engine::wait_reason::WaitReason;

/// After this many rounds without a resolution, the operator is informed once. That is about a minute
/// and a half if the node answers at once.
const PATIENCE: u32 = 20;
/// The same if the network gives a reason that lasts: a few seconds, in case the node is wrong for a
/// moment only.
const SHORT_PATIENCE: u32 = 4;

/// Whether anybody may have seen the bytes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Sent {
    /// They were signed a moment ago.
    Never,
    /// They may be on their way.
    Maybe,
}

/// Sends the same bytes until the attempt is resolved, first by way of `chain`: the node where it was read.
/// Afterwards, whichever node answers may know the outcome or pass the bytes on. `None` when the daemon stops: the journal
/// keeps the attempt open for the next start.
pub(in crate::engine) async fn send(
    context: &Context,
    chain: Arc<dyn Chain>,
    attempt: &Attempt,
    sent: Sent,
) -> Option<Resolution> {
    tokio::select! {
        biased;
        resolution = send_until_resolved(context, chain, attempt, sent) => resolution,
        () = context.grace() => None,
    }
}

async fn send_until_resolved(
    context: &Context,
    mut chain: Arc<dyn Chain>,
    attempt: &Attempt,
    sent: Sent,
) -> Option<Resolution> {
    let mut backoff = Backoff::new(&context.config);
    let digest = attempt.digest();
    if sent == Sent::Maybe
        && let Ok(resolution) = resolve(chain.as_ref(), attempt).await
    {
        return Some(resolution);
    }
    let mut rounds = 0_u32;
    let mut refused = None;
    let mut is_announced = false;
    loop {
        let mut patience = PATIENCE;
        match chain.execute(&attempt.transaction).await {
            Ok(executed) => return Some(Resolution::Executed(Box::new(executed))),
            Err(SubmitError::Refused(refusal)) => {
                debug!(%digest, %refusal, "refused; looking for proof in the ledger");
                if is_lasting_reason(&refusal.kind) {
                    patience = SHORT_PATIENCE;
                }
                refused = Some(refusal.message);
            }
            Err(SubmitError::Unknown(source)) => {
                warn!(%digest, error = with_causes(source.as_ref()), "no answer to a submission; sending the same bytes again");
            }
        }
        rounds = rounds.saturating_add(1);
        // The node may be gone, or behind. All of a proof comes from one node.
        chain = context.ports.chain_for_attempt();
        match resolve(chain.as_ref(), attempt).await {
            Ok(resolution) => return Some(resolution),
            Err(Unresolved { why, has_executed }) => {
                if !is_announced && rounds >= patience {
                    is_announced = true;
                    error!(%digest, rounds, why, refused, "the outcome is unknown; retrying the lookup");
                    hold(context, attempt, &why, refused.as_deref());
                } else {
                    debug!(%digest, why, "not resolved yet");
                }
                if has_executed
                    && rounds >= PATIENCE
                    && let Some(badge) = badge_since(chain.as_ref(), attempt).await
                {
                    return Some(Resolution::EffectsUnknown { badge });
                }
            }
        }
        tokio::select! {
            () = context.stopping.cancelled() => return None,
            () = backoff.pause() => {}
        }
    }
}

/// Lets callers know what they wait for: `why`, and the node's last refusal.
fn hold(context: &Context, attempt: &Attempt, why: &str, refused: Option<&str>) {
    let digest = attempt.digest();
    let mut reason = format!("the outcome of {digest} is still unknown: {why}");
    if let Some(words) = refused {
        reason = format!("{reason}; the last refusal was: {words}");
    }
    let waits = WaitReason::SuiNode(Failure::SuiNodeError { reason });
    let carried = attempt.intents.iter().copied();
    context.registry.hold(carried, &waits);
}

/// Whether the network gave a reason that will last until the attempt expires. It ends nothing: a node
/// can refuse what the network has executed. But callers learn of it soon, since the proof may only come
/// with the next epoch.
const fn is_lasting_reason(kind: &RefusalKind) -> bool {
    match kind {
        RefusalKind::ObjectNotUsable { .. }
        | RefusalKind::GasBalance
        | RefusalKind::GasTerms
        | RefusalKind::GasBudgetTooLow
        | RefusalKind::Invalid => true,
        RefusalKind::ObjectVersion { .. } | RefusalKind::Expired | RefusalKind::Other => false,
    }
}

#[cfg(test)]
mod tests;
