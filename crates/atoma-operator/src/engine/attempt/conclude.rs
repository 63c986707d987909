//! The end of an attempt: its outcome, in the journal, and announced to callers.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::{
    AttemptOutcome, AttemptStatus, Conclusion, Failure, GasOptions, Intent, IntentStatus, Receipt,
};
use atoma_domain::ports::{Executed, ExecutionOutcome};
use atoma_domain::{Digest, IntentId, Mist, ObjectReference, with_causes};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::failures::{failure_of, own_budget};
use super::next::{AwaitedAttempt, Next};
use super::payment::Payment;
use super::resolve::Resolution;
use super::sign::Signed;
use crate::Ports;
use crate::engine::shared::{Context, Insisted, IntentOutcome, announce_failure, insist};

/// A success that is not in the journal yet. A crash loses nothing: the ledger has it.
#[derive(Debug)]
pub(in crate::engine) struct Unwritten {
    pub(in crate::engine) conclusion: Conclusion,
    intents: Vec<Intent>,
}

impl Unwritten {
    /// The intents that succeeded.
    pub(in crate::engine) fn ids(&self) -> Vec<IntentId> {
        self.intents.iter().map(|intent| intent.id).collect()
    }

    /// Announces the success to callers. Only call it once the journal has the success.
    pub(super) fn announce(self, context: &Context) {
        for intent in &self.intents {
            let outcome = IntentOutcome {
                status: IntentStatus::Succeeded,
                tx_digest: Some(self.conclusion.digest),
                failure: None,
            };
            context.registry.finish(intent.id, outcome);
        }
    }
}

/// Journals a success and announces it.
pub(in crate::engine) async fn write_down(context: &Context, success: Unwritten) {
    let Ports { journal, clock, .. } = &context.ports;
    let digest = success.conclusion.digest;
    let write = || journal.conclude(&success.conclusion, clock.now());
    match insist(context, &success.intents, Some(digest), write).await {
        Insisted::Written => {}
        // An earlier write succeeded, and its answer was lost.
        Insisted::Superseded(error) => warn!(
            %digest, error = with_causes(&error),
            "the journal already has the outcome"
        ),
        Insisted::Impossible | Insisted::Stopped => return,
    }
    success.announce(context);
}

/// A resolved attempt, with what it left.
#[derive(Debug)]
pub(in crate::engine) enum Closed {
    /// Its outcome is known.
    Ended(Box<Ended>),
    /// It has executed, without effects from the node yet.
    EffectsUnknown {
        /// The badge at the version since then.
        badge: Option<ObjectReference>,
        awaited: Box<AwaitedAttempt>,
    },
}

/// What an attempt did to the badge.
#[derive(Debug)]
pub(in crate::engine) enum BadgeAfter {
    Unchanged,
    /// It consumed the badge's version. The effects name the new one.
    Moved(Option<ObjectReference>),
}

/// An attempt whose outcome is known and not in the journal yet.
#[derive(Debug)]
pub(in crate::engine) struct Ended {
    pub(in crate::engine) badge: BadgeAfter,
    conclusion: Conclusion,
    intents: Vec<Intent>,
    /// How many intents the attempt carries.
    carried: usize,
    /// Coins that the attempt did not spend.
    unspent: Option<Payment>,
}

impl Ended {
    pub(in crate::engine) const fn status(&self) -> AttemptStatus {
        self.conclusion.outcome.status()
    }

    pub(in crate::engine) const fn digest(&self) -> Digest {
        self.conclusion.digest
    }

    pub(in crate::engine) const fn outcome(&self) -> &AttemptOutcome {
        &self.conclusion.outcome
    }

    pub(in crate::engine) fn intents(&self) -> &[Intent] {
        &self.intents
    }

    /// Whether its failure is the request's own: gas that the request chose did not suffice. It says nothing
    /// about other transactions.
    pub(in crate::engine) fn is_requests_own_failure(&self) -> bool {
        let is_own = |intent: &Intent| intent.gas != GasOptions::default();
        let is_about_gas = matches!(
            self.conclusion.outcome.failure(),
            Some(Failure::GasBudgetTooLow { .. })
        );
        is_about_gas && self.intents.iter().any(is_own)
    }

    /// The success that it is, to be journalled later.
    ///
    /// # Errors
    /// Itself, if it is no success.
    pub(in crate::engine) fn into_success(self: Box<Self>) -> Result<Unwritten, Box<Self>> {
        if self.status() != AttemptStatus::Succeeded {
            return Err(self);
        }
        Ok(Unwritten {
            conclusion: self.conclusion,
            intents: self.intents,
        })
    }
}

/// Closes a resolved attempt: decides its outcome and gives back what it paid with. `since` is when this
/// process sent it, or took it up.
pub(in crate::engine) fn close(
    context: &Arc<Context>,
    signed: Signed,
    resolution: Resolution,
    since: Instant,
) -> Closed {
    let Signed {
        intents,
        attempt,
        mut payment,
        ..
    } = signed;
    let (digest, carried) = (attempt.digest(), attempt.intents.len());
    let mut badge = BadgeAfter::Unchanged;
    let mut spent = None;
    let outcome = match resolution {
        Resolution::Executed(executed) => {
            if let Some(used) = &attempt.badge {
                badge = BadgeAfter::Moved(executed.written.get(used.object_id()).cloned());
            }
            payment.paid(&executed);
            spent = Some(executed.gas_used);
            if is_out_of_gas(&executed.outcome)
                && let Some(class) = payment.class
            {
                context.budgets.forget(class);
            }
            outcome_of(*executed, carried, own_budget(&intents))
        }
        Resolution::EffectsUnknown { badge } => {
            payment.lease.forget();
            let reservation = payment.end(context);
            return Closed::EffectsUnknown {
                badge,
                awaited: Box::new(AwaitedAttempt {
                    attempt,
                    intents,
                    reservation,
                    since,
                }),
            };
        }
        Resolution::Dead(reason) => {
            info!(%digest, reason, "the attempt is dead");
            payment.lease.forget();
            AttemptOutcome::Dead { reason }
        }
    };
    // Spent coins are given back before the journal is written, because other lanes wait for them.
    // Unspent ones are kept until then: the journal holds their versions open.
    let unspent = match spent {
        Some(gas) => {
            payment
                .end(context)
                .spend(gas, context.ports.clock.elapsed());
            None
        }
        None => Some(payment),
    };
    Closed::Ended(Box::new(Ended {
        badge,
        conclusion: Conclusion { digest, outcome },
        intents,
        carried,
        unspent,
    }))
}

