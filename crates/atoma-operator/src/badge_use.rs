//! Who used a badge last, if it was not this daemon.
//!
//! The service on a confidential node's machine rotates the node's key itself, with the same badge. That is no
//! foreign use: a key rotation changes nothing that the daemon decides by. But a rotation must not hide what came
//! before it, so the badge's versions are followed back to a use that is known.

use async_trait::async_trait;
use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{Chain, ChainError, Executed, ExecutionOutcome, Journal};
use atoma_domain::{ConsumedVersion, Digest, ObjectId, ObjectReference, consumed_version};

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
    /// The Sui node does not show the transaction, or one before it: it lags, or has pruned it. It may have been anything.
    Unclear,
    /// Anything else.
    Other,
}

/// A badge's last use, if the journal does not know it; `None` also if the Sui node does not show the
/// badge, or does not name its last transaction. Without a journal, no use is known.
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
    let uses = BadgeUses {
        chain,
        journal,
        badge,
    };
    if uses.is_known(tx_digest).await? {
        return Ok(None);
    }
    Ok(Some(LastUse {
        tx_digest,
        version: shown.reference.version(),
        kind: kind_of(&uses, tx_digest).await?,
    }))
}

/// Why an unclear use can't be judged.
pub(crate) fn not_shown(tx_digest: Digest) -> ReconcileError {
    let reason = format!(
        "the Sui node does not show transaction {tx_digest}, which used the node's badge last, or one before it. If the \
         node has pruned it, start once with `allow_foreign_use = true`"
    );
    ChainError::Unavailable(reason.into()).into()
}

/// The uses of a badge.
#[async_trait]
trait Uses: Sync {
    /// The transaction, as far as it matters to the badge; `None` if the Sui node does not show it.
    async fn transaction(&self, digest: Digest) -> Result<Option<Use>, ReconcileError>;

    /// Whether the journal knows this use.
    async fn is_known(&self, digest: Digest) -> Result<bool, ReconcileError>;
}

/// What a transaction means for a badge.
#[derive(Clone, Debug)]
struct Use {
    digest: Digest,
    purpose: Purpose,
    /// The version of the badge that it consumed.
    consumed: Option<ConsumedVersion>,
    /// The version of the badge that it wrote.
    written: Option<u64>,
}

/// What a transaction did with a badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Registration,
    KeyRotation,
    Other,
}

/// What a transaction, which the journal does not know, used the badge for.
async fn kind_of(uses: &dyn Uses, last: Digest) -> Result<UseKind, ReconcileError> {
    let Some(mut used) = uses.transaction(last).await? else {
        return Ok(UseKind::Unclear);
    };
    if used.purpose == Purpose::Registration {
        return Ok(UseKind::Registration);
    }
    for _ in 0..MOST_ROTATIONS {
        if used.purpose != Purpose::KeyRotation {
            return Ok(UseKind::Other);
        }
        let before = match use_before(uses, &used).await? {
            Before::Shown(before) => before,
            Before::NotShown => return Ok(UseKind::Unclear),
            Before::Nothing => return Ok(UseKind::Other),
        };
        if before.purpose == Purpose::Registration || uses.is_known(before.digest).await? {
            return Ok(UseKind::KeyRotation);
        }
        used = before;
    }
    Ok(UseKind::Other)
}

/// The use before another.
enum Before {
    Shown(Use),
    /// It is among transactions that the Sui node does not show.
    NotShown,
    /// There is none.
    Nothing,
}

/// The transaction that wrote the badge's version which `used` consumed.
async fn use_before(uses: &dyn Uses, used: &Use) -> Result<Before, ReconcileError> {
    let Some(consumed) = &used.consumed else {
        return Ok(Before::Nothing);
    };
    let mut are_shown = true;
    for dependency in &consumed.dependencies {
        match uses.transaction(*dependency).await? {
            Some(before) if before.written == Some(consumed.version) => {
                return Ok(Before::Shown(before));
            }
            Some(_) => {}
            None => are_shown = false,
        }
    }
    Ok(match are_shown {
        true => Before::Nothing,
        false => Before::NotShown,
    })
}

/// A badge's uses in the ledger and in the journal.
struct BadgeUses<'p> {
    chain: &'p dyn Chain,
    journal: Option<&'p dyn Journal>,
    badge: ObjectId,
}

#[async_trait]
impl Uses for BadgeUses<'_> {
    async fn transaction(&self, digest: Digest) -> Result<Option<Use>, ReconcileError> {
        let Some(executed) = self.chain.lookup(digest).await? else {
            return Ok(None);
        };
        let consumed = consumed_version(&executed.effects, self.badge)
            .map_err(|error| ChainError::Answer(error.into()))?;
        Ok(Some(Use {
            digest,
            purpose: purpose(&executed, self.badge),
            consumed,
            written: executed
                .written
                .get(&self.badge)
                .map(ObjectReference::version),
        }))
    }

    async fn is_known(&self, digest: Digest) -> Result<bool, ReconcileError> {
        match self.journal {
            Some(journal) => Ok(journal.knows_use(self.badge, digest).await?),
            None => Ok(false),
        }
    }
}

fn purpose(executed: &Executed, badge: ObjectId) -> Purpose {
    let registers = |event: &ContractEvent| matches!(event, ContractEvent::NodeRegistered(node) if node.badge_id == badge);
    if executed.events.iter().any(registers) {
        Purpose::Registration
    } else if is_rotation(executed) {
        Purpose::KeyRotation
    } else {
        Purpose::Other
    }
}

/// Whether a transaction rotated keys and emitted no other event, or failed to rotate a key.
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

#[cfg(test)]
mod tests;
