//! Doing what is due, by the use cases.

use std::collections::BTreeMap;

use atoma_domain::autopilot::{Duty, DutyKind, PauseScope, Standing};
use atoma_domain::journal::{Failure, GasOptions};
use atoma_domain::{Digest, NodeSmallId, StackSmallId};
use tracing::field::display;
use tracing::{info, warn};

use super::setbacks::{DutyKey, is_harmless};
use super::shared::Shared;
use crate::use_cases::{Completed, MOST_STACKS, NodeChoice, StackResult, StackStatus};

/// How many settlements of a node are begun at once. Each is a transaction of its own and closes its stack's record, so
/// that a long queue would only keep attestations waiting and stacks closed.
const SETTLEMENTS_AT_ONCE: usize = 50;

/// What one request does: duties of one kind and one node. A withdrawal is about no stacks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Errand {
    pub(super) kind: DutyKind,
    pub(super) node: NodeSmallId,
    pub(super) stacks: Vec<StackSmallId>,
}

impl Errand {
    /// The errands of the duties that are due and not paused, the most urgent first. `under_way` is how many settlements
    /// of a node are.
    pub(super) fn of(
        duties: &[Duty],
        paused: Option<PauseScope>,
        under_way: impl Fn(NodeSmallId) -> usize,
    ) -> Vec<Self> {
        let mut errands: BTreeMap<(DutyKind, NodeSmallId), Vec<StackSmallId>> = BTreeMap::new();
        for duty in duties {
            let is_paused = match paused {
                None => false,
                Some(PauseScope::AllButAttestations) => duty.kind != DutyKind::Attest,
                Some(PauseScope::All) => true,
            };
            if !is_paused && matches!(duty.standing, Standing::Due(_)) {
                let errand = errands.entry((duty.kind, duty.node_small_id)).or_default();
                errand.extend(duty.stack_small_id);
            }
        }
        let errands = errands.into_iter().flat_map(|((kind, node), mut stacks)| {
            if kind == DutyKind::Settle {
                stacks.truncate(SETTLEMENTS_AT_ONCE.saturating_sub(under_way(node)));
            }
            let parts: Vec<_> = match kind {
                DutyKind::Withdraw => vec![Vec::new()],
                _ => stacks.chunks(MOST_STACKS).map(<[_]>::to_vec).collect(),
            };
            parts
                .into_iter()
                .map(move |stacks| Self { kind, node, stacks })
        });
        errands.collect()
    }
}

impl Shared {
    /// Runs an errand and notes how it ended. What has no outcome in time goes on in the engine.
    pub(super) async fn run_errand(&self, errand: &Errand) {
        let Errand { kind, node, stacks } = errand;
        let operator = &self.operator;
        let choice = NodeChoice {
            node_small_id: Some(*node),
            node_badge_id: None,
        };
        let gas = GasOptions::default();
        let results = match kind {
            DutyKind::Attest => operator.attest(stacks, false, choice, gas).await,
            DutyKind::Settle => operator.settle(stacks, None, choice, gas).await,
            DutyKind::Claim => operator.claim(stacks, choice, gas).await,
            DutyKind::Withdraw => return self.withdraw(*node).await,
        };
        match results {
            Ok(results) => results
                .iter()
                .for_each(|result| self.note_stack(errand, result)),
            // The whole request is refused, so nothing was begun; the next look tries again.
            Err(failure) => {
                let (kind, stacks) = (kind.name(), stacks.len());
                warn!(%node, kind, stacks, %failure, "the autopilot's request was refused");
            }
        }
    }

    async fn withdraw(&self, node: NodeSmallId) {
        let key = DutyKey::new(DutyKind::Withdraw, None, node);
        let choice = NodeChoice {
            node_small_id: Some(node),
            node_badge_id: None,
        };
        match self.operator.withdraw(choice, GasOptions::default()).await {
            Ok(Completed::Executed { tx_digest, .. }) => self.note_done(key, Some(tx_digest)),
            Ok(Completed::Rehearsed { .. }) => {}
            Err(unsuccessful) if unsuccessful.is_pending => {}
            Err(unsuccessful) => {
                let is_final = unsuccessful.transaction_id.is_some();
                self.note_failed(key, unsuccessful.tx_digest, &unsuccessful.failure, is_final);
            }
        }
    }

