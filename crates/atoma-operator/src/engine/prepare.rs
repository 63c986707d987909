//! From an intent to the contract call it becomes, by what the daemon recorded and what stands on
//! chain at that moment. Everything that the chain would refuse is found here, before any gas is
//! spent.

use std::collections::BTreeSet;

use atoma_domain::contract::{ContractCall, TicketOnChain, drawable_attesters};
use atoma_domain::journal::{Action, Failure, Intent};
use atoma_domain::model::{Stack, Task, WorkRecord};
use atoma_domain::ports::{ContractView, StoreError, SubscriberQuery, ViewQuery};
use atoma_domain::settlement::{CommitmentError, SettlementProof, commitment};
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, SecurityLevel, StackSmallId};

use crate::Ports;

/// What the daemon's own database holds for an intent.
#[derive(Debug)]
pub(super) enum Local {
    /// Nothing is needed.
    Nothing,
    /// For a settlement.
    Settlement(Box<SettlementInputs>),
    /// For an attestation or a dispute: the record to judge by, if there is one.
    Record(Option<WorkRecord>),
}

/// What a settlement is made from.
#[derive(Debug)]
pub(super) struct SettlementInputs {
    stack: Stack,
    task: Option<Task>,
    record: Option<WorkRecord>,
    /// Who is probably in the task's subscriber list.
    expected_subscribers: Vec<NodeSmallId>,
}

/// Reads what the database holds for an intent.
pub(super) async fn gather(ports: &Ports, intent: &Intent) -> Result<Local, StoreError> {
    match &intent.action {
        Action::SettleStack { stack_small_id, .. } => {
            let Some(stack) = stack(ports, *stack_small_id).await? else {
                return Ok(Local::Nothing);
            };
            let task = ports.state.task(stack.task_small_id).await?;
            let record = ports
                .work
                .work_record(*stack_small_id, stack.selected_node_id)
                .await?;
            let sampling = task.as_ref().is_some_and(is_sampling);
            let expected_subscribers = if sampling {
                ports.state.subscribers(stack.task_small_id).await?
            } else {
                Vec::new()
            };
            Ok(Local::Settlement(Box::new(SettlementInputs {
                stack,
                task,
                record,
                expected_subscribers,
            })))
        }
        Action::AttestSettlement { stack_small_id, .. }
        | Action::StartDispute { stack_small_id } => Ok(Local::Record(
            record_to_judge_by(ports, *stack_small_id, intent.actor.node()).await?,
        )),
        _ => Ok(Local::Nothing),
    }
}

async fn stack(ports: &Ports, id: StackSmallId) -> Result<Option<Stack>, StoreError> {
    Ok(ports.state.stacks_by_id(&[id]).await?.pop())
}

/// The attesting node's own record of a stack, else the one of its selected node where that is
/// the operator's too.
async fn record_to_judge_by(
    ports: &Ports,
    id: StackSmallId,
    node: Option<NodeSmallId>,
) -> Result<Option<WorkRecord>, StoreError> {
    if let Some(node) = node
        && let Some(own) = ports.work.work_record(id, node).await?
    {
        return Ok(Some(own));
    }
    let Some(stack) = stack(ports, id).await? else {
        return Ok(None);
    };
    let nodes = ports.state.operator_nodes().await?;
    if nodes
        .iter()
        .any(|own| own.node_small_id == stack.selected_node_id)
    {
        ports.work.work_record(id, stack.selected_node_id).await
    } else {
        Ok(None)
    }
}

fn is_sampling(task: &Task) -> bool {
    task.security_level == SecurityLevel::SAMPLING_CONSENSUS
}

/// What must be read from the chain for a batch.
pub(super) fn query(batch: &[(Intent, Local)]) -> ViewQuery {
    let mut query = ViewQuery::default();
    let mut tickets = BTreeSet::new();
    for (intent, local) in batch {
        query.badge = intent.actor.badge();
        match (&intent.action, local) {
            (Action::SettleStack { stack_small_id, .. }, Local::Settlement(inputs)) => {
                query.stacks.push(*stack_small_id);
                tickets.insert(*stack_small_id);
                if inputs.task.as_ref().is_some_and(is_sampling) {
                    query.subscribers = Some(SubscriberQuery {
                        task: inputs.stack.task_small_id,
                        expected: inputs.expected_subscribers.clone(),
                    });
                }
            }
            (
                Action::AttestSettlement { stack_small_id, .. }
                | Action::StartDispute { stack_small_id },
                _,
            ) => {
                tickets.insert(*stack_small_id);
            }
            _ => {}
        }
    }
    query.tickets = tickets.into_iter().collect();
    query
}

