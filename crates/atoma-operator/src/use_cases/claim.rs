//! Claiming the payment for stacks.

use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::{OperatorNode, Settlement, Stack, Task};
use atoma_domain::{ComputeUnits, Epoch, SecurityLevel, StackSmallId};

use super::candidate::Candidate;
use super::nodes::{NodeChoice, actor, chosen_node, selected_node};
use super::operator::Operator;
use super::stack_result::StackResult;
use super::stacks::check_ids;
use crate::causes::{chain_failure, internal};

/// A stack to claim, as the mirror knows it.
#[derive(Clone, Copy, Debug)]
struct Subject<'a> {
    stack_small_id: StackSmallId,
    /// `None` if the stack was bought before the mirror begins.
    stack: Option<&'a Stack>,
    settlement: Option<&'a Settlement>,
    /// The stack's task.
    task: Option<&'a Task>,
}

/// What a request knows about the current epoch.
#[derive(Debug)]
enum KnownEpoch {
    /// The mirror's latest epoch, which may be the one before.
    Mirrored(Epoch),
    /// The chain's current epoch.
    Current(Epoch),
    /// The mirror's latest epoch, and why the chain's could not be read.
    Unavailable(Epoch, Failure),
}

impl Operator {
    /// Claims stacks, each by its selected node. A settled stack can be claimed from its ticket's
    /// `dispute_settled_at_epoch` on (`claim_funds`), a stack of a confidential task at once
    /// (`claim_funds_for_stacks`). The stacks of a node share transactions.
    ///
    /// # Errors
    /// When the request as a whole is invalid. The failure of a single stack is in its result.
    pub async fn claim(
        &self,
        ids: &[StackSmallId],
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<StackResult>, Failure> {
        self.run_batch(self.claims(ids, choice, gas)).await
    }

    async fn claims(
        &self,
        ids: &[StackSmallId],
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<Candidate>, Failure> {
        check_ids(ids)?;
        let nodes = self.nodes().await?;
        let chosen = chosen_node(&nodes, choice)?;
        let known = self.known_stacks(ids).await?;
        let mirrored = self.ports.events.progress().await.map_err(internal)?.epoch;
        let mut epoch = KnownEpoch::Mirrored(mirrored.unwrap_or(Epoch::new(0)));
        let mut candidates = Vec::with_capacity(ids.len());
        for id in ids {
            let stack = known.stacks.get(id);
            let subject = Subject {
                stack_small_id: *id,
                stack,
                task: stack.and_then(|stack| known.task_of(stack)),
                settlement: known.settlements.get(id),
            };
            let selected = subject.stack.map(|stack| stack.selected_node_id);
            let selected = selected.or(subject.settlement.map(|ticket| ticket.selected_node_id));
            let Some(selected) = selected else {
                let failure = Failure::UnknownStack {
                    stack_small_id: *id,
                };
                candidates.push(Candidate::refused(*id, None, failure));
                continue;
            };
            let intent = match selected_node(*id, selected, &nodes, chosen) {
                Ok(node) => self.claim_intent(subject, node, gas, &mut epoch).await,
                Err(failure) => Err(failure),
            };
            candidates.push(Candidate {
                stack_small_id: *id,
                node_small_id: Some(selected),
                intent,
                warnings: Vec::new(),
            });
        }
        Ok(candidates)
    }

    async fn claim_intent(
        &self,
        subject: Subject<'_>,
        node: OperatorNode,
        gas: GasOptions,
        epoch: &mut KnownEpoch,
    ) -> Result<NewIntent, Failure> {
        let intent = NewIntent {
            action: claim_action(subject),
            actor: actor(node),
            gas,
        };
        let checked = self.check_claim(&intent, subject, epoch).await;
        self.admit(intent, checked)
    }

    /// Refuses what the contract would refuse, as far as the mirror knows.
    async fn check_claim(
        &self,
        intent: &NewIntent,
        subject: Subject<'_>,
        epoch: &mut KnownEpoch,
    ) -> Result<(), Failure> {
        if let Some(stack) = subject.stack
            && stack.is_claimed
        {
            let stack_small_id = stack.stack_small_id;
            return Err(Failure::AlreadyClaimed { stack_small_id });
        }
        match intent.action {
            // A claim of zero units would refund the buyer in full and close the stack.
            Action::ClaimConfidentialStack {
                stack_small_id,
                num_claimed_compute_units,
            } => {
                let recorded = subject.stack.map(|stack| stack.already_computed_units);
                match num_claimed_compute_units.or(recorded) {
                    Some(ComputeUnits::ZERO) => Err(Failure::StackHasNoMessages { stack_small_id }),
                    _ => Ok(()),
                }
            }
            Action::ClaimStack { stack_small_id } => {
                let ticket = subject.settlement;
                let ticket = ticket.ok_or(Failure::NotSettled { stack_small_id })?;
                check_ticket(ticket)?;
                let claimable_from_epoch = ticket.dispute_settled_at_epoch;
                // A claim under way is joined in any epoch.
                if epoch.latest() < claimable_from_epoch && !self.engine.is_under_way(intent) {
                    self.read_epoch(epoch).await?;
                }
                let epoch = epoch.latest();
                if epoch < claimable_from_epoch {
                    return Err(Failure::NotYetClaimable {
                        stack_small_id,
                        claimable_from_epoch,
                        epoch,
                    });
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Reads the current epoch from the chain, at most once per request.
    async fn read_epoch(&self, known: &mut KnownEpoch) -> Result<(), Failure> {
        if let KnownEpoch::Mirrored(mirrored) = *known {
            *known = match self.ports.chain.epoch().await {
                Ok(info) => KnownEpoch::Current(info.epoch),
                Err(error) => KnownEpoch::Unavailable(mirrored, chain_failure(&error)),
            };
        }
        match known {
            KnownEpoch::Unavailable(_, failure) => Err(failure.clone()),
            KnownEpoch::Mirrored(_) | KnownEpoch::Current(_) => Ok(()),
        }
    }
}

impl KnownEpoch {
    const fn latest(&self) -> Epoch {
        match self {
            Self::Mirrored(epoch) | Self::Current(epoch) | Self::Unavailable(epoch, _) => *epoch,
        }
    }
}

/// Which of the contract's two claims applies to a stack.
fn claim_action(subject: Subject<'_>) -> Action {
    let stack_small_id = subject.stack_small_id;
    let level = subject.task.map(|task| task.security_level);
    if level != Some(SecurityLevel::CONFIDENTIAL_COMPUTE) {
        return Action::ClaimStack { stack_small_id };
    }
    Action::ClaimConfidentialStack {
        stack_small_id,
        // Without a ticket the units are read when the record is frozen, not now: a message may be
        // recorded in between.
        num_claimed_compute_units: subject
            .settlement
            .map(|ticket| ticket.num_claimed_compute_units),
    }
}

/// Refuses a ticket that can't be claimed in any epoch.
const fn check_ticket(ticket: &Settlement) -> Result<(), Failure> {
    let stack_small_id = ticket.stack_small_id;
    if ticket.is_claimed {
        return Err(Failure::AlreadyClaimed { stack_small_id });
    }
    if ticket.is_in_dispute {
        return Err(Failure::StackInDispute { stack_small_id });
    }
    Ok(())
}
