//! Claiming what settled stacks earned.

use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::{Settlement, Stack};
use atoma_domain::{ComputeUnits, Epoch, SecurityLevel, StackSmallId};

use super::nodes::{actor, chosen};
use super::settle::selected_node;
use super::stacks::{Wish, check_ids};
use super::{NodeChoice, Operator, StackResult, chain_failure, internal};

impl Operator {
    /// Claims stacks, each by its selected node: settled ones when their time has come, those of
    /// confidential tasks at once. Stacks of one node share transactions.
    ///
    /// # Errors
    /// When the request as a whole can't be understood; what concerns one stack is in its result.
    pub async fn claim(
        &self,
        ids: &[StackSmallId],
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<StackResult>, Failure> {
        self.run_wishes(self.claims(ids, choice, gas)).await
    }

    async fn claims(
        &self,
        ids: &[StackSmallId],
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Vec<Wish>, Failure> {
        check_ids(ids)?;
        let nodes = self.nodes().await?;
        let choice = chosen(&nodes, choice)?;
        let (stacks, settlements) = self.known_stacks(ids).await?;
        let known = self.ports.events.progress().await.map_err(internal)?.epoch;
        let mut epoch = EpochSeen::Mirrored(known.unwrap_or(Epoch::new(0)));
        let mut wishes = Vec::with_capacity(ids.len());
        for id in ids {
            let (stack, settlement) = (stacks.get(id), settlements.get(id));
            // Where the purchase is older than the mirror, the ticket tells enough.
            let selected = stack.map(|stack| stack.selected_node_id);
            let selected = selected.or(settlement.map(|ticket| ticket.selected_node_id));
            let Some(selected) = selected else {
                let failure = Failure::UnknownStack {
                    stack_small_id: *id,
                };
                wishes.push(Wish::refused(*id, None, failure));
                continue;
            };
            let intent = match selected_node(*id, selected, &nodes, choice) {
                Ok(node) => {
                    let action = self.claim_action(*id, stack, settlement).await;
                    let intent = action.map(|action| NewIntent {
                        action,
                        actor: actor(node),
                        gas,
                    });
                    match intent {
                        Ok(intent) => {
                            let checked = self.check_claim(&intent, stack, settlement, &mut epoch);
                            let checked = checked.await;
                            self.unless_refused(intent, checked)
                        }
                        Err(failure) => Err(failure),
                    }
                }
                Err(failure) => Err(failure),
            };
            wishes.push(Wish {
                stack: *id,
                node: Some(selected),
                intent,
                warnings: Vec::new(),
            });
        }
        Ok(wishes)
    }

    /// Which of the contract's two claims a stack takes.
    async fn claim_action(
        &self,
        stack_small_id: StackSmallId,
        stack: Option<&Stack>,
        settlement: Option<&Settlement>,
    ) -> Result<Action, Failure> {
        let Some(stack) = stack else {
            return Ok(Action::ClaimStack { stack_small_id });
        };
        let task = self
            .ports
            .state
            .task(stack.task_small_id)
            .await
            .map_err(internal)?;
        let confidential =
            task.is_some_and(|task| task.security_level == SecurityLevel::CONFIDENTIAL_COMPUTE);
        if !confidential {
            return Ok(Action::ClaimStack { stack_small_id });
        }
        // Without a ticket what was computed is read when the record is frozen, not now: a message
        // may come in between.
        let num_claimed_compute_units =
            settlement.map(|settlement| settlement.num_claimed_compute_units);
        Ok(Action::ClaimConfidentialStack {
            stack_small_id,
            num_claimed_compute_units,
        })
    }

    /// What the mirror already knows to be refused.
    async fn check_claim(
        &self,
        intent: &NewIntent,
        stack: Option<&Stack>,
        settlement: Option<&Settlement>,
        epoch: &mut EpochSeen,
    ) -> Result<(), Failure> {
        if let Some(stack) = stack
            && stack.is_claimed
        {
            let stack_small_id = stack.stack_small_id;
            return Err(Failure::AlreadyClaimed { stack_small_id });
        }
        match intent.action {
            // Claiming nothing would give the buyer everything back and close the stack.
            Action::ClaimConfidentialStack {
                stack_small_id,
                num_claimed_compute_units,
            } => {
                let computed = stack.map(|stack| stack.already_computed_units);
                match num_claimed_compute_units.or(computed) {
                    Some(ComputeUnits::ZERO) => Err(Failure::StackHasNoMessages { stack_small_id }),
                    _ => Ok(()),
                }
            }
            Action::ClaimStack { stack_small_id } => {
                let settlement = settlement.ok_or(Failure::NotSettled { stack_small_id })?;
                match check_ticket(settlement, epoch.latest()) {
                    Err(Failure::NotYetClaimable { .. }) if !self.engine.is_under_way(intent) => {
                        check_ticket(settlement, self.ask_epoch(epoch).await?)
                    }
                    checked => checked,
                }
            }
            _ => Ok(()),
        }
    }

    /// The epoch as the chain tells it, asked once: the mirror's may be the one before.
    async fn ask_epoch(&self, seen: &mut EpochSeen) -> Result<Epoch, Failure> {
        if let EpochSeen::Mirrored(_) = seen {
            let asked = self.ports.chain.epoch().await;
            *seen = match asked {
                Ok(info) => EpochSeen::Told(info.epoch),
                Err(error) => EpochSeen::Untold(seen.latest(), chain_failure(&error)),
            };
        }
        match seen {
            EpochSeen::Untold(_, failure) => Err(failure.clone()),
            seen => Ok(seen.latest()),
        }
    }
}

/// What is known of the current epoch.
#[derive(Debug)]
enum EpochSeen {
    /// The mirror has seen this one.
    Mirrored(Epoch),
    /// The chain told it.
    Told(Epoch),
    /// The chain did not answer; the mirror has seen this one.
    Untold(Epoch, Failure),
}

impl EpochSeen {
    const fn latest(&self) -> Epoch {
        match self {
            Self::Mirrored(epoch) | Self::Told(epoch) | Self::Untold(epoch, _) => *epoch,
        }
    }
}

fn check_ticket(settlement: &Settlement, epoch: Epoch) -> Result<(), Failure> {
    let stack_small_id = settlement.stack_small_id;
    if settlement.is_claimed {
        return Err(Failure::AlreadyClaimed { stack_small_id });
    }
    if settlement.is_in_dispute {
        return Err(Failure::StackInDispute { stack_small_id });
    }
    if epoch < settlement.dispute_settled_at_epoch {
        return Err(Failure::NotYetClaimable {
            stack_small_id,
            claimable_from_epoch: settlement.dispute_settled_at_epoch,
            epoch,
        });
    }
    Ok(())
}
