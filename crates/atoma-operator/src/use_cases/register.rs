//! Registering a node.

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::{Action, Actor, Failure, GasOptions, NewIntent};
use atoma_domain::{Digest, Mist, NodeSmallId, ObjectId};

use super::{Done, Operator, chain_failure};

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
    pub async fn register(&self, additional: bool, gas: GasOptions) -> Result<Registered, Failure> {
        let chain = &self.ports.chain;
        let address = self.ports.signer.address();
        let intent = async {
            if !additional {
                let badges = chain.badges(address).await;
                let badges = badges.map_err(|error| chain_failure(&error))?;
                if let Some(badge) = badges.first() {
                    return Err(Failure::AlreadyRegistered {
                        node_small_id: badge.node_small_id,
                    });
                }
            }
            Ok(NewIntent {
                action: Action::RegisterNode { additional },
                actor: Actor::Address { address },
                gas,
            })
        };
        let done = self.run(intent).await?;
        let tx_digest = match done {
            Done::Executed { tx_digest } => tx_digest,
            Done::Rehearsed { estimated_gas } => {
                return Ok(Registered::Rehearsed { estimated_gas });
            }
        };
        let executed = chain.lookup(tx_digest).await;
        let executed = executed.map_err(|error| chain_failure(&error))?;
        executed
            .into_iter()
            .flat_map(|executed| executed.events)
            .find_map(|event| match event {
                ContractEvent::NodeRegistered(node) => Some(Registered::Executed {
                    tx_digest,
                    node_small_id: node.node_small_id,
                    node_badge_id: node.badge_id,
                }),
                _ => None,
            })
            .ok_or_else(|| Failure::SuiNodeError {
                reason: format!("the registration {tx_digest} shows no new node"),
            })
    }
}
