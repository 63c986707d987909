//! Rehearsing intents: everything up to the signature, with nothing written or leased.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atoma_domain::IntentId;
use atoma_domain::Mist;
use atoma_domain::journal::{Failure, GasOptions, Intent, NewIntent};
use atoma_domain::ports::{
    ExecutionOutcome, GasCoin, Opened, SimulatedGas, StoreError, TransactionPlan,
};
use tokio::task::JoinSet;

use super::engine::Engine;
use crate::Ports;
use crate::causes::{chain_failure, internal};
use crate::engine::attempt::{
    call, failure_of, gather, price_refusal, query, raises_dispute, simulation_failure,
};
use crate::engine::payment::{choose, sum, with_margin};

/// How many intents are rehearsed side by side.
const SIDE_BY_SIDE: usize = 4;

/// What a rehearsal showed of an intent that would succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// The gas that it needs, in MIST.
    pub gas_needed: Mist,
    /// Whether it raises a dispute, by the ticket on chain.
    pub raises_dispute: bool,
}

/// A rehearsal's result, or why the intent would fail.
type Rehearsed = Result<Rehearsal, Failure>;

impl Engine {
    /// Rehearses intents, in order. Those that take longer than `limit` fail.
    pub async fn rehearse(&self, intents: Vec<NewIntent>, limit: Duration) -> Vec<Rehearsed> {
        let mut rehearsed = vec![None; intents.len()];
        let all = self.rehearse_all(intents, &mut rehearsed);
        let refused = tokio::time::timeout(limit, all)
            .await
            .ok()
            .and_then(Result::err);
        let left = refused.unwrap_or_else(|| Failure::SuiNodeError {
            reason: String::from("the rehearsal did not finish within the request's time"),
        });
        let results = rehearsed.into_iter();
        results
            .map(|result| result.unwrap_or_else(|| Err(left.clone())))
            .collect()
    }

    /// Rehearses as many as time allows. A failure applies to all that are left.
    async fn rehearse_all(
        &self,
        intents: Vec<NewIntent>,
        rehearsed: &mut [Option<Rehearsed>],
    ) -> Result<(), Failure> {
        let Ports { chain, signer, .. } = &self.context().ports;
        let mut taken = BTreeMap::new();
        let mut admitted = Vec::with_capacity(intents.len());
        for (intent, result) in intents.into_iter().zip(rehearsed.iter_mut()) {
            match self.obstacle(&intent, &mut taken) {
                Some(obstacle) => *result = Some(Err(obstacle)),
                None => admitted.push(intent),
            }
        }
        let opened = self.would_open(&admitted).await;
        let open_places = rehearsed.iter_mut().enumerate();
        let open_places = open_places.filter(|(_, result)| result.is_none());
        let mut ahead = Vec::with_capacity(admitted.len());
        for (((place, result), intent), opened) in
            open_places.zip(admitted).zip(opened.map_err(internal)?)
        {
            match opened {
                Opened::Refused(failure) => *result = Some(Err(failure)),
                Opened::New(_) | Opened::Joined(_) => ahead.push((place, intent)),
            }
        }
        if ahead.is_empty() {
            return Ok(());
        }
        // The same address pays for all nodes.
        let coins = chain.gas_coins(signer.address()).await;
        let coins: Arc<[GasCoin]> = coins.map_err(|error| chain_failure(&error))?.into();
        let mut ahead = ahead.into_iter();
        let mut running = JoinSet::new();
        loop {
            for (place, intent) in ahead.by_ref().take(SIDE_BY_SIDE - running.len()) {
                let (engine, coins) = (self.clone(), Arc::clone(&coins));
                running.spawn(async move { (place, engine.rehearse_one(intent, &coins).await) });
            }
            match running.join_next().await {
                Some(Ok((place, result))) => rehearsed[place] = Some(result),
                Some(Err(error)) => {
                    return Err(Failure::Internal {
                        reason: error.to_string(),
                    });
                }
                None => return Ok(()),
            }
        }
    }