/// Closes an attempt whose effects were awaited.
pub(in crate::engine) fn close_executed(
    awaited: AwaitedAttempt,
    executed: Executed,
    elapsed: Duration,
) -> Box<Ended> {
    let AwaitedAttempt {
        attempt,
        intents,
        reservation,
        ..
    } = awaited;
    reservation.spend(executed.gas_used, elapsed);
    let carried = attempt.intents.len();
    Box::new(Ended {
        badge: BadgeAfter::Unchanged,
        conclusion: Conclusion {
            digest: attempt.digest(),
            outcome: outcome_of(executed, carried, own_budget(&intents)),
        },
        intents,
        carried,
        unspent: None,
    })
}

/// Journals how an attempt ended that did not succeed, and announces final failures.
pub(in crate::engine) async fn write_end(context: &Arc<Context>, ended: Box<Ended>) -> Next {
    let Ended {
        conclusion,
        intents,
        carried,
        unspent,
        ..
    } = *ended;
    let Ports { journal, clock, .. } = &context.ports;
    let executed = conclusion
        .outcome
        .receipt()
        .is_some()
        .then_some(conclusion.digest);
    let write = || journal.conclude(&conclusion, clock.now());
    let insisted = insist(context, &intents, executed, write).await;
    let next = match insisted {
        Insisted::Stopped => Next::Stop,
        Insisted::Impossible => {
            // The journal still holds their versions open.
            if let Some(payment) = unspent {
                payment.keep();
            }
            return Next::Nothing;
        }
        Insisted::Written => after(context, conclusion.outcome, intents, carried).await,
        Insisted::Superseded(error) => {
            error!(
                digest = %conclusion.digest, error = with_causes(&error),
                "the journal has another outcome"
            );
            after(context, conclusion.outcome, intents, carried).await
        }
    };
    if let Some(payment) = unspent {
        payment.end(context);
    }
    next
}

/// What to do with the intents of an attempt after its outcome.
async fn after(
    context: &Context,
    outcome: AttemptOutcome,
    intents: Vec<Intent>,
    carried: usize,
) -> Next {
    match outcome {
        AttemptOutcome::BatchAborted { failure, .. } => {
            // A single claim comes to this only if the treasury is short.
            let is_short = failure == Failure::TreasuryShort {};
            if carried == 1 || (is_short && intents.len() > 1) {
                Next::Short(intents)
            } else {
                Next::Split(intents)
            }
        }
        AttemptOutcome::Cancelled { reason, .. } => Next::Retry {
            intents,
            cancelled: Some(reason),
        },
        AttemptOutcome::Dead { .. } => Next::Retry {
            intents,
            cancelled: None,
        },
        AttemptOutcome::Aborted { failure, .. } => {
            for intent in &intents {
                announce_failure(context, intent, failure.clone()).await;
            }
            Next::Nothing
        }
        AttemptOutcome::Succeeded { .. } => Next::Nothing,
    }
}

const fn is_out_of_gas(outcome: &ExecutionOutcome) -> bool {
    matches!(
        outcome,
        ExecutionOutcome::Failed {
            out_of_gas: true,
            ..
        }
    )
}

/// The outcome of an executed attempt with that many intents. The budget is the request's own,
/// if it had one.
fn outcome_of(executed: Executed, carried: usize, own_budget: Option<Mist>) -> AttemptOutcome {
    let receipt = Receipt {
        gas_used: executed.gas_used,
        gas_returned: executed.gas_returned,
        effects: executed.effects,
        checkpoint: executed.checkpoint,
        registered_badge: executed.events.iter().find_map(|event| match event {
            ContractEvent::NodeRegistered(node) => Some(node.badge_id),
            _ => None,
        }),
    };
    let outcome = match executed.outcome {
        ExecutionOutcome::Success => return AttemptOutcome::Succeeded { receipt },
        ExecutionOutcome::Cancelled { reason } => {
            return AttemptOutcome::Cancelled { reason, receipt };
        }
        // The learned budget was too small: simulate anew.
        ExecutionOutcome::Failed {
            reason,
            out_of_gas: true,
        } if own_budget.is_none() => return AttemptOutcome::Cancelled { reason, receipt },
        outcome => outcome,
    };
    // A claim that the treasury can't pay is right, only too early. So it is not over if the
    // treasury was emptied between simulation and execution.
    let goes_on = carried > 1
        || matches!(&outcome, ExecutionOutcome::Abort(abort) if abort.is_treasury_short());
    let failure = failure_of(outcome, own_budget.unwrap_or(Mist::ZERO));
    if goes_on {
        AttemptOutcome::BatchAborted { failure, receipt }
    } else {
        AttemptOutcome::Aborted { failure, receipt }
    }
}

#[cfg(test)]
mod tests;