/// The call that an intent becomes.
pub(super) fn call(
    intent: &Intent,
    local: &Local,
    view: &ContractView,
) -> Result<ContractCall, Failure> {
    Ok(match &intent.action {
        Action::RegisterNode { .. } => ContractCall::RegisterNode,
        Action::SubscribeToModel {
            model_name,
            echelon_id,
        } => ContractCall::AddNodeToModel {
            model_name: model_name.clone(),
            echelon: *echelon_id,
        },
        Action::SubscribeToTask {
            task_small_id,
            price,
        } => ContractCall::SubscribeToTask {
            task: *task_small_id,
            price: *price,
        },
        Action::UpdateSubscription {
            task_small_id,
            price,
        } => ContractCall::UpdateSubscription {
            task: *task_small_id,
            price: *price,
        },
        Action::UnsubscribeFromTask { task_small_id } => ContractCall::UnsubscribeFromTask {
            task: *task_small_id,
        },
        Action::SettleStack {
            stack_small_id,
            num_claimed_compute_units,
        } => settlement(*stack_small_id, *num_claimed_compute_units, local, view)?,
        Action::AttestSettlement {
            stack_small_id,
            allow_dispute,
        } => attestation(intent, *stack_small_id, *allow_dispute, local, view)?,
        Action::StartDispute { stack_small_id } => dispute(intent, *stack_small_id, local, view)?,
        Action::ClaimStack { stack_small_id } => ContractCall::ClaimFunds {
            stacks: vec![*stack_small_id],
        },
        Action::ClaimConfidentialStack {
            stack_small_id,
            num_claimed_compute_units,
        } => ContractCall::ClaimFundsForStacks {
            stacks: vec![(*stack_small_id, *num_claimed_compute_units)],
        },
    })
}

fn settlement(
    stack_small_id: StackSmallId,
    asked: Option<ComputeUnits>,
    local: &Local,
    view: &ContractView,
) -> Result<ContractCall, Failure> {
    let Local::Settlement(inputs) = local else {
        return Err(Failure::UnknownStack { stack_small_id });
    };
    // A claimed stack's entry is deleted: what the mirror still shows is behind the chain.
    let Some(on_chain) = view.stacks.get(&stack_small_id) else {
        return Err(Failure::AlreadyClaimed { stack_small_id });
    };
    if view.tickets.contains_key(&stack_small_id) {
        return Err(Failure::AlreadySettling { stack_small_id });
    }
    let Some(task) = &inputs.task else {
        return Err(Failure::UnknownTask {
            task_small_id: inputs.stack.task_small_id,
        });
    };
    let record = inputs.record.as_ref();
    let Some((record, root)) = record.and_then(|r| Some((r, r.accumulator.root()?))) else {
        return Err(Failure::StackHasNoMessages { stack_small_id });
    };
    let claimed = asked.unwrap_or(record.computed_units);
    if claimed > on_chain.num_compute_units {
        return Err(Failure::TooManyComputeUnits {
            stack_small_id,
            num_claimed_compute_units: claimed,
            num_compute_units: on_chain.num_compute_units,
        });
    }
    let extra_nodes = view.parameters.cross_validation_extra_nodes_count;
    let drawable = if is_sampling(task) {
        let Some(subscribers) = &view.subscribers else {
            return Err(Failure::TaskRemoved {
                task_small_id: task.task_small_id,
            });
        };
        drawable_attesters(
            subscribers,
            on_chain.price_per_one_million_compute_units,
            on_chain.num_compute_units,
        )
    } else {
        // Nobody is drawn and nothing recomputed: the plain commitment over all leaves.
        extra_nodes
    };
    let proof =
        SettlementProof::of_selected_node(&root, extra_nodes, drawable).map_err(no_commitment)?;
    Ok(ContractCall::TrySettleStack {
        stack: stack_small_id,
        claimed,
        proof,
    })
}

