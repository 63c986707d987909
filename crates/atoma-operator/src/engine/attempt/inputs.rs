//! What a batch depends on: the daemon's own records, and the contract's objects on chain.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use atoma_domain::journal::{Action, Failure, Intent};
use atoma_domain::model::{NodeKey, SettlementInputs, Task, WorkRecord};
use atoma_domain::ports::{
    Chain, ChainError, ContractView, Page, StoreError, SubscriberQuery, ViewQuery,
};
use atoma_domain::{ComputeUnits, Mist, NodeSmallId, ObjectReference, SecurityLevel};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::failures::unanswered;
use super::next::Next;
use crate::Ports;
use crate::badge_use::{LastUse, UseKind, not_shown, unknown_use};
use crate::badges::{ReconcileError, own_nodes};
use crate::causes::internal;
use crate::engine::reads::ask;
use crate::engine::shared::{Context, fail, fail_all};
use crate::engine::wait_reason::WaitReason;
use crate::records::record_to_compare;

/// What a batch depends on.
#[derive(Debug)]
pub(in crate::engine) struct Inputs {
    /// Where the view comes from, and where the rest of the attempt goes.
    pub(in crate::engine) chain: Arc<dyn Chain>,
    pub(in crate::engine) gathered: Vec<(Intent, LocalInputs)>,
    pub(in crate::engine) view: ContractView,
}

/// What the daemon's own database holds for an intent.
#[derive(Debug)]
pub(in crate::engine) enum LocalInputs {
    /// Nothing is needed.
    Nothing,
    /// For a settlement.
    Settlement(Box<SettlementInputs>),
    /// For the claim of a confidential stack: the units that its record counts, if there is one.
    Computed(Option<ComputeUnits>),
    /// For a key rotation: the key that the mirror knows, if there is one.
    Key(Option<NodeKey>),
    /// For an attestation or a dispute: the record to compare with, if there is one.
    Record(Option<WorkRecord>),
}

/// Reads what a batch depends on; says how long the chain took to answer. `badge` is the latest
/// version known: an older one makes the node's answer too old.
///
/// # Errors
/// What to do with the batch instead.
pub(in crate::engine) async fn read(
    context: &Context,
    batch: Vec<Intent>,
    badge: Option<&ObjectReference>,
) -> Result<(Inputs, Duration), Next> {
    let gathered = gather_all(context, batch).await?;
    let query = query(&gathered);
    let chain = context.ports.chain_for_attempt();
    let view = ask(&context.config, || view(chain.as_ref(), &query, badge)).await;
    let intents = || -> Vec<Intent> {
        let intents = gathered.iter().map(|(intent, _)| intent.clone());
        intents.collect()
    };
    match view {
        Ok((view, took)) => {
            refuse_second_node(context, &intents()).await?;
            let inputs = Inputs {
                chain,
                gathered,
                view,
            };
            Ok((inputs, took))
        }
        Err(error) => Err(unanswered(context, &intents(), Mist::ZERO, &error).await),
    }
}

async fn gather_all(
    context: &Context,
    batch: Vec<Intent>,
) -> Result<Vec<(Intent, LocalInputs)>, Next> {
    let mut gathered = Vec::with_capacity(batch.len());
    for intent in &batch {
        match gather(&context.ports, intent).await {
            Ok(local) => gathered.push((intent.clone(), local)),
            Err(error) if error.is_temporary() => {
                return Err(Next::Wait {
                    reason: WaitReason::database(&error),
                    intents: batch,
                });
            }
            // One unreadable row costs the others nothing.
            Err(error) => fail(context, intent, internal(error)).await,
        }
    }
    Ok(gathered)
}

/// A view from a node that knows the badge's last use that is known here. From an older view an
/// attestation could be made a second time, over the badge's newest version.
async fn view(
    chain: &dyn Chain,
    query: &ViewQuery,
    badge: Option<&ObjectReference>,
) -> Result<(ContractView, Duration), ChainError> {
    let asked_at = Instant::now();
    let view = chain.view(query).await?;
    let shown = view.badge.as_ref().map(ObjectReference::version);
    match badge {
        Some(known) if shown < Some(known.version()) => Err(ChainError::Behind {
            object: *known.object_id(),
            shown,
            known: known.version(),
        }),
        _ => Ok((view, asked_at.elapsed())),
    }
}

/// Refuses to register an address's only node if the address already has one. This runs in
/// the address's lane, where no other registration is under way.
async fn refuse_second_node(context: &Context, batch: &[Intent]) -> Result<(), Next> {
    let [intent] = batch else { return Ok(()) };
    if intent.action != (Action::RegisterNode { additional: false }) {
        return Ok(());
    }
    match own_nodes(&context.ports).await {
        Ok(nodes) => match nodes.first() {
            Some(node) => {
                let node_small_id = node.node_small_id;
                let failure = Failure::AlreadyRegistered { node_small_id };
                fail_all(context, batch, &failure).await;
                Err(Next::Nothing)
            }
            None => Ok(()),
        },
        Err(error) => Err(not_compared(context, batch.to_vec(), error).await),
    }
}

/// What to do with a batch while the database can't be compared with the chain.
async fn not_compared(context: &Context, intents: Vec<Intent>, error: ReconcileError) -> Next {
    match error {
        ReconcileError::Chain(error) => unanswered(context, &intents, Mist::ZERO, &error).await,
        ReconcileError::Store(error) => Next::Wait {
            intents,
            reason: WaitReason::database(&error),
        },
    }
}

