//! When to attest: at once, and before anything else.

use super::duty::{Duty, DutyKind, Obstacle, Standing, WaitsFor, Why};
use super::moment::{Moment, earlier};
use super::policy::AutopilotPolicy;
use crate::TimestampMs;
use crate::model::{DueAttestation, DueNode};

/// The attestations of a settlement that the operator's nodes owe.
pub fn attestation_duties<'a>(
    due: &'a DueAttestation,
    policy: &'a AutopilotPolicy,
    moment: &'a Moment,
) -> impl Iterator<Item = Duty> + 'a {
    due.nodes.iter().map(move |node| Duty {
        kind: DutyKind::Attest,
        stack_small_id: Some(due.stack_small_id),
        task_small_id: due.task_small_id,
        node_small_id: node.node_small_id,
        standing: standing(due, *node, policy, moment),
        deadline: deadline(due, policy, moment),
        proceeds: None,
        since: None,
    })
}

fn standing(
    due: &DueAttestation,
    node: DueNode,
    policy: &AutopilotPolicy,
    moment: &Moment,
) -> Standing {
    // The contract refuses an attestation after the ticket's epoch.
    if moment.epoch() > due.claimable_from_epoch {
        return Standing::Blocked(Obstacle::TooLate);
    }
    match node.record_agrees {
        None => Standing::Blocked(Obstacle::NoRecord),
        Some(false) => Standing::Blocked(Obstacle::RecordDiffers),
        Some(true) if !policy.of_task(due.task_small_id).attest.is_on => {
            Standing::waiting(WaitsFor::TurnedOff)
        }
        Some(true) if moment.epoch() < due.claimable_from_epoch => Standing::Due(Why::Drawn),
        Some(true) => Standing::Due(Why::DrawnAndLate),
    }
}

/// The largest part of an epoch that the margin takes: the policy's may be longer than a short epoch.
const LARGEST_MARGIN: u32 = 4;

/// The end of the epoch of settlement, minus the margin: from the next one on, a claim can come first.
fn deadline(
    due: &DueAttestation,
    policy: &AutopilotPolicy,
    moment: &Moment,
) -> Option<TimestampMs> {
    let attest = policy.of_task(due.task_small_id).attest;
    let claimable = moment.beginning_of(due.claimable_from_epoch)?;
    let longest = moment.epoch_length()? / LARGEST_MARGIN;
    Some(earlier(claimable, attest.margin.min(longest)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::autopilot::{AttestPolicy, EpochWindow};
    use crate::{Epoch, NodeSmallId, StackSmallId, TaskSmallId};

    fn duty(record_agrees: Option<bool>, epoch: u64, policy: &AutopilotPolicy) -> Duty {
        let due = DueAttestation {
            stack_small_id: StackSmallId::new(5),
            task_small_id: Some(TaskSmallId::new(2)),
            claimable_from_epoch: Epoch::new(10),
            nodes: vec![DueNode {
                node_small_id: NodeSmallId::new(3),
                record_agrees,
            }],
        };
        let window = EpochWindow {
            starts_at: TimestampMs::new(0),
            ends_at: TimestampMs::new(1_000_000),
        };
        let moment = Moment::new(TimestampMs::new(5), Epoch::new(epoch), Some(window));
        let duty = attestation_duties(&due, policy, &moment).next();
        duty.expect("one node is drawn")
    }

    fn with(attest: AttestPolicy) -> AutopilotPolicy {
        let mut policy = AutopilotPolicy::default();
        policy.duties.attest = attest;
        policy
    }

    #[test]
    fn a_record_that_agrees_is_attested_until_its_epoch_is_over() {
        let standing = |epoch| duty(Some(true), epoch, &with(AttestPolicy::default())).standing;
        assert_eq!(standing(9), Standing::Due(Why::Drawn));
        assert_eq!(standing(10), Standing::Due(Why::DrawnAndLate));
        assert_eq!(standing(11), Standing::Blocked(Obstacle::TooLate));
    }

    #[test]
    fn nothing_is_attested_that_would_raise_a_dispute() {
        let policy = with(AttestPolicy::default());
        let standing = |agrees| duty(agrees, 9, &policy).standing;
        assert_eq!(standing(None), Standing::Blocked(Obstacle::NoRecord));
        assert_eq!(
            standing(Some(false)),
            Standing::Blocked(Obstacle::RecordDiffers)
        );
    }

    #[test]
    fn the_deadline_is_a_margin_before_the_end_of_the_epoch() {
        let deadline = |margin_s, epoch| {
            let policy = with(AttestPolicy {
                margin: Duration::from_secs(margin_s),
                ..AttestPolicy::default()
            });
            let duty = duty(Some(true), epoch, &policy);
            duty.deadline.map(TimestampMs::get)
        };
        assert_eq!(deadline(200, 9), Some(800_000));
        assert_eq!(deadline(200, 8), Some(1_800_000));
        // At most a quarter of the epoch.
        assert_eq!(deadline(300, 9), Some(750_000));
        // It is missed.
        assert_eq!(deadline(200, 10), Some(0));
        assert_eq!(deadline(200, 11), None);
    }

    #[test]
    fn what_is_turned_off_still_tells_what_is_missing() {
        let policy = with(AttestPolicy {
            is_on: false,
            ..AttestPolicy::default()
        });
        assert_eq!(duty(Some(true), 9, &policy).standing.reason(), "turned_off");
        assert_eq!(duty(None, 9, &policy).standing.reason(), "no_record");
    }
}
