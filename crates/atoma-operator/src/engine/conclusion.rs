//! The end of an attempt: written down, its versions taken over, those who wait told.

use atoma_domain::Mist;
use atoma_domain::journal::{
    Attempt, AttemptOutcome, AttemptStatus, Conclusion, Failure, Intent, IntentStatus,
};
use atoma_domain::ports::{Executed, ExecutionOutcome};
use tracing::{info, warn};

use super::attempt::{Funds, Step};
use super::fate::Fate;
use super::gas::GasLease;
use super::lane::Lane;
use super::outcomes::Outcome;
use crate::Ports;
use crate::causes::with_causes;

impl Lane {
    /// Writes an attempt's fate down, takes over the versions it left, and tells who waits.
    pub(super) async fn settle_fate(
        &mut self,
        attempt: &Attempt,
        intents: Vec<Intent>,
        fate: Option<Fate>,
        mut lease: GasLease,
        funds: Option<&Funds>,
    ) -> Step {
        let Some(fate) = fate else {
            return Step::Stopped;
        };
        let explicit_budget = intents.first().and_then(|intent| intent.gas.budget);
        let outcome = match fate {
            Fate::Executed(executed) => {
                let split = funds.map_or(Mist::ZERO, |funds| funds.split);
                let is_success = executed.outcome == ExecutionOutcome::Success;
                self.adopt_effects(attempt, &executed);
                lease.paid(&executed, if is_success { split } else { Mist::ZERO });
                if matches!(
                    &executed.outcome,
                    ExecutionOutcome::Failed {
                        out_of_gas: true,
                        ..
                    }
                ) && let Some(Funds { class, .. }) = funds
                {
                    self.shared.budgets.forget(*class);
                }
                outcome_of(*executed, intents.len(), explicit_budget)
            }
            Fate::Dead(reason) => {
                info!(digest = %attempt.digest(), reason, "the attempt is dead");
                self.badge = None;
                lease.forget();
                AttemptOutcome::Dead { reason }
            }
            Fate::Refused(failure) => {
                lease.forget();
                AttemptOutcome::Refused { failure }
            }
        };
        let now = self.shared.ports.clock.now();
        match outcome.status() {
            AttemptStatus::Succeeded => self.shared.guard.note(true, now),
            AttemptStatus::Aborted | AttemptStatus::Refused => self.shared.guard.note(false, now),
            // Nobody's fault, and tried again.
            AttemptStatus::Cancelled | AttemptStatus::Dead | AttemptStatus::Signed => {}
        }
        let has_split = funds.is_some_and(|funds| funds.split > Mist::ZERO);
        // Given back before the journal is written: others wait for it.
        drop(lease);
        if has_split {
            self.find_split_coins().await;
        }
        let Ports { journal, clock, .. } = &self.shared.ports;
        let conclusion = Conclusion {
            digest: attempt.digest(),
            outcome,
        };
        let written = self
            .shared
            .insist(|| journal.conclude(&conclusion, clock.now()));
        if !written.await {
            return Step::Stopped;
        }
        match conclusion.outcome {
            AttemptOutcome::BatchAborted { .. } => return Step::Split(intents),
            AttemptOutcome::Cancelled { .. } | AttemptOutcome::Dead { .. } => {
                return Step::Again(intents);
            }
            AttemptOutcome::Succeeded { .. } => {
                self.announce(&intents, IntentStatus::Succeeded, Some(attempt), None);
            }
            AttemptOutcome::Aborted { failure, .. } => {
                self.announce(&intents, IntentStatus::Failed, Some(attempt), Some(failure));
            }
            AttemptOutcome::Refused { failure } => {
                self.announce(&intents, IntentStatus::Failed, None, Some(failure));
            }
        }
        Step::Finished
    }

    /// Has the pool learn of the coin that was split off, for the lane that waits for it.
    async fn find_split_coins(&self) {
        let shared = &self.shared;
        if let Err(error) = shared.gas.refresh(shared.ports.chain.as_ref()).await {
            warn!(error = with_causes(&error), "the coins can't be read");
        }
    }

    /// Takes the badge's new version from the effects.
    fn adopt_effects(&mut self, attempt: &Attempt, executed: &Executed) {
        if let Some(badge) = &attempt.badge {
            self.badge = executed.written.get(badge.object_id()).cloned();
        }
    }

    fn announce(
        &self,
        intents: &[Intent],
        status: IntentStatus,
        attempt: Option<&Attempt>,
        failure: Option<Failure>,
    ) {
        for intent in intents {
            self.finish(
                intent,
                Outcome {
                    status,
                    tx_digest: attempt.map(Attempt::digest),
                    failure: failure.clone(),
                },
            );
        }
    }
}

fn outcome_of(executed: Executed, batch: usize, explicit_budget: Option<Mist>) -> AttemptOutcome {
    let (gas_used, effects) = (executed.gas_used, executed.effects);
    match executed.outcome {
        ExecutionOutcome::Success => AttemptOutcome::Succeeded { gas_used, effects },
        ExecutionOutcome::Cancelled { .. } => AttemptOutcome::Cancelled { gas_used, effects },
        // The learned budget was too small: simulate anew.
        ExecutionOutcome::Failed {
            out_of_gas: true, ..
        } if explicit_budget.is_none() => AttemptOutcome::Cancelled { gas_used, effects },
        _ if batch > 1 => AttemptOutcome::BatchAborted { gas_used, effects },
        outcome => AttemptOutcome::Aborted {
            failure: failure_of(outcome, explicit_budget.unwrap_or(Mist::ZERO)),
            gas_used,
            effects,
        },
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
