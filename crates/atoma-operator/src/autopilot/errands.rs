//! Doing what is due, by the use cases.

use std::collections::BTreeMap;

use atoma_domain::autopilot::{Duty, DutyKind, PauseScope, Standing, WaitsFor};
use atoma_domain::journal::GasOptions;
use atoma_domain::{NodeSmallId, StackSmallId};
use tracing::warn;

use super::setbacks::{DutyKey, Try};
use super::shared::Shared;
use crate::use_cases::{Completed, MOST_STACKS, NodeChoice};

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
    /// The errands of the duties that are due and not paused, the most urgent first.
    pub(super) fn of(duties: &[Duty], paused: Option<PauseScope>) -> Vec<Self> {
        let mut errands: BTreeMap<(DutyKind, NodeSmallId), Vec<StackSmallId>> = BTreeMap::new();
        let mut settling: BTreeMap<NodeSmallId, usize> = BTreeMap::new();
        for duty in duties {
            if duty.kind == DutyKind::Settle && is_begun(duty.standing) {
                *settling.entry(duty.node_small_id).or_default() += 1;
            }
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
                let begun = settling.get(&node).copied().unwrap_or_default();
                stacks.truncate(SETTLEMENTS_AT_ONCE.saturating_sub(begun));
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

/// Whether a transaction for a duty is begun and has not ended.
const fn is_begun(standing: Standing) -> bool {
    matches!(
        standing,
        Standing::Waiting {
            waits_for: WaitsFor::UnderWay
                | WaitsFor::Held
                | WaitsFor::WritesStopped
                | WaitsFor::BreakerOpen
                | WaitsFor::SpendCap,
            ..
        }
    )
}

impl Shared {
    /// Runs an errand and notes how it ended. What has no outcome in time goes on in the engine.
    pub(super) async fn run_errand(&self, errand: &Errand) {
        let Errand { kind, node, stacks } = errand;
        let operator = &self.operator;
        let choice = NodeChoice::from(*node);
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
        let withdrawn = self.operator.withdraw(node.into(), GasOptions::default());
        match withdrawn.await {
            Ok(Completed::Executed { tx_digest, .. }) => self.note_done(key, Some(tx_digest)),
            Ok(Completed::Rehearsed { .. }) => {}
            Err(unsuccessful) if unsuccessful.is_pending => {
                self.note_pending(key, unsuccessful.transaction_id);
            }
            Err(unsuccessful) => self.note_failed(
                key,
                Try {
                    failure: &unsuccessful.failure,
                    is_final: unsuccessful.transaction_id.is_some(),
                    digest: unsuccessful.tx_digest,
                },
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use atoma_domain::autopilot::Why;

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
            let errands = Errand::of(&duties, paused).into_iter();
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
            let begun = Standing::waiting(WaitsFor::UnderWay);
            let begun = (0..20).map(|stack| duty(kind, 10_000 + stack, 1, begun));
            let due = (0..count).map(|stack| due(kind, stack, 1));
            let duties: Vec<_> = begun.chain(due).collect();
            let errands = Errand::of(&duties, None).into_iter();
            errands
                .map(|errand| errand.stacks.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(DutyKind::Claim, 2_001), [1_000, 1_000, 1]);
        assert_eq!(of(DutyKind::Settle, 2_001), [30]);
    }
}
