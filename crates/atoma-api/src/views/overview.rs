//! The daemon at a glance.

use std::time::Duration;

use atoma_api_types::{
    FiringAlarmsView, LaneView, OverviewView, StageNameView, StageView, SuiNodeView,
};
use atoma_domain::Permille;
use atoma_domain::model::{NodeFigures, StackPhase, StackSums, StoreFigures};
use atoma_operator::Measurements;

use super::time::rfc3339;

/// The daemon at a glance, from what was measured.
pub(crate) fn overview_view(measured: &Measurements) -> OverviewView {
    let sample = &*measured.sample;
    let store = sample.store.as_ref();
    let sum = |of: fn(&NodeFigures) -> u64| {
        store.map(|store| store.nodes.values().map(of).fold(0, u64::saturating_add))
    };
    let epoch = sample.epoch.as_ref();
    let lag = sample.ledger.as_ref().and_then(|ledger| ledger.lag());
    let firing = measured.alarms.as_ref();
    let firing = firing.and_then(|alarms| alarms.firing.as_ref());
    OverviewView {
        read_at: rfc3339(sample.at),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: epoch.map(|epoch| epoch.epoch),
        epoch_started_at: epoch.and_then(|epoch| rfc3339(epoch.starts_at?)),
        epoch_ends_at: epoch.and_then(|epoch| rfc3339(epoch.ends_at?)),
        checkpoint: measured.covered,
        lag_ms: lag.map(milliseconds),
        pipeline: store.map(|store| pipeline(store, sample.sampling_charge)),
        attestations_due: sum(|node| node.attestations_due),
        attestations_overdue: sum(|node| node.attestations_overdue),
        disputes_against: sum(|node| node.disputes_against),
        gas_balance: measured.engine.gas_balance,
        gas_spent: measured.limits.as_ref().map(|limits| limits.spent),
        lanes: lanes(measured),
        firing_alarms: firing.map(|firing| {
            let counts = firing.iter();
            let counts = counts.map(|(severity, count)| FiringAlarmsView {
                severity: *severity,
                count: *count,
            });
            counts.collect()
        }),
        database_bytes: store.map(|store| store.database_bytes),
        sui_nodes: measured
            .sui_nodes
            .iter()
            .map(|node| SuiNodeView {
                node: node.node.clone(),
                checkpoint: node.height,
                left_aside: node.left_aside.as_ref().map(ToString::to_string),
            })
            .collect(),
    }
}

/// The sums of all nodes together.
fn pipeline(store: &StoreFigures, charge: Option<Permille>) -> Vec<StageView> {
    let stages = StackPhase::ALL.into_iter().map(|phase| {
        let nodes = store.nodes.values();
        let sums = nodes.filter_map(|node| node.stacks.get(&phase));
        let sums = sums.fold(StackSums::default(), |sum, one| sum.plus(*one));
        StageView {
            stage: match phase {
                StackPhase::Open => StageNameView::Served,
                StackPhase::Settled => StageNameView::Settled,
                StackPhase::Claimable => StageNameView::Claimable,
                StackPhase::Disputed => StageNameView::Disputed,
                StackPhase::Claimed => StageNameView::Claimed,
            },
            stacks: sums.stacks,
            amount: charge.map(|charge| sums.worth.fee(charge)),
        }
    });
    stages.collect()
}

fn lanes(measured: &Measurements) -> Vec<LaneView> {
    let nodes = &measured.sample.nodes;
    let lanes = measured.engine.lanes.iter().map(|lane| LaneView {
        node_badge_id: lane.badge,
        node_small_id: lane.badge.and_then(|badge| {
            let node = nodes.iter().find(|node| node.node_badge_id == badge);
            node.map(|node| node.node_small_id)
        }),
        unfinished: u64::try_from(lane.unfinished).unwrap_or(u64::MAX),
        oldest_ms: milliseconds(lane.oldest),
    });
    lanes.collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