fn attestation(
    intent: &Intent,
    stack_small_id: StackSmallId,
    allow_dispute: bool,
    local: &Local,
    view: &ContractView,
) -> Result<ContractCall, Failure> {
    let (ticket, root, node_small_id) = ticket_and_root(intent, stack_small_id, local, view)?;
    let place = ticket
        .requested_attestation_nodes
        .iter()
        .position(|requested| *requested == node_small_id)
        .ok_or(Failure::AttestationNotRequested {
            stack_small_id,
            node_small_id,
        })?;
    if ticket.already_attested_nodes.contains(&node_small_id) {
        return Err(Failure::AlreadyAttested {
            stack_small_id,
            node_small_id,
        });
    }
    if view.epoch.epoch > ticket.dispute_settled_at_epoch {
        return Err(Failure::AttestationWindowOver {
            stack_small_id,
            last_epoch: ticket.dispute_settled_at_epoch,
        });
    }
    let proof = SettlementProof::of_attester(
        &root,
        ticket.stack_merkle_leaves.0.len(),
        ticket.requested_attestation_nodes.len(),
        place,
    )
    .map_err(no_commitment)?;
    if ticket.committed_stack_proof != proof.commitment && !allow_dispute {
        return Err(Failure::CommitmentMismatch {
            stack_small_id,
            node_small_id,
        });
    }
    Ok(ContractCall::SubmitAttestation {
        stack: stack_small_id,
        proof,
    })
}

fn dispute(
    intent: &Intent,
    stack_small_id: StackSmallId,
    local: &Local,
    view: &ContractView,
) -> Result<ContractCall, Failure> {
    let (ticket, root, node_small_id) = ticket_and_root(intent, stack_small_id, local, view)?;
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    // One slot of 32 bytes for the selected node, the others for those who can be drawn.
    let extra_nodes = number(ticket.stack_merkle_leaves.0.len() / 32).saturating_sub(1);
    let requested = number(ticket.requested_attestation_nodes.len());
    // Where the draw named nobody, the ticket does not tell for how many its commitment was made.
    let drawable = if requested == 0 {
        0..=extra_nodes
    } else {
        requested..=requested
    };
    let mut own = None;
    for drawable in drawable {
        let commitment = commitment(&root, extra_nodes, drawable).map_err(no_commitment)?;
        if ticket.committed_stack_proof == commitment {
            return Err(Failure::NothingToDispute {
                stack_small_id,
                node_small_id,
            });
        }
        own = Some(commitment);
    }
    own.map(|commitment| ContractCall::StartDispute {
        stack: stack_small_id,
        commitment,
    })
    .ok_or_else(|| Failure::Internal {
        reason: String::from("no commitment was compared"),
    })
}

/// Whether a node that lags behind would give the same reason: it is drawn from what the view
/// lacks, though the mirror has it.
pub(super) const fn may_lag(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::AlreadyClaimed { .. } | Failure::NotSettled { .. } | Failure::TaskRemoved { .. }
    )
}

/// What attestations and disputes have in common: a ticket that is open, and a record to judge by.
fn ticket_and_root<'v>(
    intent: &Intent,
    stack_small_id: StackSmallId,
    local: &Local,
    view: &'v ContractView,
) -> Result<(&'v TicketOnChain, Hash32, NodeSmallId), Failure> {
    let Some(ticket) = view.tickets.get(&stack_small_id) else {
        return Err(Failure::NotSettled { stack_small_id });
    };
    if ticket.is_in_dispute {
        return Err(Failure::StackInDispute { stack_small_id });
    }
    let node_small_id = intent.actor.node().ok_or(Failure::NoNodeRegistered {})?;
    let root = match local {
        Local::Record(Some(record)) => record.accumulator.root(),
        _ => None,
    };
    let root = root.ok_or(Failure::NothingToAttestWith {
        stack_small_id,
        node_small_id,
    })?;
    Ok((ticket, root, node_small_id))
}

fn no_commitment(error: CommitmentError) -> Failure {
    Failure::ExecutionFailed {
        reason: error.to_string(),
    }
}

/// Folds neighbouring claims into one call each: the contract takes many stacks at a time.
pub(super) fn merge(calls: Vec<ContractCall>) -> Vec<ContractCall> {
    let mut merged: Vec<ContractCall> = Vec::with_capacity(calls.len());
    for call in calls {
        match (merged.last_mut(), call) {
            (
                Some(ContractCall::ClaimFunds { stacks }),
                ContractCall::ClaimFunds { stacks: more },
            ) => stacks.extend(more),
            (
                Some(ContractCall::ClaimFundsForStacks { stacks }),
                ContractCall::ClaimFundsForStacks { stacks: more },
            ) => stacks.extend(more),
            (_, call) => merged.push(call),
        }
    }
    merged
}
