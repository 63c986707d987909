//! Disputing a settlement.

use atoma_domain::StackSmallId;
use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::Settlement;

use super::nodes::{NodeChoice, actor, attesters, chosen_node};
use super::operator::Operator;
use super::single::{Completed, Unsuccessful};

impl Operator {
    /// Disputes a settlement with the commitment of a node's own record (`start_attestation_dispute`).
    /// The node is the chosen one, or the first of the operator's nodes that was drawn to attest. A
    /// dispute freezes the stack's funds permanently in this revision of the contract.
    ///
    /// # Errors
    /// When the settlement can't be disputed, or needn't be.
    pub async fn dispute(
        &self,
        stack_small_id: StackSmallId,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Completed, Unsuccessful> {
        self.run_one(self.start_dispute(stack_small_id, choice, gas))
            .await
    }

    async fn start_dispute(
        &self,
        stack_small_id: StackSmallId,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<NewIntent, Failure> {
        let nodes = self.nodes().await?;
        let chosen = chosen_node(&nodes, choice)?;
        let known = self.known_stacks(&[stack_small_id]).await?;
        let settlement = known.settlement(stack_small_id)?;
        let plaintiff = attesters(settlement, &nodes, chosen).into_iter().next();
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
        self.admit(intent, checked)
    }
}

/// What the operator should know before and after disputing a settlement.
pub fn dispute_warning(stack_small_id: StackSmallId) -> String {
    format!(
        "a dispute freezes the funds of stack {stack_small_id} for good: this revision of the contract can't resolve it"
    )
}

/// Refuses what the contract would refuse, as far as the mirror knows.
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
