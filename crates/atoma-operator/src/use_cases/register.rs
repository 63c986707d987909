//! Registering a node.

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::{Action, Actor, Failure, GasOptions, NewIntent};
use atoma_domain::model::OperatorNode;
use atoma_domain::{Digest, IntentId, Mist, NodeSmallId, ObjectId};

use super::{Done, Operator, Unsuccessful, chain_failure};

/// A node that was registered, or rehearsed to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It was registered.
    Executed {
        /// The transaction.
        tx_digest: Digest,
        /// The new node.
        node_small_id: NodeSmallId,
        /// Its badge.
        node_badge_id: ObjectId,
    },
    /// It would be.
    Rehearsed {
        /// The gas that it would need, in MIST, before any margin.
        estimated_gas: Mist,
    },
}

impl Operator {
    /// Registers a node for the operator's address; another one only if `additional`.
    ///
    /// # Errors
    /// When the address owns a badge already, or the network refuses.
    pub async fn register(
        &self,
        additional: bool,
        gas: GasOptions,
    ) -> Result<Registered, Unsuccessful> {
        let chain = &self.ports.chain;
        let address = self.ports.signer.address();
        let intent = async {
            let intent = NewIntent {
                action: Action::RegisterNode { additional },
                actor: Actor::Address { address },
                gas,
            };
            // What is under way is asked of the journal alone.
            if !additional && !self.engine.is_under_way(&intent) {
                let badges = chain.badges(address).await;
                let badges = badges.map_err(|error| chain_failure(&error))?;
                if let Some(badge) = badges.first() {
                    return Err(Failure::AlreadyRegistered {
                        node_small_id: badge.node_small_id,
                    });
                }
            }
            Ok(intent)
        };
        let done = self.run(intent).await?;
        let (tx_digest, transaction_id) = match done {
            Done::Executed {
                tx_digest,
                transaction_id,
            } => (tx_digest, transaction_id),
            Done::Rehearsed { estimated_gas } => {
                return Ok(Registered::Rehearsed { estimated_gas });
            }
        };
        if let Some((node_small_id, node_badge_id)) =
            self.registered_by(tx_digest, transaction_id).await
        {
            return Ok(Registered::Executed {
                tx_digest,
                node_small_id,
                node_badge_id,
            });
        }
        // It is done whatever the node says now.
        let reason = format!(
            "the node is registered by {tx_digest}, but the Sui node does not show it; look at GET /nodes"
        );
        Err(Unsuccessful {
            failure: Failure::SuiNodeError { reason },
            transaction_id: Some(transaction_id),
            tx_digest: Some(tx_digest),
        })
    }

    /// The node that a transaction registered, and its badge: as the mirror has met it, or else as the
    /// Sui node shows it, asked several times.
    async fn registered_by(
        &self,
        tx_digest: Digest,
        transaction_id: IntentId,
    ) -> Option<(NodeSmallId, ObjectId)> {
        if let Some(node) = self.journalled_node(transaction_id).await {
            return Some((node.node_small_id, node.node_badge_id));
        }
        let executed = self.engine.ask_for(tx_digest).await?;
        executed.events.into_iter().find_map(|event| match event {
            ContractEvent::NodeRegistered(node) => Some((node.node_small_id, node.badge_id)),
            _ => None,
        })
    }

    /// The node whose badge the journal says was made, where the mirror has it: known also in a
    /// process that did not see it registered. What can't be read here is asked of the Sui node.
    async fn journalled_node(&self, transaction_id: IntentId) -> Option<OperatorNode> {
        let attempts = self.ports.journal.attempts_of(transaction_id).await.ok()?;
        let badge = attempts.into_iter().find_map(|a| a.registered_badge)?;
        let nodes = self.ports.state.operator_nodes().await.ok()?;
        nodes.into_iter().find(|node| node.node_badge_id == badge)
    }
}
