//! Registering a node.

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::{Action, Actor, Failure, GasOptions, NewIntent};
use atoma_domain::{Digest, NodeSmallId, ObjectId};

use super::{Operator, chain_failure};

/// A node that was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The transaction.
    pub tx_digest: Digest,
    /// The new node.
    pub node_small_id: NodeSmallId,
    /// Its badge.
    pub node_badge_id: ObjectId,
}

impl Operator {
    /// Registers a node for the operator's address; another one only if `additional`.
    ///
    /// # Errors
    /// When the address owns a badge already, or the network refuses.
    pub async fn register(&self, additional: bool, gas: GasOptions) -> Result<Registered, Failure> {
        let chain = &self.ports.chain;
        let address = self.ports.signer.address();
        if !additional {
            let badges = chain.badges(address).await;
            let badges = badges.map_err(|error| chain_failure(&error))?;
            if let Some(badge) = badges.first() {
                return Err(Failure::AlreadyRegistered {
                    node_small_id: badge.node_small_id,
                });
            }
        }
        let done = self
            .run(NewIntent {
                action: Action::RegisterNode,
                actor: Actor::Address { address },
                gas,
            })
            .await?;
        let executed = chain.lookup(done.tx_digest).await;
        let executed = executed.map_err(|error| chain_failure(&error))?;
        executed
            .into_iter()
            .flat_map(|executed| executed.events)
            .find_map(|event| match event {
                ContractEvent::NodeRegistered(node) => Some(Registered {
                    tx_digest: done.tx_digest,
                    node_small_id: node.node_small_id,
                    node_badge_id: node.badge_id,
                }),
                _ => None,
            })
            .ok_or_else(|| Failure::SuiNodeError {
                reason: format!("the registration {} shows no new node", done.tx_digest),
            })
    }
}
