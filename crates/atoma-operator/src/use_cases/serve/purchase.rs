//! Taking a purchase into the mirror before the ledger stream delivers it.
//!
//! Whoever bought a stack a moment ago expects to be served at once. The purchase is read from the Sui
//! node, checked against the contract's own table, and applied with the event's usual effect. The cursor
//! stays where it is: the stream delivers the same event later, and then it changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use atoma_domain::contract::{StackOnChain, TicketOnChain};
use atoma_domain::events::{ContractEvent, StackCreated};
use atoma_domain::journal::Failure;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{Executed, ExecutionOutcome, ViewQuery};
use atoma_domain::{Address, Digest, StackSmallId};

use crate::causes::{chain_failure, internal};
use crate::use_cases::operator::Operator;

/// How long to wait for a purchase that the Sui node does not know or show yet.
const PATIENCE: Duration = Duration::from_secs(2);

impl Operator {
    /// Takes the stacks that an owner bought in a transaction into the mirror, as far as the operator's
    /// nodes serve them and they are still open on chain.
    ///
    /// # Errors
    /// [`Failure::UnknownPurchase`] when neither the Sui node nor the mirror knows the transaction, or the
    /// node doesn't show the stack yet; [`Failure::NotAPurchase`] when it bought no such stack.
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
            return self.wait_for_purchase(tx_digest).await;
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
        match on_chain(bought, &view.stacks, &view.tickets) {
            Bought::Open(open) => {
                let events = &self.ports.events;
                events.apply_early(&open).await.map_err(internal)
            }
            Bought::Closed(absent) => {
                let known = self.ports.state.stacks_by_id(&absent).await;
                if known.map_err(internal)?.len() == absent.len() {
                    return Err(not_a_purchase);
                }
                self.wait_for_purchase(tx_digest).await
            }
        }
    }

    /// Waits for the ledger stream to deliver a purchase. Absence proves nothing: a node that lags may
    /// deliver it in a moment.
    async fn wait_for_purchase(&self, tx_digest: Digest) -> Result<(), Failure> {
        match self.applied.wait_for(tx_digest, PATIENCE).await {
            true => Ok(()),
            false => Err(Failure::UnknownPurchase { tx_digest }),
        }
    }
}

/// The contract's stacks and tickets.
type Stacks = BTreeMap<StackSmallId, StackOnChain>;
type Tickets = BTreeMap<StackSmallId, TicketOnChain>;

/// What the contract's tables show of purchases.
#[derive(Debug, PartialEq, Eq)]
enum Bought {
    /// These are open.
    Open(Vec<StackCreated>),
    /// None is open. The tables lack these stacks: either they were claimed, or the node that answered is
    /// behind the one that knew the transaction. If they were claimed, a mirror that has caught up knows
    /// them.
    Closed(Vec<StackSmallId>),
}

fn on_chain(bought: Vec<StackCreated>, stacks: &Stacks, tickets: &Tickets) -> Bought {
    let ids = bought.iter().map(|purchase| purchase.stack_small_id);
    let absent = ids.filter(|id| !stacks.contains_key(id)).collect();
    let open: Vec<_> = bought
        .into_iter()
        .filter(|purchase| is_open(purchase, stacks, tickets))
        .collect();
    match open.is_empty() {
        false => Bought::Open(open),
        true => Bought::Closed(absent),
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
fn is_open(purchase: &StackCreated, stacks: &Stacks, tickets: &Tickets) -> bool {
    let id = purchase.stack_small_id;
    let is_settled = tickets.contains_key(&id);
    stacks.get(&id).is_some_and(|stack| {
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
        TaskSmallId,
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

    /// A node that lags behind the one that knew the transaction shows no stack yet. That is no proof that
    /// there is none.
    #[test]
    fn a_stack_that_the_node_does_not_show_is_not_taken_for_closed() {
        let stack = |is_claimed| StackOnChain {
            price_per_one_million_compute_units: PricePerMillion::new(1),
            num_compute_units: ComputeUnits::new(9),
            selected_node_id: NodeSmallId::new(5),
            task_small_id: TaskSmallId::new(1),
            is_claimed,
        };
        let bought = |id| purchase(id, Address::new([1; 32]), 5);
        let [one, two] = [1, 2].map(StackSmallId::new);
        let shown = |stacks: &[(StackSmallId, bool)]| -> Bought {
            let stacks = stacks.iter().map(|(id, claimed)| (*id, stack(*claimed)));
            let stacks: BTreeMap<_, _> = stacks.collect();
            on_chain(vec![bought(1), bought(2)], &stacks, &BTreeMap::new())
        };
        let open = shown(&[(one, true), (two, false)]);
        assert_eq!(open, Bought::Open(vec![bought(2)]));
        assert_eq!(shown(&[(one, true)]), Bought::Closed(vec![two]));
        assert_eq!(shown(&[(one, true), (two, true)]), Bought::Closed(vec![]));
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
            gas_returned: Mist::ZERO,
            checkpoint: Some(CheckpointNumber::new(1)),
            written: std::collections::BTreeMap::new(),
            gas_coin: None,
            events: vec![
                purchase(1, owner, 5).into(),
                purchase(2, other, 5).into(),
                purchase(3, owner, 6).into(),
            ],
            other_events: 0,
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
