//! How what was begun has ended.

use atoma_domain::autopilot::DutyKind;
use atoma_domain::journal::{Failure, IntentRecord, IntentStatus};
use atoma_domain::ports::JournalKey;
use atoma_domain::{Digest, IntentId};
use tracing::field::display;
use tracing::{info, warn};

use super::errands::Errand;
use super::setbacks::{DutyKey, Try, is_harmless};
use super::shared::Shared;
use crate::causes::internal;
use crate::use_cases::{StackResult, StackStatus};

impl Shared {
    pub(super) fn note_stack(&self, errand: &Errand, result: &StackResult) {
        let key = DutyKey::new(errand.kind, Some(result.stack_small_id), errand.node);
        match (result.status, &result.failure) {
            (StackStatus::Succeeded, _) => self.note_done(key, result.tx_digest),
            (StackStatus::Failed, failure) => {
                let unknown = Failure::Internal {
                    reason: String::from("no reason is known"),
                };
                let tried = Try {
                    failure: failure.as_ref().unwrap_or(&unknown),
                    is_final: result.transaction_id.is_some(),
                    digest: result.tx_digest,
                };
                self.note_failed(key, tried);
            }
            (StackStatus::Pending, _) => self.note_pending(key, result.transaction_id),
        }
    }

    pub(super) fn note_pending(&self, key: DutyKey, transaction: Option<IntentId>) {
        self.pending().extend(transaction.map(|id| (id, key)));
    }

    /// Notes how those ended that no errand waits for any more.
    pub(super) async fn follow_up(&self) -> Result<(), Failure> {
        let pending: Vec<_> = self.pending().iter().map(|(id, key)| (*id, *key)).collect();
        for (id, key) in pending {
            if self.operator.is_at_work_on(id) {
                continue;
            }
            let journal = &self.operator.ports().journal;
            let found = journal.find(JournalKey::Id(id)).await.map_err(internal)?;
            let record = match found {
                Some(record) if !record.status.is_final() => continue,
                found => found,
            };
            self.pending().remove(&id);
            match record {
                Some(record) if record.status == IntentStatus::Succeeded => {
                    self.note_done(key, record.tx_digest);
                }
                Some(IntentRecord {
                    tx_digest: digest,
                    failure: Some(failure),
                    ..
                }) => self.note_failed(
                    key,
                    Try {
                        failure: &failure,
                        is_final: true,
                        digest,
                    },
                ),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn note_done(&self, key: DutyKey, digest: Option<Digest>) {
        let DutyKey { kind, stack, node } = key;
        self.setbacks().forget(key);
        if matches!(kind, DutyKind::Claim | DutyKind::Withdraw) {
            self.estimates.forget();
        }
        let (stack, digest) = (stack.map(display), digest.map(display));
        info!(stack, %node, digest, "the autopilot has {}", done(kind));
    }

    pub(super) fn note_failed(&self, key: DutyKey, tried: Try<'_>) {
        let DutyKey { kind, stack, node } = key;
        let Try {
            failure, digest, ..
        } = tried;
        let epoch = self.latest().as_ref().and_then(|s| s.moment.epoch_length());
        self.setbacks().note(key, tried, self.elapsed(), epoch);
        let (stack, digest) = (stack.map(display), digest.map(display));
        if is_harmless(kind, failure) {
            info!(stack, %node, digest, %failure, "nothing to do any more, or not yet");
        } else {
            warn!(stack, %node, digest, %failure, "the autopilot has not {}", done(kind));
        }
    }
}

/// What was done, for the log.
const fn done(kind: DutyKind) -> &'static str {
    match kind {
        DutyKind::Attest => "attested a settlement",
        DutyKind::Settle => "settled a stack",
        DutyKind::Claim => "claimed a stack",
        DutyKind::Withdraw => "withdrawn the shares of a node",
    }
}