    /// What opening these would do. One request at a time, as for real: dry runs must not fill the queue of
    /// the lanes' writes.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "`opening` is held across a call of the database only"
    )]
    async fn would_open(&self, intents: &[NewIntent]) -> Result<Vec<Opened>, StoreError> {
        let _opening = self.opening().await;
        let Ports { journal, clock, .. } = &self.context().ports;
        journal.would_open(intents, clock.now()).await
    }

    /// Rehearses one intent, paid by one of these coins.
    async fn rehearse_one(&self, intent: NewIntent, coins: &[GasCoin]) -> Rehearsed {
        let context = self.context();
        let ports = &context.ports;
        let intent = Intent {
            // It never gets into the journal.
            id: IntentId::new(0),
            action: intent.action,
            actor: intent.actor,
            gas: intent.gas,
        };
        let local = gather(ports, &intent).await.map_err(internal)?;
        let gathered = [(intent, local)];
        let view = ports.chain.view(&query(&gathered)).await;
        let view = view.map_err(|error| chain_failure(&error))?;
        let [(intent, local)] = &gathered;
        if let Some(refused) = price_refusal(&intent.gas, &view.epoch) {
            return Err(refused);
        }
        let call = call(intent, local, &view)?;
        let raises_dispute = raises_dispute(&call, &view);
        if intent.actor.badge().is_some() && view.badge.is_none() {
            return Err(Failure::NoNodeRegistered {});
        }
        let paying = paying_coins(&intent.gas, coins)?;
        let ceiling = Mist::new(context.config.gas_budget_ceiling);
        let balance = sum(paying.iter().map(|coin| coin.balance));
        let gas_budget = intent.gas.budget.unwrap_or(balance.min(ceiling));
        let plan = TransactionPlan {
            split: Vec::new(),
            sender: intent.actor.address(),
            badge: view.badge.filter(|_| intent.actor.badge().is_some()),
            calls: vec![call],
            gas: paying.into_iter().map(|coin| coin.reference).collect(),
            gas_price: intent.gas.price.unwrap_or(view.epoch.reference_gas_price),
            gas_budget,
            expires_after: view.epoch.epoch,
        };
        let gas = SimulatedGas::for_budget(intent.gas.budget);
        let needed = self.simulate(&plan, gas).await?;
        let budget = self.check_budget(&intent.gas, needed, coins).await?;
        if intent.gas.price.is_some() && intent.gas.budget.is_none() {
            self.check_price(plan, &intent.gas, budget, coins).await?;
        }
        Ok(Rehearsal {
            gas_needed: needed,
            raises_dispute,
        })
    }

    /// Simulates a transaction that is planned; returns the gas that it needs.
    async fn simulate(&self, plan: &TransactionPlan, gas: SimulatedGas) -> Result<Mist, Failure> {
        let chain = &self.context().ports.chain;
        let unsigned = chain.build(plan).map_err(|error| chain_failure(&error))?;
        let simulation = chain.simulate(&unsigned, gas).await;
        let simulation = simulation.map_err(|error| simulation_failure(&error, plan.gas_budget))?;
        match simulation.outcome {
            ExecutionOutcome::Success => Ok(simulation.gas_needed),
            outcome => Err(failure_of(outcome, plan.gas_budget)),
        }
    }

    /// The budget that a transaction would get, if it can be paid and fits under the cap.
    async fn check_budget(
        &self,
        gas: &GasOptions,
        needed: Mist,
        coins: &[GasCoin],
    ) -> Result<Mist, Failure> {
        let context = self.context();
        let config = &context.config;
        let gas_budget = match gas.budget {
            Some(budget) => budget,
            None => with_margin(needed, config).ok_or(Failure::GasBudgetTooLow {
                gas_budget: Mist::new(config.gas_budget_ceiling),
            })?,
        };
        if sum(usable(gas, coins).map(|coin| coin.balance)) < gas_budget {
            return Err(Failure::GasBalanceInsufficient { gas_budget });
        }
        let Ports { journal, clock, .. } = &context.ports;
        let checked = context
            .limits
            .check(gas_budget, journal.as_ref(), clock.as_ref());
        match checked.await.map_err(internal)? {
            Err(reached) => Err(reached.failure),
            Ok(()) => Ok(gas_budget),
        }
    }

    /// Checks that the network takes the request's price, which the first simulation did not pay.
    async fn check_price(
        &self,
        plan: TransactionPlan,
        gas: &GasOptions,
        gas_budget: Mist,
        coins: &[GasCoin],
    ) -> Result<(), Failure> {
        let with_budget = GasOptions {
            budget: Some(gas_budget),
            ..*gas
        };
        let paying = paying_coins(&with_budget, coins)?;
        let plan = TransactionPlan {
            gas: paying.into_iter().map(|coin| coin.reference).collect(),
            gas_budget,
            ..plan
        };
        self.simulate(&plan, SimulatedGas::AsPlanned).await?;
        Ok(())
    }
}

/// The coins that may pay: the one that the request names, or all.
fn usable<'c>(gas: &GasOptions, coins: &'c [GasCoin]) -> impl Iterator<Item = &'c GasCoin> {
    let named = gas.coin;
    coins
        .iter()
        .filter(move |coin| named.is_none_or(|id| id == *coin.reference.object_id()))
}

/// The coins that would pay, if none were leased: the one that the request names, or those that the
/// daemon would choose.
fn paying_coins(gas: &GasOptions, coins: &[GasCoin]) -> Result<Vec<GasCoin>, Failure> {
    let mut usable: Vec<GasCoin> = usable(gas, coins).cloned().collect();
    if let (Some(object_id), true) = (gas.coin, usable.is_empty()) {
        return Err(Failure::ObjectNotUsable {
            object_id,
            reason: String::from("it is not a SUI coin of the operator's address"),
        });
    }
    if usable.is_empty() {
        return Err(Failure::SuiNodeError {
            reason: String::from("the Sui node lists no SUI coin of the operator's address"),
        });
    }
    usable.sort_by_key(|coin| coin.balance);
    let gas_budget = gas.budget.unwrap_or(Mist::new(1));
    choose(usable, gas_budget).ok_or(Failure::GasBalanceInsufficient { gas_budget })
}
