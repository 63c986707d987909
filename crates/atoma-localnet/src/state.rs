//! The contract's state as JSON.

use serde_json::{Map, Value, json};

use crate::contract;
use crate::core::NetworkCore;
use crate::vm::MoveError;

/// The state can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// The contract's objects can't be read.
    #[error("the contract's objects can't be read")]
    Objects(#[from] MoveError),
    /// The state can't be encoded in JSON.
    #[error("the state can't be encoded in JSON")]
    Json(#[from] serde_json::Error),
}

impl NetworkCore {
    /// Nodes, tasks, subscriptions, stacks, tickets, parameters and balances.
    ///
    /// # Errors
    /// See [`StateError`].
    pub(crate) fn state(&self) -> Result<Value, StateError> {
        let ledger = self.ledger();
        let contract = contract::read_state(ledger.objects(), &self.contract)?;
        let mut value = serde_json::to_value(&contract)?;
        let mut subscriptions = Vec::new();
        for (task, state) in &contract.tasks {
            for (node, offer) in &state.subscriptions {
                subscriptions.push(json!({
                    "task_small_id": task,
                    "node_small_id": node,
                    "price_per_one_million_compute_units": offer.price_per_one_million_compute_units,
                    "max_num_compute_units": offer.max_num_compute_units,
                }));
            }
        }
        let mut balances: Map<String, Value> = Map::new();
        for (owner, sums) in ledger.objects().all_balances() {
            balances.insert(owner.to_string(), json!(sums));
        }
        if let Some(value) = value.as_object_mut() {
            value.insert("epoch".to_owned(), json!(ledger.epoch().epoch));
            value.insert("checkpoint".to_owned(), json!(ledger.height()));
            value.insert("subscriptions".to_owned(), json!(subscriptions));
            value.insert("balances".to_owned(), Value::Object(balances));
        }
        Ok(value)
    }
}
