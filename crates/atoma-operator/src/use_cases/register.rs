//! Registering a node.

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::{Action, Actor, Failure, GasOptions, NewIntent};
use atoma_domain::{Digest, IntentId, Mist, NodeSmallId, ObjectId};

use super::operator::Operator;
use super::single::{Completed, Unsuccessful};
use crate::badges::own_nodes;

/// A successful request to register a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The node is registered.
    Executed {
        /// The transaction's digest.
        tx_digest: Digest,
        /// The new node.
        node_small_id: NodeSmallId,
        /// The object id of its node badge.
        node_badge_id: ObjectId,
    },
    /// The registration would succeed, according to a dry run.
    Rehearsed {
        /// The gas that it would need, in MIST, without a margin.
        estimated_gas: Mist,
    },
}

impl Operator {
    /// Registers a node for the operator's address (`register_node_entry`). With `additional`, the
    /// address may already own a node badge.
    ///
    /// # Errors
    /// When the address already owns a node badge, or the transaction fails.
    pub async fn register(
        &self,
        additional: bool,
        gas: GasOptions,
    ) -> Result<Registered, Unsuccessful> {
        let completed = self.run_one(self.registration(additional, gas)).await?;
        let (tx_digest, transaction_id) = match completed {
            Completed::Executed {
                tx_digest,
                transaction_id,
            } => (tx_digest, transaction_id),
            Completed::Rehearsed { estimated_gas } => {
                return Ok(Registered::Rehearsed { estimated_gas });
            }
        };
        if let Some((node_small_id, node_badge_id)) =
            self.registered_node(tx_digest, transaction_id).await
        {
            return Ok(Registered::Executed {
                tx_digest,
                node_small_id,
                node_badge_id,
            });
        }
        // The node is registered, whatever the Sui node shows.
        let reason = format!(
            "transaction {tx_digest} registered a node, but the Sui node does not show its effects yet; \
             GET /nodes will list it"
        );
        Err(Unsuccessful {
            failure: Failure::SuiNodeError { reason },
            transaction_id: Some(transaction_id),
            tx_digest: Some(tx_digest),
            is_pending: false,
        })
    }

    async fn registration(&self, additional: bool, gas: GasOptions) -> Result<NewIntent, Failure> {
        let address = self.ports.signer.address();
        let intent = NewIntent {
            action: Action::RegisterNode { additional },
            actor: Actor::Address { address },
            gas,
        };
        // A registration under way is joined, even if its badge exists by now.
        if !additional && !self.engine.is_under_way(&intent) {
            let nodes = own_nodes(&self.ports).await;
            if let Some(node) = nodes.map_err(Failure::from)?.first() {
                return Err(Failure::AlreadyRegistered {
                    node_small_id: node.node_small_id,
                });
            }
        }
        Ok(intent)
    }

    /// The node that a transaction registered, and its badge: from the database, or else from the
    /// transaction's events on the Sui node, with retries.
    async fn registered_node(
        &self,
        tx_digest: Digest,
        transaction_id: IntentId,
    ) -> Option<(NodeSmallId, ObjectId)> {
        if let Some(node) = self.mirrored_node(transaction_id).await {
            return Some(node);
        }
        let executed = self.engine.executed(tx_digest).await?;
        executed.events.into_iter().find_map(|event| match event {
            ContractEvent::NodeRegistered(node) => Some((node.node_small_id, node.badge_id)),
            _ => None,
        })
    }

    /// The mirrored node whose badge an intent created, according to the journal. This also works when
    /// the intent succeeded before this process began. `None` if the database can't be read.
    async fn mirrored_node(&self, transaction_id: IntentId) -> Option<(NodeSmallId, ObjectId)> {
        let attempts = self.ports.journal.attempts_of(transaction_id).await.ok()?;
        let badge = attempts.into_iter().find_map(|a| a.registered_badge)?;
        let nodes = self.ports.state.operator_nodes().await.ok()?;
        let node = nodes.into_iter().find(|node| node.node_badge_id == badge)?;
        Some((node.node_small_id, badge))
    }
}
