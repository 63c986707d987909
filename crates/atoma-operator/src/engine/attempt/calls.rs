//! The contract call that an intent becomes.

use atoma_domain::contract::{ContractCall, TicketOnChain, drawable_attesters};
use atoma_domain::journal::{Action, Failure, Intent};
use atoma_domain::model::NodeKey;
use atoma_domain::ports::ContractView;
use atoma_domain::settlement::{CommitmentError, SettlementProof, commitment};
use atoma_domain::{ComputeUnits, Hash32, MicroUsdc, NodeSmallId, StackSmallId};

use super::inputs::{LocalInputs, is_sampling};

/// Why an intent becomes no call.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) enum CallError {
    /// The chain would refuse it.
    Final(Failure),
    /// The view lacks something that the mirror has: this is the reason, unless the node lags.
    Doubtful(Failure),
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Final(failure) | CallError::Doubtful(failure) => failure,
        }
    }
}

/// The call that an intent becomes, by what the daemon recorded and what the chain shows now.
///
/// # Errors
/// Why the chain would refuse it.
pub(in crate::engine) fn call(
    intent: &Intent,
    local: &LocalInputs,
    view: &ContractView,
) -> Result<ContractCall, CallError> {
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
        Action::RotateNodeKey {
            public_key_commitment,
            evidence,
            device_type,
            key_rotation_counter,
        } => ContractCall::RotateNodePublicKey {
            commitment: public_key_commitment.clone(),
            evidence: evidence.clone(),
            key_rotation_counter: rotation(*key_rotation_counter, *device_type, local, view)?,
            device_type: *device_type,
        },
        Action::WithdrawFees {} => withdrawal(intent, view)?,
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
        } => confidential_claim(*stack_small_id, *num_claimed_compute_units, local)?,
    })
}

/// The key rotation of a commitment: the network's current one, in which the device has not committed yet. The contract would
/// keep its key and emit the event of a rotation all the same, so this must be known before anything is sent.
fn rotation(
    asked: Option<u64>,
    device_type: u16,
    local: &LocalInputs,
    view: &ContractView,
) -> Result<u64, CallError> {
    let current = view.parameters.key_rotation_counter;
    let key_rotation_counter = asked.unwrap_or(current);
    if key_rotation_counter != current {
        let failure = Failure::NotTheKeyRotation {
            key_rotation_counter,
            current_key_rotation_counter: current,
        };
        // The contract only counts up: a later rotation may be news to the Sui node.
        return Err(if key_rotation_counter > current {
            CallError::Doubtful(failure)
        } else {
            CallError::Final(failure)
        });
    }
    let already = |key: &NodeKey| {
        let is_committed = key.is_committed(current, device_type);
        is_committed.then_some(Failure::KeyAlreadyRotated {
            node_small_id: key.node_small_id,
            device_type,
            key_rotation_counter,
        })
    };
    if let Some(failure) = view.node_key.as_ref().and_then(already) {
        return Err(failure.into());
    }
    // What the mirror alone has may be news to the Sui node.
    match local {
        LocalInputs::Key(Some(key)) => match already(key) {
            Some(failure) => Err(CallError::Doubtful(failure)),
            None => Ok(key_rotation_counter),
        },
        _ => Ok(key_rotation_counter),
    }
}

/// A withdrawal of shares. The contract lets one of nothing succeed, which would only cost gas.
fn withdrawal(intent: &Intent, view: &ContractView) -> Result<ContractCall, CallError> {
    let node_small_id = intent.actor.node().ok_or(Failure::NoNodeRegistered {})?;
    match view.shares.get(&node_small_id) {
        Some(shares) if *shares > MicroUsdc::ZERO => Ok(ContractCall::WithdrawFees),
        // A Sui node that lags has not seen the claim that credited them.
        _ => Err(CallError::Doubtful(Failure::NothingToWithdraw {
            node_small_id,
        })),
    }
}

fn confidential_claim(
    stack_small_id: StackSmallId,
    asked: Option<ComputeUnits>,
    local: &LocalInputs,
) -> Result<ContractCall, CallError> {
    let claimed = match (asked, local) {
        (Some(asked), _) => asked,
        (None, LocalInputs::Computed(Some(computed))) => *computed,
        _ => ComputeUnits::ZERO,
    };
    // Claiming nothing would give the buyer everything back and close the stack.
    if claimed == ComputeUnits::ZERO {
        return Err(Failure::StackHasNoMessages { stack_small_id }.into());
    }
    Ok(ContractCall::ClaimFundsForStacks {
        stacks: vec![(stack_small_id, claimed)],
    })
}

