//! The end of an attempt: written down, its versions taken over, those who wait told.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use atoma_domain::Mist;
use atoma_domain::events::ContractEvent;
use atoma_domain::journal::{
    Attempt, AttemptOutcome, AttemptStatus, Conclusion, Failure, Intent, IntentStatus, Receipt,
};
use atoma_domain::ports::{Executed, ExecutionOutcome, JournalKey};
use tracing::{error, info, warn};

use super::attempt::Step;
use super::fate::Fate;
use super::funding::{Payment, end_of_refused};
use super::guard::Reservation;
use super::lane::Lane;
use super::outcomes::Outcome;
use super::shared::{Shared, Written};
use crate::Ports;
use crate::causes::with_causes;

/// An attempt that succeeded, which is yet to be written down. A crash loses nothing: the ledger
/// has it.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) conclusion: Conclusion,
    intents: Vec<Intent>,
    /// Its budget counts until what was spent of it is in the journal.
    _reservation: Option<Reservation>,
}

impl Done {
    /// Tells who waits. Call it when it is written down.
    pub(super) fn announce(self, shared: &Shared, length: &AtomicUsize) {
        for intent in &self.intents {
            let outcome = Outcome {
                status: IntentStatus::Succeeded,
                tx_digest: Some(self.conclusion.digest),
                failure: None,
            };
            shared.announce(length, intent.id, outcome);
        }
    }
}

/// Writes a success down and tells who waits.
pub(super) async fn write_down(shared: &Shared, length: &AtomicUsize, done: Done) {
    let Ports { journal, clock, .. } = &shared.ports;
    let executed = Some(done.conclusion.digest);
    let write = || journal.conclude(&done.conclusion, clock.now());
    match shared.insist(&done.intents, executed, write).await {
        Written::Yes => {}
        // Written before, by a writing whose answer was lost.
        Written::Disagrees(error) => warn!(
            digest = %done.conclusion.digest, error = with_causes(&error),
            "the journal has the outcome already"
        ),
        Written::Stopped => return,
    }
    done.announce(shared, length);
}

impl Lane {
    /// Writes the success down that waits for it, if one does.
    pub(super) async fn write_done(&mut self) {
        if let Some(done) = self.done.take() {
            write_down(&self.shared, &self.length, done).await;
        }
    }

    /// Takes over the versions that an attempt left, and writes its fate down. Tells who waits.
    pub(super) async fn settle_fate(
        &mut self,
        attempt: &Attempt,
        intents: Vec<Intent>,
        fate: Option<Fate>,
        mut payment: Payment,
    ) -> Step {
        let Some(fate) = fate else {
            // It may execute yet: nothing else may use its coins.
            payment.keep();
            return Step::Stopped;
        };
        let outcome = match fate {
            Fate::Executed(executed) => self.adopt(attempt, &intents, *executed, &mut payment),
            Fate::Untold(badge) => {
                self.badge = badge;
                payment.lease.forget();
                let reservation = payment.end(&self.shared);
                self.untold.add(attempt.clone(), intents, reservation);
                return Step::Finished;
            }
            Fate::Dead(reason) => {
                info!(digest = %attempt.digest(), reason, "the attempt is dead");
                payment.lease.forget();
                AttemptOutcome::Dead { reason }
            }
            Fate::Refused(failure) => {
                payment.lease.forget();
                end_of_refused(failure, attempt, &intents)
            }
        };
        // Coins that it spent are given back before the journal is written: others wait for them. Those
        // that it didn't spend could be signed over at the same version while the journal has it open.
        let (reservation, unspent) = match outcome.status() {
            AttemptStatus::Dead | AttemptStatus::Refused => (None, Some(payment)),
            _ => (Some(payment.end(&self.shared)), None),
        };
        let step = self.conclude(attempt, intents, outcome, reservation).await;
        if let Some(payment) = unspent {
            payment.end(&self.shared);
        }
        step
    }

    /// Writes an outcome down: a success together with the next attempt, or when none follows; all
    /// else at once.
    pub(super) async fn conclude(
        &mut self,
        attempt: &Attempt,
        intents: Vec<Intent>,
        outcome: AttemptOutcome,
        reservation: Option<Reservation>,
    ) -> Step {
        let now = self.shared.ports.clock.now();
        self.shared.guard.note(outcome.status(), now);
        let digest = attempt.digest();
        let conclusion = Conclusion { digest, outcome };
        if conclusion.outcome.status() == AttemptStatus::Succeeded {
            for intent in &intents {
                let freed = self.parked.succeeded(intent.id);
                self.shared
                    .outcomes
                    .release(freed.iter().map(|freed| freed.id));
                self.backlog.add(freed);
            }
            self.write_done().await;
            self.done = Some(Done {
                conclusion,
                intents,
                _reservation: reservation,
            });
            return Step::Finished;
        }
        self.write_end(conclusion, intents, attempt.intents.len())
            .await
    }

