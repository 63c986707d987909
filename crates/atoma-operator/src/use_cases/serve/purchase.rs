//! Taking a purchase into the mirror before the ledger stream delivers it.
//!
//! Whoever bought a stack a moment ago expects to be served at once. The purchase is read from the Sui
//! node, checked against the contract's own table, and applied with the event's usual effect. The cursor
//! stays where it is: the stream delivers the same event later, and then it changes nothing.

use std::time::Duration;

use atoma_domain::events::{ContractEvent, StackCreated};
use atoma_domain::journal::Failure;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{ContractView, Executed, ExecutionOutcome, ViewQuery};
use atoma_domain::{Address, Digest};

use crate::causes::{chain_failure, internal};
use crate::use_cases::operator::Operator;

/// How long to wait for a purchase that the Sui node does not know yet.
const PATIENCE: Duration = Duration::from_secs(2);

impl Operator {
    /// Takes the stacks that an owner bought in a transaction into the mirror, as far as the operator's
    /// nodes serve them and they are still open on chain.
    ///
    /// # Errors
    /// [`Failure::UnknownPurchase`] when neither the Sui node nor the mirror knows the transaction;
    /// [`Failure::NotAPurchase`] when it bought no such stack.
    pub(super) async fn mirror_purchase(
        &self,
        tx_digest: Digest,
        owner_address: Address,
    ) -> Result<(), Failure> {
        let not_a_purchase = Failure::NotAPurchase {
            tx_digest,
            owner_address,
        };
        // A node of another chain must not add to this mirror.
        let chain = &self.ports.chain;
        let identity = chain.identity().await.map_err(|e| chain_failure(&e))?;
        self.ports.events.bind(&identity).await.map_err(internal)?;

        let executed = chain.lookup(tx_digest).await;
        let Some(executed) = executed.map_err(|e| chain_failure(&e))? else {
            // Absence proves nothing. A node that lags may deliver it with the stream in a moment.
            if self.applied.wait_for(tx_digest, PATIENCE).await {
                return Ok(());
            }
            return Err(Failure::UnknownPurchase { tx_digest });
        };
        let nodes = self.nodes().await?;
        let bought = purchases(executed, owner_address, &nodes);
        if bought.is_empty() {
            return Err(not_a_purchase);
        }
        let ids = bought.iter().map(|purchase| purchase.stack_small_id);
        let query = ViewQuery {
            stacks: ids.clone().collect(),
            tickets: ids.collect(),
            ..ViewQuery::default()
        };
        let view = chain.view(&query).await.map_err(|e| chain_failure(&e))?;
        let open: Vec<_> = bought
            .into_iter()
            .filter(|purchase| is_open(purchase, &view))
            .collect();
        if open.is_empty() {
            return Err(not_a_purchase);
        }
        let events = &self.ports.events;
        events.apply_early(&open).await.map_err(internal)
    }
}

/// The stacks that the owner bought for one of these nodes in a successful transaction. The chain port
/// decodes only events of the contract's own package.
fn purchases(executed: Executed, owner: Address, nodes: &[OperatorNode]) -> Vec<StackCreated> {
    if executed.outcome != ExecutionOutcome::Success {
        return Vec::new();
    }
    let is_served = |purchase: &StackCreated| {
        let selected = purchase.selected_node_id;
        purchase.owner == owner && nodes.iter().any(|node| node.node_small_id == selected)
    };
    let events = executed.events.into_iter();
    let purchases = events.filter_map(|event| match event {
        ContractEvent::StackCreated(purchase) => Some(purchase),
        _ => None,
    });
    purchases.filter(is_served).collect()
}

/// Whether the contract's table has the very stack, neither in settlement nor claimed.
fn is_open(purchase: &StackCreated, view: &ContractView) -> bool {
    let id = purchase.stack_small_id;
    let is_settled = view.tickets.contains_key(&id);
    view.stacks.get(&id).is_some_and(|stack| {
        !is_settled
            && !stack.is_claimed
            && stack.task_small_id == purchase.task_small_id
            && stack.selected_node_id == purchase.selected_node_id
            && stack.num_compute_units == purchase.num_compute_units
            && stack.price_per_one_million_compute_units
                == purchase.price_per_one_million_compute_units
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_domain::{
        CheckpointNumber, ComputeUnits, Epoch, Mist, NodeSmallId, ObjectId, PricePerMillion,
        StackSmallId, TaskSmallId,
    };

    fn purchase(id: u64, owner: Address, node: u64) -> StackCreated {
        StackCreated {
            stack_id: ObjectId::ZERO,
            stack_small_id: StackSmallId::new(id),
            owner,
            task_small_id: TaskSmallId::new(1),
            selected_node_id: NodeSmallId::new(node),
            num_compute_units: ComputeUnits::new(9),
            price_per_one_million_compute_units: PricePerMillion::new(1),
        }
    }

    #[test]
    fn only_stacks_of_this_owner_for_these_nodes_are_taken() {
        let (owner, other) = (Address::new([1; 32]), Address::new([2; 32]));
        let own = OperatorNode {
            node_small_id: NodeSmallId::new(5),
            node_badge_id: ObjectId::ZERO,
            address: other,
        };
        let executed = |outcome| Executed {
            digest: Digest::ZERO,
            outcome,
            epoch: Epoch::new(1),
            gas_used: Mist::new(1),
            checkpoint: Some(CheckpointNumber::new(1)),
            written: std::collections::BTreeMap::new(),
            gas_coin: None,
            events: vec![
                purchase(1, owner, 5).into(),
                purchase(2, other, 5).into(),
                purchase(3, owner, 6).into(),
            ],
            effects: Vec::new(),
        };
        let taken = purchases(executed(ExecutionOutcome::Success), owner, &[own]);
        assert_eq!(taken, [purchase(1, owner, 5)]);
        let failed = ExecutionOutcome::Failed {
            reason: String::from("test"),
            out_of_gas: false,
        };
        assert_eq!(purchases(executed(failed), owner, &[own]), []);
    }
}