fn settlement(
    stack_small_id: StackSmallId,
    asked: Option<ComputeUnits>,
    local: &LocalInputs,
    view: &ContractView,
) -> Result<ContractCall, CallError> {
    let LocalInputs::Settlement(inputs) = local else {
        return Err(Failure::UnknownStack { stack_small_id }.into());
    };
    // A claimed stack's entry is deleted: what the mirror still shows is behind the chain.
    let Some(on_chain) = view.stacks.get(&stack_small_id) else {
        let failure = Failure::AlreadyClaimed { stack_small_id };
        return Err(CallError::Doubtful(failure));
    };
    if view.tickets.contains_key(&stack_small_id) {
        return Err(Failure::AlreadySettling { stack_small_id }.into());
    }
    let Some(task) = &inputs.task else {
        return Err(Failure::UnknownTask {
            task_small_id: inputs.task_small_id,
        }
        .into());
    };
    let record = inputs.record.as_ref();
    let Some((record, root)) = record.and_then(|r| Some((r, r.accumulator.root()?))) else {
        return Err(Failure::StackHasNoMessages { stack_small_id }.into());
    };
    let claimed = asked.unwrap_or(record.computed_units);
    if claimed > on_chain.num_compute_units {
        return Err(Failure::TooManyComputeUnits {
            stack_small_id,
            num_claimed_compute_units: claimed,
            num_compute_units: on_chain.num_compute_units,
        }
        .into());
    }
    let extra_nodes = view.parameters.cross_validation_extra_nodes_count;
    let drawable = if is_sampling(task) {
        let Some(subscribers) = &view.subscribers else {
            let task_small_id = task.task_small_id;
            return Err(CallError::Doubtful(Failure::TaskRemoved { task_small_id }));
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
    local: &LocalInputs,
    view: &ContractView,
) -> Result<ContractCall, CallError> {
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
        }
        .into());
    }
    if view.epoch.epoch > ticket.dispute_settled_at_epoch {
        return Err(Failure::AttestationWindowOver {
            stack_small_id,
            last_epoch: ticket.dispute_settled_at_epoch,
        }
        .into());
    }
    let proof = SettlementProof::of_attester(
        &root,
        ticket.stack_merkle_leaves.0.len(),
        ticket.requested_attestation_nodes.len(),
        place,
    )
    .map_err(no_commitment)?;
    let call = ContractCall::SubmitAttestation {
        stack: stack_small_id,
        proof,
    };
    if !allow_dispute && raises_dispute(&call, view) {
        return Err(Failure::CommitmentMismatch {
            stack_small_id,
            node_small_id,
        }
        .into());
    }
    Ok(call)
}

/// Whether a call is an attestation that raises a dispute: one whose commitment is not the ticket's.
pub(in crate::engine) fn raises_dispute(call: &ContractCall, view: &ContractView) -> bool {
    let ContractCall::SubmitAttestation { stack, proof } = call else {
        return false;
    };
    let ticket = view.tickets.get(stack);
    ticket.is_some_and(|ticket| ticket.committed_stack_proof != proof.commitment)
}

fn dispute(
    intent: &Intent,
    stack_small_id: StackSmallId,
    local: &LocalInputs,
    view: &ContractView,
) -> Result<ContractCall, CallError> {
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
            }
            .into());
        }
        own = Some(commitment);
    }
    own.map(|commitment| ContractCall::StartDispute {
        stack: stack_small_id,
        commitment,
    })
    .ok_or_else(|| {
        let reason = String::from("no commitment was compared");
        Failure::Internal { reason }.into()
    })
}

/// What attestations and disputes have in common: a ticket that is open, and a record to judge by.
fn ticket_and_root<'v>(
    intent: &Intent,
    stack_small_id: StackSmallId,
    local: &LocalInputs,
    view: &'v ContractView,
) -> Result<(&'v TicketOnChain, Hash32, NodeSmallId), CallError> {
    let Some(ticket) = view.tickets.get(&stack_small_id) else {
        return Err(CallError::Doubtful(Failure::NotSettled { stack_small_id }));
    };
    if ticket.is_in_dispute {
        return Err(Failure::StackInDispute { stack_small_id }.into());
    }
    let node_small_id = intent.actor.node().ok_or(Failure::NoNodeRegistered {})?;
    let root = match local {
        LocalInputs::Record(Some(record)) => record.accumulator.root(),
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

#[cfg(test)]
mod tests;
