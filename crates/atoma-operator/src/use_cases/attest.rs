//! Attesting settlements.

use atoma_domain::StackSmallId;
use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::{OperatorNode, Settlement};

use super::candidate::Candidate;
use super::nodes::{NodeChoice, actor, attesters, chosen_node};
use super::operator::Operator;
use super::stack_result::StackResult;
use super::stacks::check_ids;
use crate::causes::internal;
use crate::records::record_to_compare;

impl Operator {
    /// Attests settlements (`submit_stack_settlement_attestation`). The chosen node attests, or each of
    /// the operator's nodes that was drawn. A commitment that differs from the ticket's is sent only
    /// with `allow_dispute`.
    ///
    /// # Errors
    /// When the request as a whole is invalid. The failure of a single stack is in its result.
    pub async fn attest(
        &self,
        ids: &[StackSmallId],
        allow_dispute: bool,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<StackResult>, Failure> {
        let candidates = self.attestations(ids, allow_dispute, choice, gas);
        self.run_batch(candidates).await
    }

    async fn attestations(
        &self,
        ids: &[StackSmallId],
        allow_dispute: bool,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<Candidate>, Failure> {
        check_ids(ids)?;
        let nodes = self.nodes().await?;
        let chosen = chosen_node(&nodes, choice)?;
        let known = self.known_stacks(ids).await?;
        let mut candidates = Vec::with_capacity(ids.len());
        for id in ids {
            let stack_small_id = *id;
            let settlement = match known.settlement(stack_small_id) {
                Ok(settlement) => settlement,
                Err(failure) => {
                    let node = chosen.map(|node| node.node_small_id);
                    candidates.push(Candidate::refused(stack_small_id, node, failure));
                    continue;
                }
            };
            let attesters = attesters(settlement, &nodes, chosen);
            if attesters.is_empty() {
                let failure = Failure::NoAttestationRequested { stack_small_id };
                candidates.push(Candidate::refused(stack_small_id, None, failure));
            }
            for node in attesters {
                let intent = NewIntent {
                    action: Action::AttestSettlement {
                        stack_small_id,
                        allow_dispute,
                    },
                    actor: actor(node),
                    gas,
                };
                let intent = self.admit(intent, check(settlement, node));
                // Without `allow_dispute`, an attestation that differs is refused.
                let warning = match &intent {
                    Ok(_) if allow_dispute => self.warning(settlement, node).await?,
                    _ => None,
                };
                candidates.push(Candidate {
                    stack_small_id,
                    node_small_id: Some(node.node_small_id),
                    intent,
                    warnings: warning.into_iter().collect(),
                });
            }
        }
        Ok(candidates)
    }

    /// Warns of an attestation that raises a dispute, by the record that it would be made from now.
    async fn warning(
        &self,
        settlement: &Settlement,
        node: OperatorNode,
    ) -> Result<Option<String>, Failure> {
        let stack = settlement.stack_small_id;
        let record = record_to_compare(&self.ports, stack, node.node_small_id).await;
        let root = record
            .map_err(internal)?
            .and_then(|record| record.accumulator.root());
        let differs = root.is_some_and(|root| !settlement.agrees_with(&root));
        Ok(differs.then(|| raised_dispute(stack)))
    }
}

/// What the operator should know before and after a settlement is attested with another commitment.
pub(super) fn raised_dispute(stack_small_id: StackSmallId) -> String {
    format!(
        "the record that stack {stack_small_id} is attested from differs from the settlement, so this attestation \
         raises a dispute. That freezes the funds of the stack for good: this revision of the contract can't resolve \
         a dispute"
    )
}

/// Refuses what the contract would refuse, as far as the mirror knows.
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
