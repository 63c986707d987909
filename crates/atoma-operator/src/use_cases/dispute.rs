//! Disputing a settlement.

use atoma_domain::StackSmallId;
use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::Settlement;

use super::attest::attesters;
use super::nodes::{actor, chosen};
use super::{Done, NodeChoice, Operator, Unsuccessful};

impl Operator {
    /// Disputes a settlement with the commitment of the node's own record: of the node chosen, or
    /// of the first of the operator's nodes that the ticket asks for. Freezes the stack's funds for
    /// ever, in this revision of the contract.
    ///
    /// # Errors
    /// When it can't be, or need not be, disputed.
    pub async fn dispute(
        &self,
        stack_small_id: StackSmallId,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Done, Unsuccessful> {
        self.run(self.plaintiff(stack_small_id, choice, gas)).await
    }

    /// The dispute, by the node that can raise it.
    async fn plaintiff(
        &self,
        stack_small_id: StackSmallId,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<NewIntent, Failure> {
        let nodes = self.nodes().await?;
        let choice = chosen(&nodes, choice)?;
        let (stacks, settlements) = self.known_stacks(&[stack_small_id]).await?;
        let Some(settlement) = settlements.get(&stack_small_id) else {
            return Err(if stacks.contains_key(&stack_small_id) {
                Failure::NotSettled { stack_small_id }
            } else {
                Failure::UnknownStack { stack_small_id }
            });
        };
        let plaintiff = attesters(settlement, &nodes, choice).into_iter().next();
        let checked = check(settlement);
        let Some(plaintiff) = plaintiff else {
            checked?;
            return Err(Failure::NoAttestationRequested { stack_small_id });
        };
        let intent = NewIntent {
            action: Action::StartDispute { stack_small_id },
            actor: actor(plaintiff),
            gas,
        };
        self.unless_refused(intent, checked)
    }
}

/// What the mirror already knows to be refused.
const fn check(settlement: &Settlement) -> Result<(), Failure> {
    let stack_small_id = settlement.stack_small_id;
    if settlement.is_claimed {
        return Err(Failure::AlreadyClaimed { stack_small_id });
    }
    if settlement.is_in_dispute {
        return Err(Failure::AlreadyInDispute { stack_small_id });
    }
    Ok(())
}
