//! Paying for a planned transaction: its gas budget, its gas coins, and its place under the cap.

use std::sync::Arc;

use atoma_domain::Mist;
use atoma_domain::journal::{Failure, GasOptions, Intent};
use atoma_domain::ports::{
    Chain, ChainError, ExecutionOutcome, SimulatedGas, Simulation, TransactionPlan,
};

use super::failures::{failure_of, is_own_coin, unanswered};
use super::next::Next;
use super::payment::Payment;
use super::plan::Planned;
use crate::causes::chain_failure;
use crate::engine::limits::Reservation;
use crate::engine::payment::{CallClass, GasError, GasLease, with_margin};
use crate::engine::reads::{ask, refusal};
use crate::engine::shared::{Context, fail_all};
use crate::engine::wait_reason::WaitReason;

/// A transaction that is ready to be signed.
#[derive(Debug)]
pub(in crate::engine) struct Funded {
    /// Where it was read, and where it goes.
    pub(in crate::engine) chain: Arc<dyn Chain>,
    pub(in crate::engine) intents: Vec<Intent>,
    pub(in crate::engine) plan: TransactionPlan,
    pub(in crate::engine) payment: Payment,
}

/// Chooses budget and coins, and reserves the budget under the cap. `variation`, in MIST, is added
/// to a budget of the daemon's choice, so that refused bytes are not made again.
///
/// Settlements come in bulk and need much the same gas, so they share a budget that is learned once
/// an epoch. Everything else is simulated each time, which finds what the contract would refuse
/// before gas is spent on it.
///
/// # Errors
/// What to do with the batch instead.
pub(in crate::engine) async fn fund(
    context: &Context,
    planned: Planned,
    variation: Mist,
) -> Result<Funded, Next> {
    let Planned {
        chain,
        intents,
        mut plan,
        class,
    } = planned;
    let gas = terms(&intents);
    let budget = choose_budget(context, chain.as_ref(), &intents, &mut plan, class).await?;
    let mut lease = lease(context, chain.as_ref(), &intents, budget).await?;
    plan.gas = lease.references();
    plan.gas_budget = budget;
    // A request's own terms are kept as they are.
    if gas == GasOptions::default() {
        plan.split = lease.to_split(budget_with_split(budget));
        if !plan.split.is_empty() {
            plan.gas_budget = budget_with_split(budget);
        }
    }
    if gas.budget.is_none() {
        let varied = plan.gas_budget.checked_add(variation);
        plan.gas_budget = varied.unwrap_or(plan.gas_budget);
    }
    if gas.price.is_some() && gas.budget.is_none() {
        // The first simulation did not pay the request's price. What the network would refuse must be
        // found before it is signed: a refused attempt blocks its badge until the epoch ends.
        simulate(
            context,
            chain.as_ref(),
            &intents,
            &plan,
            &mut lease,
            SimulatedGas::AsPlanned,
        )
        .await?;
    }
    let reservation = reserve(context, &intents, plan.gas_budget).await?;
    Ok(Funded {
        chain,
        intents,
        payment: Payment {
            lease,
            class: Some(class),
            split: plan.split.first().copied().unwrap_or(Mist::ZERO),
            reservation,
        },
        plan,
    })
}

/// How the batch is to be paid for: all of it has the same terms.
fn terms(intents: &[Intent]) -> GasOptions {
    intents.first().map(|first| first.gas).unwrap_or_default()
}

/// The budget that was asked for, learned, or simulated.
async fn choose_budget(
    context: &Context,
    chain: &dyn Chain,
    intents: &[Intent],
    plan: &mut TransactionPlan,
    class: CallClass,
) -> Result<Mist, Next> {
    let gas = terms(intents);
    let is_settlement = intents
        .first()
        .is_some_and(|first| first.action.kind() == "settle_stack");
    let is_learnable = is_settlement && gas == GasOptions::default();
    let learned = context
        .budgets
        .get(class, plan.expires_after, plan.gas_price)
        .filter(|_| is_learnable);
    if let Some(budget) = learned {
        return Ok(budget);
    }
    let least = gas.budget.unwrap_or(Mist::new(1));
    let mut lease = lease(context, chain, intents, least).await?;
    plan.gas = lease.references();
    let ceiling = Mist::new(context.config.gas_budget_ceiling);
    plan.gas_budget = gas.budget.unwrap_or(lease.balance().min(ceiling));
    let how = SimulatedGas::for_budget(gas.budget);
    let needed = simulate(context, chain, intents, plan, &mut lease, how).await?;
    drop(lease);
    if let Some(budget) = gas.budget {
        return Ok(budget);
    }
    let Some(budget) = with_margin(needed, &context.config) else {
        let failure = Failure::GasBudgetTooLow {
            gas_budget: ceiling,
        };
        return Err(too_expensive(context, intents, &failure).await);
    };
    if is_learnable {
        context
            .budgets
            .learn(class, plan.expires_after, plan.gas_price, budget);
    }
    Ok(budget)
}

