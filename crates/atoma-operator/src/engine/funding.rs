//! Paying for an attempt: its budget and its coin.

use atoma_domain::Mist;
use atoma_domain::contract::ContractCall;
use atoma_domain::journal::{Failure, GasOptions, Intent};
use atoma_domain::ports::{
    ChainError, ContractView, ExecutionOutcome, SimulatedGas, Simulation, TransactionPlan,
};
use tracing::error;

use super::attempt::{Funds, Ready, Step};
use super::budget::{CallClass, with_margin};
use super::conclusion::failure_of;
use super::fate::simulation_failure;
use super::gas::{GasError, GasLease};
use super::lane::Lane;
use super::reads::{ask, is_expiration};
use crate::causes::{chain_failure, with_causes};

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
        let shared = &self.shared;
        let own_terms = first.gas != GasOptions::default();
        let learnable = first.action.kind() == "settle_stack" && !own_terms;
        let learned = shared
            .budgets
            .get(class, plan.expires_after, plan.gas_price)
            .filter(|_| learnable);
        let budget = match learned {
            Some(budget) => budget,
            None => {
                let least = first.gas.budget.unwrap_or(Mist::new(1));
                let lease = self.lease(&intents, &first, least).await?;
                plan.gas = lease.references();
                let ceiling = Mist::new(shared.config.gas_budget_ceiling);
                plan.gas_budget = first.gas.budget.unwrap_or(lease.balance().min(ceiling));
                let needed = self.simulate(&intents, &plan).await?;
                let budget = first
                    .gas
                    .budget
                    .unwrap_or_else(|| with_margin(needed, &shared.config));
                if learnable {
                    shared
                        .budgets
                        .learn(class, plan.expires_after, plan.gas_price, budget);
                }
                budget
            }
        };
        self.heed_the_cap(&intents, budget).await?;
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
        let split = plan.split.first().copied().unwrap_or(Mist::ZERO);
        Ok(Ready {
            intents,
            plan,
            lease,
            funds: Funds { class, split },
        })
    }

    async fn heed_the_cap(&self, intents: &[Intent], budget: Mist) -> Result<(), Step> {
        let ports = &self.shared.ports;
        let guard = &self.shared.guard;
        match guard
            .over_the_cap(budget, ports.journal.as_ref(), ports.clock.as_ref())
            .await
        {
            Ok(None) => Ok(()),
            Ok(Some(failure)) => Err(self.fail_all(intents, &failure).await),
            Err(error) => {
                error!(
                    error = with_causes(&error),
                    "what was spent can't be read; trying again"
                );
                Err(Step::Wait(intents.to_vec()))
            }
        }
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
            Err(GasError::Insufficient) => Failure::GasBalanceInsufficient { gas_budget: budget },
            Err(GasError::NotOwned(object_id)) => Failure::ObjectNotUsable {
                object_id,
                reason: String::from("it is not a SUI coin of the operator's address"),
            },
            Err(GasError::Chain(error)) => chain_failure(&error),
        };
        Err(self.fail_all(intents, &failure).await)
    }

    /// The gas that the plan needs, if it would succeed.
    async fn simulate(&self, intents: &[Intent], plan: &TransactionPlan) -> Result<Mist, Step> {
        let asked_for = intents.first().and_then(|intent| intent.gas.budget);
        let gas = SimulatedGas::for_budget(asked_for);
        let failure = match self.try_simulation(plan, gas).await {
            Ok(simulation) => match simulation.outcome {
                ExecutionOutcome::Success => return Ok(simulation.gas_needed),
                ExecutionOutcome::Abort(_) | ExecutionOutcome::Failed { .. }
                    if intents.len() > 1 =>
                {
                    return Err(Step::Split(intents.to_vec()));
                }
                outcome => failure_of(outcome, plan.gas_budget),
            },
            // The epoch has ended since the plan was made: plan anew.
            Err(error) if is_expiration(&error) => return Err(Step::Wait(intents.to_vec())),
            Err(error) => simulation_failure(&error, plan.gas_budget),
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
