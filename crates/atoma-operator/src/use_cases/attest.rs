//! Attesting settlements.

use atoma_domain::StackSmallId;
use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::{OperatorNode, Settlement};

use super::nodes::{actor, chosen};
use super::stacks::{Wish, check_ids};
use super::{NodeChoice, Operator, StackResult};

impl Operator {
    /// Attests settlements: the node chosen, or every one of the operator's nodes that a ticket
    /// asks for. A commitment that differs from the ticket's is sent only with `allow_dispute`.
    ///
    /// # Errors
    /// When the request as a whole can't be understood; what concerns one stack is in its result.
    pub async fn attest(
        &self,
        ids: &[StackSmallId],
        allow_dispute: bool,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<StackResult>, Failure> {
        let wishes = self.attestations(ids, allow_dispute, choice, gas);
        self.run_wishes(wishes).await
    }

    async fn attestations(
        &self,
        ids: &[StackSmallId],
        allow_dispute: bool,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<Wish>, Failure> {
        check_ids(ids)?;
        let nodes = self.nodes().await?;
        let choice = chosen(&nodes, choice)?;
        let (stacks, settlements) = self.known_stacks(ids).await?;
        let mut wishes = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(settlement) = settlements.get(id) else {
                let failure = if stacks.contains_key(id) {
                    Failure::NotSettled {
                        stack_small_id: *id,
                    }
                } else {
                    Failure::UnknownStack {
                        stack_small_id: *id,
                    }
                };
                wishes.push(Wish::refused(*id, choice.map(|n| n.node_small_id), failure));
                continue;
            };
            let attesters = attesters(settlement, &nodes, choice);
            if attesters.is_empty() {
                let failure = Failure::NoAttestationRequested {
                    stack_small_id: *id,
                };
                wishes.push(Wish::refused(*id, None, failure));
            }
            for node in attesters {
                let intent = NewIntent {
                    action: Action::AttestSettlement {
                        stack_small_id: *id,
                        allow_dispute,
                    },
                    actor: actor(node),
                    gas,
                };
                let intent = self.unless_refused(intent, check(settlement, node));
                wishes.push(Wish {
                    stack: *id,
                    node: Some(node.node_small_id),
                    intent,
                    warnings: Vec::new(),
                });
            }
        }
        Ok(wishes)
    }
}

/// The node chosen, or all of `nodes` that the ticket asks for.
pub(super) fn attesters(
    settlement: &Settlement,
    nodes: &[OperatorNode],
    choice: Option<OperatorNode>,
) -> Vec<OperatorNode> {
    match choice {
        Some(node) => vec![node],
        None => nodes
            .iter()
            .filter(|node| settlement.place_of(node.node_small_id).is_some())
            .copied()
            .collect(),
    }
}

/// What the mirror already knows to be refused.
fn check(settlement: &Settlement, node: OperatorNode) -> Result<(), Failure> {
    let stack_small_id = settlement.stack_small_id;
    let node_small_id = node.node_small_id;
    if settlement.is_claimed {
        return Err(Failure::AlreadyClaimed { stack_small_id });
    }
    if settlement.place_of(node_small_id).is_none() {
        return Err(Failure::AttestationNotRequested {
            stack_small_id,
            node_small_id,
        });
    }
    if settlement.attested_nodes.contains(&node_small_id) {
        return Err(Failure::AlreadyAttested {
            stack_small_id,
            node_small_id,
        });
    }
    if settlement.is_in_dispute {
        return Err(Failure::StackInDispute { stack_small_id });
    }
    Ok(())
}
