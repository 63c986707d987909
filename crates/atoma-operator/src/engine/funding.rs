//! Paying for an attempt: its budget, its coin, and its place under the cap.

use std::sync::Arc;

use atoma_domain::contract::ContractCall;
use atoma_domain::journal::{Attempt, AttemptOutcome, Failure, GasOptions, Intent};
use atoma_domain::ports::{
    ChainError, ContractView, Executed, ExecutionOutcome, SimulatedGas, Simulation, TransactionPlan,
};
use atoma_domain::{Mist, ObjectReference};

use super::attempt::{Ready, Step};
use super::budget::{CallClass, with_margin};
use super::conclusion::{failure_of, find_split_coins};
use super::fate::simulation_failure;
use super::gas::{GasError, GasLease};
use super::guard::Reservation;
use super::lane::Lane;
use super::reads::{Unanswered, ask};
use super::shared::Shared;
use crate::causes::{chain_failure, internal};

/// What an attempt is paid with.
#[derive(Debug)]
pub(super) struct Payment {
    pub(super) lease: GasLease,
    /// Which learned budget was used; none for an attempt from before this process.
    pub(super) class: Option<CallClass>,
    /// How much was split off the paying coin.
    split: Mist,
    reservation: Reservation,
}

impl Payment {
    /// What pays for an attempt that was signed before this process began.
    pub(super) fn known(shared: &Shared, attempt: &Attempt) -> Self {
        let coins = attempt.gas.iter().map(|coin| *coin.object_id());
        Self {
            lease: shared.gas.lease_known(coins),
            class: None,
            split: Mist::ZERO,
            reservation: shared.guard.reserve_known(attempt.gas_budget),
        }
    }

    /// Takes the coins' new versions from effects.
    pub(super) fn paid(&mut self, executed: &Executed) {
        if executed.outcome != ExecutionOutcome::Success {
            self.split = Mist::ZERO;
        }
        self.lease.paid(executed, self.split);
    }

    /// Gives the coins back. What remains is the budget's place under the cap.
    pub(super) fn end(self, shared: &Arc<Shared>) -> Reservation {
        drop(self.lease);
        if self.split > Mist::ZERO {
            find_split_coins(shared);
        }
        self.reservation
    }

    /// Keeps the coins from everybody else until the next start.
    pub(super) fn keep(self) {
        self.lease.keep();
    }
}

impl Lane {
    /// Chooses budget and coin. Settlements come in bulk and need much the same gas, so they share
    /// a budget learned once an epoch. All else is simulated each time, which finds out what the
    /// contract would refuse before gas is spent on it.
    pub(super) async fn fund(
        &self,
        intents: Vec<Intent>,
        first: Intent,
        mut plan: TransactionPlan,
        class: CallClass,
    ) -> Result<Ready, Step> {
        let own_terms = first.gas != GasOptions::default();
        let budget = self.budget(&intents, &first, &mut plan, class).await?;
        let lease = self.lease(&intents, &first, budget).await?;
        plan.gas = lease.references();
        plan.gas_budget = budget;
        // A request's own terms are kept as they are.
        if !own_terms {
            plan.split = lease.to_split(budget_with_split(budget));
            if !plan.split.is_empty() {
                plan.gas_budget = budget_with_split(budget);
            }
        }
        // Bytes that were refused once are not made again; a budget that was asked for is kept.
        if first.gas.budget.is_none() {
            let variation = Mist::new(self.variation);
            let varied = plan.gas_budget.checked_add(variation);
            plan.gas_budget = varied.unwrap_or(plan.gas_budget);
        }
        let split = plan.split.first().copied().unwrap_or(Mist::ZERO);
        let reservation = self.reserve(&intents, plan.gas_budget).await?;
        Ok(Ready {
            intents,
            plan,
            payment: Payment {
                lease,
                class: Some(class),
                split,
                reservation,
            },
        })
    }

    /// The budget asked for, learned, or simulated.
    async fn budget(
        &self,
        intents: &[Intent],
        first: &Intent,
        plan: &mut TransactionPlan,
        class: CallClass,
    ) -> Result<Mist, Step> {
        let shared = &self.shared;
        let learnable = first.action.kind() == "settle_stack" && first.gas == GasOptions::default();
        let learned = shared
            .budgets
            .get(class, plan.expires_after, plan.gas_price)
            .filter(|_| learnable);
        if let Some(budget) = learned {
            return Ok(budget);
        }
        let least = first.gas.budget.unwrap_or(Mist::new(1));
        let lease = self.lease(intents, first, least).await?;
        plan.gas = lease.references();
        let ceiling = Mist::new(shared.config.gas_budget_ceiling);
        plan.gas_budget = first.gas.budget.unwrap_or(lease.balance().min(ceiling));
        let needed = self.simulate(intents, plan, lease).await?;
        if let Some(budget) = first.gas.budget {
            return Ok(budget);
        }
        let Some(budget) = with_margin(needed, &shared.config) else {
            let failure = Failure::GasBudgetTooLow {
                gas_budget: ceiling,
            };
            return Err(self.too_dear(intents, &failure).await);
        };
        if learnable {
            shared
                .budgets
                .learn(class, plan.expires_after, plan.gas_price, budget);
        }
        Ok(budget)
    }

    /// Has the budget count against the cap.
    async fn reserve(&self, intents: &[Intent], budget: Mist) -> Result<Reservation, Step> {
        let ports = &self.shared.ports;
        let reserved =
            self.shared
                .guard
                .reserve(budget, ports.journal.as_ref(), ports.clock.as_ref());
        match reserved.await {
            Ok(Ok(reservation)) => Ok(reservation),
            Ok(Err(reached)) if reached.is_final => {
                Err(self.too_dear(intents, &reached.failure).await)
            }
            // What is on its way may cost less than was put by for it.
            Ok(Err(reached)) => Err(Step::Outage {
                intents: intents.to_vec(),
                why: reached.failure,
            }),
            Err(error) => Err(Step::Outage {
                intents: intents.to_vec(),
                why: internal(error),
            }),
        }
    }