    fn note_stack(&self, errand: &Errand, result: &StackResult) {
        let key = DutyKey::new(errand.kind, Some(result.stack_small_id), errand.node);
        match (result.status, &result.failure) {
            (StackStatus::Succeeded, _) => self.note_done(key, result.tx_digest),
            (StackStatus::Failed, failure) => {
                let unknown = Failure::Internal {
                    reason: String::from("no reason is known"),
                };
                let failure = failure.as_ref().unwrap_or(&unknown);
                let is_final = result.transaction_id.is_some();
                self.note_failed(key, result.tx_digest, failure, is_final);
            }
            (StackStatus::Pending, _) => {}
        }
    }

    fn note_done(&self, key: DutyKey, digest: Option<Digest>) {
        let DutyKey { kind, stack, node } = key;
        self.setbacks().forget(key);
        if matches!(kind, DutyKind::Claim | DutyKind::Withdraw) {
            self.estimates.forget();
        }
        let (stack, digest) = (stack.map(display), digest.map(display));
        info!(stack, %node, digest, "the autopilot has {}", done(kind));
    }

    /// Notes a failure. A final one is that of a transaction, not of a request.
    fn note_failed(&self, key: DutyKey, digest: Option<Digest>, failure: &Failure, is_final: bool) {
        let DutyKey { kind, stack, node } = key;
        self.setbacks().note(key, failure, is_final, self.elapsed());
        let (stack, digest) = (stack.map(display), digest.map(display));
        if is_harmless(failure) {
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

#[cfg(test)]
mod tests {
    use atoma_domain::autopilot::{WaitsFor, Why};

    use super::*;

    fn duty(kind: DutyKind, stack: u64, node: u64, standing: Standing) -> Duty {
        Duty {
            kind,
            stack_small_id: (kind != DutyKind::Withdraw).then_some(StackSmallId::new(stack)),
            task_small_id: None,
            node_small_id: NodeSmallId::new(node),
            standing,
            deadline: None,
            proceeds: None,
            since: None,
        }
    }

    fn due(kind: DutyKind, stack: u64, node: u64) -> Duty {
        duty(kind, stack, node, Standing::Due(Why::Pays))
    }

    #[test]
    fn errands_are_what_is_due_by_urgency_and_node() {
        let waits_for = WaitsFor::NextEpoch;
        let until = None;
        let duties = [
            due(DutyKind::Withdraw, 0, 2),
            due(DutyKind::Claim, 1, 1),
            due(DutyKind::Settle, 2, 2),
            due(DutyKind::Attest, 3, 2),
            due(DutyKind::Settle, 4, 1),
            due(DutyKind::Settle, 5, 2),
            duty(
                DutyKind::Settle,
                6,
                2,
                Standing::Waiting { waits_for, until },
            ),
        ];
        let listed = |paused| {
            let errands = Errand::of(&duties, paused, |_| 0).into_iter();
            let plain = errands.map(|errand| {
                let stacks = errand.stacks.iter().map(|stack| stack.get());
                (errand.kind, errand.node.get(), stacks.collect::<Vec<_>>())
            });
            plain.collect::<Vec<_>>()
        };
        let all = [
            (DutyKind::Attest, 2, vec![3]),
            (DutyKind::Settle, 1, vec![4]),
            (DutyKind::Settle, 2, vec![2, 5]),
            (DutyKind::Claim, 1, vec![1]),
            (DutyKind::Withdraw, 2, Vec::new()),
        ];
        assert_eq!(listed(None), all);
        assert_eq!(listed(Some(PauseScope::AllButAttestations)), all[..1]);
        assert_eq!(listed(Some(PauseScope::All)), []);
    }

    #[test]
    fn errands_stay_within_their_limits() {
        let of = |kind, count| {
            let duties: Vec<_> = (0..count).map(|stack| due(kind, stack, 1)).collect();
            let errands = Errand::of(&duties, None, |_| 20).into_iter();
            errands
                .map(|errand| errand.stacks.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(DutyKind::Claim, 2_001), [1_000, 1_000, 1]);
        assert_eq!(of(DutyKind::Settle, 2_001), [30]);
    }
}
