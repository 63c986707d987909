//! From an intent to the contract call it becomes, by what the daemon recorded and what stands on
//! chain at that moment. Everything that the chain would refuse is found here, before any gas is
//! spent.

mod calls;

use std::collections::BTreeSet;

use atoma_domain::journal::{Action, Intent};
use atoma_domain::model::{SettlementInputs, Stack, Task, WorkRecord};
use atoma_domain::ports::{StoreError, SubscriberQuery, ViewQuery};
use atoma_domain::{ComputeUnits, NodeSmallId, SecurityLevel, StackSmallId};

use crate::Ports;
pub(super) use calls::{call, may_lag, merge};

/// What the daemon's own database holds for an intent.
#[derive(Debug)]
pub(super) enum Local {
    /// Nothing is needed.
    Nothing,
    /// For a settlement.
    Settlement(Box<SettlementInputs>),
    /// For the claim of a confidential stack: what its record says was computed, if there is one.
    Computed(Option<ComputeUnits>),
    /// For an attestation or a dispute: the record to judge by, if there is one.
    Record(Option<WorkRecord>),
}

/// Reads what the database holds for an intent.
pub(super) async fn gather(ports: &Ports, intent: &Intent) -> Result<Local, StoreError> {
    match &intent.action {
        Action::SettleStack { stack_small_id, .. } => {
            let inputs = ports.state.settlement_inputs(*stack_small_id).await?;
            Ok(inputs.map_or(Local::Nothing, |inputs| Local::Settlement(Box::new(inputs))))
        }
        Action::AttestSettlement { stack_small_id, .. }
        | Action::StartDispute { stack_small_id } => Ok(Local::Record(
            record_to_judge_by(ports, *stack_small_id, intent.actor.node()).await?,
        )),
        Action::ClaimConfidentialStack {
            stack_small_id,
            num_claimed_compute_units: None,
        } => {
            // Opened for nobody but the selected node.
            let record = match intent.actor.node() {
                Some(node) => ports.work.work_record(*stack_small_id, node).await?,
                None => None,
            };
            Ok(Local::Computed(record.map(|record| record.computed_units)))
        }
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
                        task: inputs.task_small_id,
                        expected: inputs.subscribers.clone(),
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
