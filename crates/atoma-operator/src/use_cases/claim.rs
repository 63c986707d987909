//! Claiming what settled stacks earned.

use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::{Settlement, Stack};
use atoma_domain::{ComputeUnits, Epoch, SecurityLevel, StackSmallId};

use super::nodes::{actor, chosen, find};
use super::settle::selected_node;
use super::stacks::{Wish, check_ids};
use super::{NodeChoice, Operator, StackResult, chain_failure, internal};

impl Operator {
    /// Claims stacks, each by its selected node: settled ones when their time has come, those of
    /// confidential tasks at once. Stacks of one node share transactions.
    ///
    /// # Errors
    /// When the request as a whole can't be understood, or the epoch can't be read; what concerns
    /// one stack is in its result.
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
        let epoch = self.ports.chain.epoch().await;
        let epoch = epoch.map_err(|error| chain_failure(&error))?.epoch;
        let mut wishes = Vec::with_capacity(ids.len());
        for id in ids {
            let settlement = settlements.get(id);
            let (selected, action) = match stacks.get(id) {
                Some(stack) => (
                    selected_node(stack, &nodes, choice),
                    self.claim_action(stack, settlement, epoch).await,
                ),
                // The purchase is older than the mirror; the ticket tells enough.
                None => match settlement {
                    Some(settlement) => (
                        find(&nodes, settlement.selected_node_id),
                        check_ticket(settlement, epoch).map(|()| Action::ClaimStack {
                            stack_small_id: *id,
                        }),
                    ),
                    None => {
                        let failure = Failure::UnknownStack {
                            stack_small_id: *id,
                        };
                        wishes.push(Wish::refused(*id, None, failure));
                        continue;
                    }
                },
            };
            let node = selected.as_ref().ok().map(|node| node.node_small_id);
            let intent = selected.and_then(|node| {
                Ok(NewIntent {
                    action: action?,
                    actor: actor(node),
                    gas,
                })
            });
            wishes.push(Wish {
                stack: *id,
                node,
                intent,
                warnings: Vec::new(),
            });
        }
        Ok(wishes)
    }

    /// Which of the contract's two claims a stack takes, if it can be claimed.
    async fn claim_action(
        &self,
        stack: &Stack,
        settlement: Option<&Settlement>,
        epoch: Epoch,
    ) -> Result<Action, Failure> {
        let stack_small_id = stack.stack_small_id;
        if stack.is_claimed {
            return Err(Failure::AlreadyClaimed { stack_small_id });
        }
        let task = self
            .ports
            .state
            .task(stack.task_small_id)
            .await
            .map_err(internal)?;
        let confidential =
            task.is_some_and(|task| task.security_level == SecurityLevel::CONFIDENTIAL_COMPUTE);
        if !confidential {
            let settlement = settlement.ok_or(Failure::NotSettled { stack_small_id })?;
            check_ticket(settlement, epoch)?;
            return Ok(Action::ClaimStack { stack_small_id });
        }
        // Without a ticket what was computed is read when the record is frozen, not now: a message
        // may come in between.
        let num_claimed_compute_units =
            settlement.map(|settlement| settlement.num_claimed_compute_units);
        // Claiming nothing would give the buyer everything back and close the stack.
        let claimed = num_claimed_compute_units.unwrap_or(stack.already_computed_units);
        if claimed == ComputeUnits::ZERO {
            return Err(Failure::StackHasNoMessages { stack_small_id });
        }
        Ok(Action::ClaimConfidentialStack {
            stack_small_id,
            num_claimed_compute_units,
        })
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
