//! Rehearsing an intent: everything up to the signature, and nothing written or leased.

use atoma_domain::Mist;
use atoma_domain::TransactionId;
use atoma_domain::journal::{Failure, Intent, NewIntent};
use atoma_domain::ports::{ExecutionOutcome, SimulatedGas, TransactionPlan};

use super::conclusion::failure_of;
use super::fate::simulation_failure;
use super::prepare;
use super::submit::Engine;
use crate::causes::{chain_failure, internal};

impl Engine {
    /// What would become of an intent now: the gas that it needs, in MIST, or why it would fail.
    ///
    /// # Errors
    /// What would be its failure; database errors as [`Failure::Internal`].
    pub async fn rehearse(&self, intent: &NewIntent) -> Result<Mist, Failure> {
        let shared = self.shared();
        let ports = &shared.ports;
        let intent = Intent {
            // Not in the journal, and never will be.
            id: TransactionId::new(0),
            action: intent.action.clone(),
            actor: intent.actor,
            gas: intent.gas,
        };
        let local = prepare::gather(ports, &intent).await.map_err(internal)?;
        let gathered = [(intent, local)];
        let view = ports.chain.view(&prepare::query(&gathered)).await;
        let view = view.map_err(|error| chain_failure(&error))?;
        let [(intent, local)] = &gathered;
        let call = prepare::call(intent, local, &view)?;
        if intent.actor.badge().is_some() && view.badge.is_none() {
            return Err(Failure::NoNodeRegistered {});
        }
        let coins = ports.chain.gas_coins(intent.actor.address()).await;
        let coins = coins.map_err(|error| chain_failure(&error))?;
        let named = |id| coins.iter().find(|coin| coin.reference.object_id() == id);
        let coin = match &intent.gas.coin {
            Some(id) => named(id).ok_or_else(|| Failure::ObjectNotUsable {
                object_id: *id,
                reason: String::from("it is not a SUI coin of the operator's address"),
            })?,
            None => coins.first().ok_or(Failure::GasBalanceInsufficient {
                gas_budget: intent.gas.budget.unwrap_or(Mist::ZERO),
            })?,
        };
        let ceiling = Mist::new(shared.config.gas_budget_ceiling);
        let gas_budget = intent.gas.budget.unwrap_or(coin.balance.min(ceiling));
        if coin.balance < gas_budget {
            return Err(Failure::GasBalanceInsufficient { gas_budget });
        }
        let plan = TransactionPlan {
            split: Vec::new(),
            sender: intent.actor.address(),
            badge: view.badge.filter(|_| intent.actor.badge().is_some()),
            calls: vec![call],
            gas: vec![coin.reference.clone()],
            gas_price: intent.gas.price.unwrap_or(view.epoch.reference_gas_price),
            gas_budget,
            expires_after: view.epoch.epoch,
        };
        let unsigned = ports
            .chain
            .build(&plan)
            .map_err(|error| chain_failure(&error))?;
        let gas = SimulatedGas::for_budget(intent.gas.budget);
        let simulation = ports.chain.simulate(&unsigned, gas).await;
        let simulation = simulation.map_err(|error| simulation_failure(&error, gas_budget))?;
        match simulation.outcome {
            ExecutionOutcome::Success => Ok(simulation.gas_needed),
            outcome => Err(failure_of(outcome, gas_budget)),
        }
    }
}