    /// Writes down how an attempt ended that did not succeed; it carried so many intents.
    async fn write_end(
        &self,
        conclusion: Conclusion,
        intents: Vec<Intent>,
        carried: usize,
    ) -> Step {
        let Ports { journal, clock, .. } = &self.shared.ports;
        let executed = match &conclusion.outcome {
            AttemptOutcome::Dead { .. } | AttemptOutcome::Refused { .. } => None,
            _ => Some(conclusion.digest),
        };
        let write = || journal.conclude(&conclusion, clock.now());
        match self.shared.insist(&intents, executed, write).await {
            Written::Yes => {}
            Written::Disagrees(error) => error!(
                digest = %conclusion.digest, error = with_causes(&error),
                "the journal has another outcome"
            ),
            Written::Stopped => return Step::Stopped,
        }
        match conclusion.outcome {
            // Of a single claim this is what a treasury that is short comes to.
            AttemptOutcome::BatchAborted { failure, .. }
                if carried == 1 || (failure == Failure::TreasuryShort {} && intents.len() > 1) =>
            {
                Step::Short(intents)
            }
            AttemptOutcome::BatchAborted { .. } => Step::Split(intents),
            AttemptOutcome::Cancelled { reason, .. } => Step::Again {
                intents,
                cancelled: Some(reason),
            },
            AttemptOutcome::Dead { .. } => Step::Again {
                intents,
                cancelled: None,
            },
            AttemptOutcome::Aborted { failure, .. } | AttemptOutcome::Refused { failure } => {
                for intent in &intents {
                    self.announce_failure(intent, failure.clone()).await;
                }
                Step::Finished
            }
            AttemptOutcome::Succeeded { .. } => Step::Finished,
        }
    }

    /// Announces a failure that is in the journal, with the transaction that the journal shows: an
    /// attempt that was executed in vain stays to be seen.
    pub(super) async fn announce_failure(&self, intent: &Intent, failure: Failure) {
        let record = self.shared.ports.journal.find(JournalKey::Id(intent.id));
        let outcome = Outcome {
            status: IntentStatus::Failed,
            tx_digest: record
                .await
                .ok()
                .flatten()
                .and_then(|record| record.tx_digest),
            failure: Some(failure),
        };
        self.shared.announce(&self.length, intent.id, outcome);
    }

    /// Takes the new versions from the effects of an executed attempt.
    fn adopt(
        &mut self,
        attempt: &Attempt,
        intents: &[Intent],
        executed: Executed,
        payment: &mut Payment,
    ) -> AttemptOutcome {
        if let Some(badge) = &attempt.badge {
            self.badge = executed.written.get(badge.object_id()).cloned();
        }
        payment.paid(&executed);
        if is_out_of_gas(&executed.outcome)
            && let Some(class) = payment.class
        {
            self.shared.budgets.forget(class);
        }
        let explicit_budget = intents.first().and_then(|intent| intent.gas.budget);
        outcome_of(executed, attempt.intents.len(), explicit_budget)
    }
}

/// Has the pool learn of a coin that was split off, for the lane that waits for it. Nothing waits
/// for the reading itself.
pub(super) fn find_split_coins(shared: &Arc<Shared>) {
    let reading = Arc::clone(shared);
    shared.spawn(async move {
        let read = tokio::select! {
            read = reading.gas.refresh(reading.ports.chain.as_ref()) => read,
            () = reading.stopping.cancelled() => return,
        };
        if let Err(error) = read {
            warn!(error = with_causes(&error), "the coins can't be read");
        }
    });
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

/// What an attempt with so many intents came to; the budget is the request's own, if it had one.
pub(super) fn outcome_of(
    executed: Executed,
    batch: usize,
    explicit_budget: Option<Mist>,
) -> AttemptOutcome {
    let receipt = Receipt {
        gas_used: executed.gas_used,
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
        } if explicit_budget.is_none() => return AttemptOutcome::Cancelled { reason, receipt },
        outcome => outcome,
    };
    // Of a single claim that the treasury is too small for, the call is right, only too early: it is
    // not over for a treasury that was emptied between the simulation and the execution.
    let goes_on = batch > 1
        || matches!(&outcome, ExecutionOutcome::Abort(abort) if abort.is_treasury_short());
    let failure = failure_of(outcome, explicit_budget.unwrap_or(Mist::ZERO));
    if goes_on {
        AttemptOutcome::BatchAborted { failure, receipt }
    } else {
        AttemptOutcome::Aborted { failure, receipt }
    }
}

pub(super) fn failure_of(outcome: ExecutionOutcome, gas_budget: Mist) -> Failure {
    match outcome {
        ExecutionOutcome::Abort(abort) => Failure::from_abort(abort),
        ExecutionOutcome::Failed {
            out_of_gas: true, ..
        } => Failure::GasBudgetTooLow { gas_budget },
        ExecutionOutcome::Failed { reason, .. } | ExecutionOutcome::Cancelled { reason } => {
            Failure::ExecutionFailed { reason }
        }
        ExecutionOutcome::Success => Failure::Internal {
            reason: String::from("a success was taken for a failure"),
        },
    }
}

#[cfg(test)]
mod tests;
