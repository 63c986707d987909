//! Who used a badge last, if it was not this daemon.
//!
//! The service on a confidential node's machine rotates the node's key itself, with the same badge. That is no
//! foreign use: a key rotation changes nothing that the daemon decides by. But a rotation must not hide what came
//! before it, so the badge's versions are followed back to a use that is known.

use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{Chain, ChainError, Executed, ExecutionOutcome, Journal};
use atoma_domain::{Digest, ObjectId, consumed_version};

use crate::badges::ReconcileError;

/// The most key rotations in a row that are followed back. The daemon's own next transaction, or its next start,
/// begins a new row.
const MOST_ROTATIONS: usize = 64;

/// Functions of the contract that a failed key rotation can have aborted in.
const ROTATING: [&str; 2] = ["rotate_node_public_key", "handle_existing_node_attestation"];

/// What the ledger shows of a badge's last use, which the journal does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastUse {
    pub(crate) tx_digest: Digest,
    /// The badge's version since then.
    pub(crate) version: u64,
    pub(crate) kind: UseKind,
}

/// What a badge was last used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UseKind {
    /// The transaction registered the badge's node: nobody has used the badge yet.
    Registration,
    /// It was only used to rotate the node's key since a use that the journal knows, or since its registration.
    KeyRotation,
    /// Anything else.
    Other,
}

/// A badge's last use, if the journal does not know it; `None` also if the Sui node does not show the
/// badge, or not its last transaction. Without a journal, no use is known.
pub(crate) async fn unknown_use(
    chain: &dyn Chain,
    journal: Option<&dyn Journal>,
    badge: ObjectId,
) -> Result<Option<LastUse>, ReconcileError> {
    let Some(shown) = chain.object(badge).await? else {
        return Ok(None);
    };
    let Some(tx_digest) = shown.last_transaction else {
        return Ok(None);
    };
    if is_known(journal, badge, tx_digest).await? {
        return Ok(None);
    }
    let kind = match chain.lookup(tx_digest).await? {
        Some(executed) if is_registration(&executed, badge) => UseKind::Registration,
        Some(executed) if only_rotated(chain, journal, badge, &executed).await? => {
            UseKind::KeyRotation
        }
        _ => UseKind::Other,
    };
    Ok(Some(LastUse {
        tx_digest,
        version: shown.reference.version(),
        kind,
    }))
}

async fn is_known(
    journal: Option<&dyn Journal>,
    badge: ObjectId,
    digest: Digest,
) -> Result<bool, ReconcileError> {
    match journal {
        Some(journal) => Ok(journal.knows_use(badge, digest).await?),
        None => Ok(false),
    }
}

/// Whether this use of a badge, and all uses before it back to a known one or to the registration, were key
/// rotations. False as well when the Sui node doesn't show one of them any more.
async fn only_rotated(
    chain: &dyn Chain,
    journal: Option<&dyn Journal>,
    badge: ObjectId,
    last: &Executed,
) -> Result<bool, ReconcileError> {
    let mut used = last.clone();
    for _ in 0..MOST_ROTATIONS {
        if !is_rotation(&used) {
            return Ok(false);
        }
        let Some(before) = use_before(chain, badge, &used).await? else {
            return Ok(false);
        };
        if is_registration(&before, badge) || is_known(journal, badge, before.digest).await? {
            return Ok(true);
        }
        used = before;
    }
    Ok(false)
}

/// The transaction that wrote the badge's version which `used` consumed.
async fn use_before(
    chain: &dyn Chain,
    badge: ObjectId,
    used: &Executed,
) -> Result<Option<Executed>, ReconcileError> {
    let consumed =
        consumed_version(&used.effects, badge).map_err(|error| ChainError::Answer(error.into()))?;
    let Some(consumed) = consumed else {
        return Ok(None);
    };
    for dependency in consumed.dependencies {
        let Some(executed) = chain.lookup(dependency).await? else {
            continue;
        };
        let written = executed.written.get(&badge);
        if written.is_some_and(|written| written.version() == consumed.version) {
            return Ok(Some(executed));
        }
    }
    Ok(None)
}

fn is_registration(executed: &Executed, badge: ObjectId) -> bool {
    let registers = |event: &ContractEvent| matches!(event, ContractEvent::NodeRegistered(node) if node.badge_id == badge);
    executed.events.iter().any(registers)
}

/// Whether a transaction rotated keys and emitted no other event of the contract, or failed to rotate a key.
fn is_rotation(executed: &Executed) -> bool {
    match &executed.outcome {
        ExecutionOutcome::Success => {
            let rotates = |event| matches!(event, &ContractEvent::NodePublicKeyCommitment(_));
            executed.other_events == 0
                && !executed.events.is_empty()
                && executed.events.iter().all(rotates)
        }
        ExecutionOutcome::Abort(abort) => {
            let function = abort.function.as_deref();
            abort.module == "db" && function.is_some_and(|function| ROTATING.contains(&function))
        }
        ExecutionOutcome::Cancelled { .. } | ExecutionOutcome::Failed { .. } => false,
    }
}