    /// What becomes of a batch that can't be paid for: half of it may be, where the daemon chooses the
    /// budget.
    async fn too_dear(&self, intents: &[Intent], failure: &Failure) -> Step {
        let is_own_choice = intents
            .first()
            .is_some_and(|first| first.gas.budget.is_none());
        if intents.len() > 1 && is_own_choice {
            return Step::Split(intents.to_vec());
        }
        self.fail_all(intents, failure).await
    }

    async fn lease(
        &self,
        intents: &[Intent],
        first: &Intent,
        budget: Mist,
    ) -> Result<GasLease, Step> {
        let shared = &self.shared;
        let leased = shared.gas.lease(shared, first.gas.coin, budget).await;
        let failure = match leased {
            Ok(lease) => return Ok(lease),
            Err(GasError::Insufficient) => {
                let failure = Failure::GasBalanceInsufficient { gas_budget: budget };
                return Err(self.too_dear(intents, &failure).await);
            }
            Err(GasError::NotOwned(object_id)) => Failure::ObjectNotUsable {
                object_id,
                reason: String::from("it is not a SUI coin of the operator's address"),
            },
            Err(GasError::Chain(error)) => {
                return Err(self.unanswered(intents, &error).await);
            }
        };
        Err(self.fail_all(intents, &failure).await)
    }

    /// The gas that the plan needs, if it would succeed. The lease ends with it.
    async fn simulate(
        &self,
        intents: &[Intent],
        plan: &TransactionPlan,
        mut lease: GasLease,
    ) -> Result<Mist, Step> {
        let asked_for = intents.first().and_then(|intent| intent.gas.budget);
        let gas = SimulatedGas::for_budget(asked_for);
        let simulation = match self.try_simulation(plan, gas).await {
            Ok(simulation) => simulation,
            Err(error) => {
                // A coin may be what is refused: have it read again.
                lease.forget();
                drop(lease);
                let failure = simulation_failure(&error, plan.gas_budget);
                return Err(if is_own_choice(&failure, &plan.gas, intents) {
                    Step::Outage {
                        intents: intents.to_vec(),
                        why: chain_failure(&error),
                    }
                } else {
                    self.unanswered(intents, &error).await
                });
            }
        };
        let failure = match simulation.outcome {
            ExecutionOutcome::Success => return Ok(simulation.gas_needed),
            ExecutionOutcome::Abort(abort) if abort.is_treasury_short() => {
                return Err(Step::Short(intents.to_vec()));
            }
            ExecutionOutcome::Abort(_) | ExecutionOutcome::Failed { .. } if intents.len() > 1 => {
                return Err(Step::Split(intents.to_vec()));
            }
            outcome => failure_of(outcome, plan.gas_budget),
        };
        Err(self.fail_all(intents, &failure).await)
    }

    async fn try_simulation(
        &self,
        plan: &TransactionPlan,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        let chain = &self.shared.ports.chain;
        let unsigned = chain.build(plan)?;
        ask(&self.shared.config, || chain.simulate(&unsigned, gas)).await
    }

    /// What to do about a question that the chain did not answer, or answered with a refusal.
    pub(super) async fn unanswered(&self, intents: &[Intent], error: &ChainError) -> Step {
        let intents = intents.to_vec();
        let gas_budget = intents.first().and_then(|intent| intent.gas.budget);
        match Unanswered::of(error, gas_budget.unwrap_or(Mist::ZERO)) {
            Unanswered::Outage(why) => Step::Outage { intents, why },
            Unanswered::Doubtful(failure) => Step::doubt(&intents, &failure),
            Unanswered::Final(failure) => self.fail_all(&intents, &failure).await,
        }
    }
}

/// How an attempt ends that was refused on its only sending. That a coin of the daemon's choice
/// can't be used says nothing of what was asked for: it is paid with another.
pub(super) fn end_of_refused(
    failure: Failure,
    attempt: &Attempt,
    intents: &[Intent],
) -> AttemptOutcome {
    if is_own_choice(&failure, &attempt.gas, intents) {
        let reason = format!("it was refused, and is never sent again: {failure}");
        return AttemptOutcome::Dead { reason };
    }
    AttemptOutcome::Refused { failure }
}

/// Whether a failure is about one of these coins, which no request named.
fn is_own_choice(failure: &Failure, gas: &[ObjectReference], intents: &[Intent]) -> bool {
    let Failure::ObjectNotUsable { object_id, .. } = failure else {
        return false;
    };
    let named = intents.first().and_then(|intent| intent.gas.coin);
    named != Some(*object_id) && gas.iter().any(|coin| coin.object_id() == object_id)
}

/// A budget that also covers splitting one coin off: its storage, and two commands more.
fn budget_with_split(budget: Mist) -> Mist {
    const SPLIT_GAS: Mist = Mist::new(5_000_000);
    budget.checked_add(SPLIT_GAS).unwrap_or(budget)
}

/// What the calls' gas depends on: the function, and how many leaves a ticket will hold.
pub(super) fn class(calls: &[ContractCall], view: &ContractView) -> CallClass {
    let function = calls.first().map_or("none", ContractCall::function);
    let size = match (calls.first(), &view.subscribers) {
        (Some(ContractCall::TrySettleStack { .. }), Some(subscribers)) => {
            view.parameters.cross_validation_extra_nodes_count
                + u64::try_from(subscribers.len()).unwrap_or(u64::MAX / 2)
                + 1
        }
        _ => 0,
    };
    CallClass { function, size }
}