/// Makes a badge's first attempt in this process wait if other software used the badge last. The start looks
/// too, but a Sui node whose owner index is incomplete may not have shown the badge then.
///
/// # Errors
/// What to do with the batch instead.
pub(in crate::engine) async fn check_last_use(
    context: &Context,
    view: &ContractView,
    intents: Vec<Intent>,
) -> Result<(), Next> {
    let badge = view
        .badge
        .as_ref()
        .filter(|_| !context.config.allow_foreign_use);
    let Some(badge) = badge else { return Ok(()) };
    let node = intents.first().and_then(|intent| intent.actor.node());
    let Ports { chain, journal, .. } = &context.ports;
    match unknown_use(chain.as_ref(), Some(journal.as_ref()), *badge.object_id()).await {
        Ok(Some(LastUse {
            kind: UseKind::KeyRotation,
            tx_digest,
            ..
        })) => match journal.acknowledge_use(*badge.object_id(), tx_digest).await {
            Ok(()) => Ok(()),
            Err(error) => Err(not_compared(context, intents, error.into()).await),
        },
        Ok(Some(last)) if last.kind == UseKind::Unclear => {
            Err(not_compared(context, intents, not_shown(last.tx_digest)).await)
        }
        Ok(Some(last)) if last.kind == UseKind::Other => {
            let node_small_id = node.unwrap_or(NodeSmallId::new(0));
            if context.foreign_uses.note(badge) {
                warn!(
                    node = %node_small_id, digest = %last.tx_digest,
                    "other software used the badge last: signing nothing with it until a start with \
                     `allow_foreign_use`"
                );
            }
            Err(Next::Wait {
                intents,
                reason: WaitReason::Stopped(Failure::BadgeUsedElsewhere {
                    node_small_id,
                    tx_digest: last.tx_digest,
                }),
            })
        }
        Ok(_) => Ok(()),
        Err(error) => Err(not_compared(context, intents, error).await),
    }
}

/// Notes that other software used a badge which this process knew at an older version, unless it only rotated the
/// node's key. What the Sui node does not show is asked again.
///
/// # Errors
/// What to do with the batch instead.
pub(in crate::engine) async fn note_foreign_use(
    context: &Context,
    known: &ObjectReference,
    seen: &ObjectReference,
    intents: Vec<Intent>,
) -> Result<(), Next> {
    let Ports { chain, journal, .. } = &context.ports;
    match unknown_use(chain.as_ref(), Some(journal.as_ref()), *seen.object_id()).await {
        Ok(Some(LastUse {
            kind: UseKind::KeyRotation,
            tx_digest,
            ..
        })) => {
            info!(badge = %seen.object_id(), digest = %tx_digest, "other software rotated the node's key");
        }
        Ok(Some(last)) if last.kind == UseKind::Unclear => {
            return Err(not_compared(context, intents, not_shown(last.tx_digest)).await);
        }
        // The journal knows it after all, or the Sui node that answers is behind the one that showed the version.
        Ok(None) => {
            debug!(badge = %seen.object_id(), "nothing shows that other software used the badge")
        }
        Ok(Some(_)) => {
            if context.foreign_uses.note(seen) {
                warn!(
                    badge = %seen.object_id(), known_version = known.version(), version = seen.version(),
                    "other software used the badge: is another daemon running with this key?"
                );
            }
        }
        Err(error) => return Err(not_compared(context, intents, error).await),
    }
    Ok(())
}

/// Reads what the database holds for an intent.
pub(in crate::engine) async fn gather(
    ports: &Ports,
    intent: &Intent,
) -> Result<LocalInputs, StoreError> {
    match &intent.action {
        Action::SettleStack { stack_small_id, .. } => {
            let inputs = ports.state.settlement_inputs(*stack_small_id).await?;
            Ok(inputs.map_or(LocalInputs::Nothing, |inputs| {
                LocalInputs::Settlement(Box::new(inputs))
            }))
        }
        Action::AttestSettlement { stack_small_id, .. }
        | Action::StartDispute { stack_small_id } => {
            let record = match intent.actor.node() {
                Some(node) => record_to_compare(ports, *stack_small_id, node).await?,
                None => None,
            };
            Ok(LocalInputs::Record(record))
        }
        Action::RotateNodeKey { .. } => {
            let nodes: Vec<_> = intent.actor.node().into_iter().collect();
            let keys = ports.state.node_keys(&nodes, Page::first(1)).await?;
            Ok(LocalInputs::Key(keys.into_iter().next()))
        }
        Action::ClaimConfidentialStack {
            stack_small_id,
            num_claimed_compute_units: None,
        } => {
            // Only the selected node can open such a claim.
            let record = match intent.actor.node() {
                Some(node) => ports.work.work_record(*stack_small_id, node).await?,
                None => None,
            };
            Ok(LocalInputs::Computed(
                record.map(|record| record.computed_units),
            ))
        }
        _ => Ok(LocalInputs::Nothing),
    }
}

pub(super) fn is_sampling(task: &Task) -> bool {
    task.security_level == SecurityLevel::SAMPLING_CONSENSUS
}

/// What must be read from the chain for a batch.
pub(in crate::engine) fn query(batch: &[(Intent, LocalInputs)]) -> ViewQuery {
    let mut query = ViewQuery::default();
    let mut tickets = BTreeSet::new();
    for (intent, local) in batch {
        query.badge = intent.actor.badge();
        match (&intent.action, local) {
            (Action::SettleStack { stack_small_id, .. }, LocalInputs::Settlement(inputs)) => {
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
            (Action::RotateNodeKey { .. }, _) => query.node_key = intent.actor.node(),
            (Action::WithdrawFees {}, _) => query.shares.extend(intent.actor.node()),
            _ => {}
        }
    }
    query.tickets = tickets.into_iter().collect();
    query
}