/// Counts the budget against the cap.
async fn reserve(context: &Context, intents: &[Intent], budget: Mist) -> Result<Reservation, Next> {
    let ports = &context.ports;
    let reserved = context
        .limits
        .reserve(budget, ports.journal.as_ref(), ports.clock.as_ref());
    let wait = |reason| Next::Wait {
        intents: intents.to_vec(),
        reason,
    };
    match reserved.await {
        Ok(Ok(reservation)) => Ok(reservation),
        Ok(Err(reached)) if reached.is_final => {
            Err(too_expensive(context, intents, &reached.failure).await)
        }
        // Running transactions may cost less than their budgets.
        Ok(Err(reached)) => Err(wait(WaitReason::SpendCap(reached.failure))),
        Err(error) => Err(wait(WaitReason::database(&error))),
    }
}

/// What to do with a batch that can't be paid for: half of it may be affordable, if the daemon
/// chooses the budget.
async fn too_expensive(context: &Context, intents: &[Intent], failure: &Failure) -> Next {
    if intents.len() > 1 && terms(intents).budget.is_none() {
        return Next::Split(intents.to_vec());
    }
    fail_all(context, intents, failure).await;
    Next::Nothing
}

async fn lease(
    context: &Context,
    chain: &dyn Chain,
    intents: &[Intent],
    budget: Mist,
) -> Result<GasLease, Next> {
    let Context { gas, config, .. } = context;
    let leased = gas.lease(chain, config, terms(intents).coin, budget).await;
    let failure = match leased {
        Ok(lease) => return Ok(lease),
        Err(GasError::Insufficient) => {
            let failure = Failure::GasBalanceInsufficient { gas_budget: budget };
            return Err(too_expensive(context, intents, &failure).await);
        }
        Err(GasError::Incomplete) => {
            let address = context.ports.signer.address();
            let reason = format!(
                "the Sui node shows too few SUI coins of {address}: send SUI, or wait until its index is complete"
            );
            return Err(Next::Wait {
                intents: intents.to_vec(),
                reason: WaitReason::SuiNode(Failure::SuiNodeError { reason }),
            });
        }
        Err(GasError::NotOwned(object_id)) => Failure::ObjectNotUsable {
            object_id,
            reason: String::from("it is not a SUI coin of the operator's address"),
        },
        Err(GasError::Chain(error)) => {
            return Err(unanswered(context, intents, budget, &error).await);
        }
    };
    fail_all(context, intents, &failure).await;
    Err(Next::Nothing)
}

/// The gas that the plan needs, if it would succeed.
async fn simulate(
    context: &Context,
    chain: &dyn Chain,
    intents: &[Intent],
    plan: &TransactionPlan,
    lease: &mut GasLease,
    gas: SimulatedGas,
) -> Result<Mist, Next> {
    let simulation = match try_simulation(context, chain, plan, gas).await {
        Ok(simulation) => simulation,
        Err(error) => {
            // The node may refuse one of the coins: read them again.
            lease.forget();
            let is_own_coin =
                refusal(&error).is_some_and(|refusal| is_own_coin(refusal, &plan.gas, intents));
            return Err(if is_own_coin {
                Next::Wait {
                    intents: intents.to_vec(),
                    reason: WaitReason::SuiNode(chain_failure(&error)),
                }
            } else {
                unanswered(context, intents, plan.gas_budget, &error).await
            });
        }
    };
    let failure = match simulation.outcome {
        ExecutionOutcome::Success => return Ok(simulation.gas_needed),
        ExecutionOutcome::Abort(abort) if abort.is_treasury_short() => {
            return Err(Next::Short(intents.to_vec()));
        }
        ExecutionOutcome::Abort(_) | ExecutionOutcome::Failed { .. } if intents.len() > 1 => {
            return Err(Next::Split(intents.to_vec()));
        }
        outcome => failure_of(outcome, plan.gas_budget),
    };
    fail_all(context, intents, &failure).await;
    Err(Next::Nothing)
}

async fn try_simulation(
    context: &Context,
    chain: &dyn Chain,
    plan: &TransactionPlan,
    gas: SimulatedGas,
) -> Result<Simulation, ChainError> {
    let unsigned = chain.build(plan)?;
    ask(&context.config, || chain.simulate(&unsigned, gas)).await
}

/// A budget that also covers splitting off one coin: its storage, and two more commands.
fn budget_with_split(budget: Mist) -> Mist {
    const SPLIT_GAS: Mist = Mist::new(5_000_000);
    budget.checked_add(SPLIT_GAS).unwrap_or(budget)
}
