//! The page about all metrics, and the example that it is made from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use atoma_domain::alarms::Severity;
use atoma_domain::autopilot::PauseScope;
use atoma_domain::journal::IntentStatus;
use atoma_domain::model::{NodeFigures, OperatorNode, StackPhase, StackSums, StoreFigures, Worth};
use atoma_domain::ports::{AsideReason, EpochInfo, LeftAside, SuiNodeReport};
use atoma_domain::{CheckpointNumber, Epoch, Mist, NodeSmallId, ObjectId, Permille, TimestampMs};
use atoma_operator::{
    AlarmFigures, AutopilotFigures, AutopilotMode, Brake, EngineFigures, LaneFigures, LedgerSample,
    LimitStatus, Measurements, ReceiverFigures, Sample,
};
use prometheus::Error;

use crate::metrics::Metrics;

/// The page about all metrics, in Markdown.
///
/// # Errors
/// Never, unless two metrics have one name.
pub fn metrics_page() -> Result<String, Error> {
    let mut page = String::from(
        "# Metrics\n\n\
         <!-- Made from the code by a test in crates/atoma-daemon/tests/repository. -->\n\n\
         `GET /metrics` has the metrics in Prometheus' text format. With the setting `tokens`, it needs a token with the \
         scope `read`. What comes from the database or the Sui node is at most 10 seconds old; what can't be read \
         is absent. Amounts are in MIST (10⁻⁹ SUI) and micro-USDC (10⁻⁶ USDC).\n\n\
         | metric | type | labels | |\n|---|---|---|---|\n",
    );
    let metrics = Metrics::new()?;
    metrics.count_examples();
    metrics.watch_disk(".".into())?;
    let mut families = metrics.gather(&example())?;
    families.sort_by(|one, other| one.name().cmp(other.name()));
    for family in &families {
        let first = family.get_metric().first();
        let labels = first.map(|metric| metric.get_label()).unwrap_or_default();
        let labels: Vec<_> = labels.iter().map(|label| label.name()).collect();
        let kind = format!("{:?}", family.get_field_type()).to_lowercase();
        let _ = writeln!(
            page,
            "| `{}` | {kind} | {} | {} |",
            family.name(),
            labels.join(", "),
            family.help()
        );
    }
    Ok(page)
}

/// Measurements in which nothing is missing.
pub(crate) fn example() -> Measurements {
    let node = OperatorNode {
        node_small_id: NodeSmallId::new(7),
        node_badge_id: ObjectId::new([1; 32]),
        address: ObjectId::new([2; 32]),
    };
    let lane = |badge, unfinished| LaneFigures {
        badge,
        unfinished,
        oldest: Duration::from_millis(1_500),
    };
    Measurements {
        engine: EngineFigures {
            lanes: vec![lane(Some(node.node_badge_id), 3), lane(None, 1)],
            gas_balance: Some(Mist::new(5_000_000_000)),
            foreign_badges: 0,
            claims_waiting: 1,
        },
        limits: Some(LimitStatus {
            spent: Mist::new(20),
            reserved: Mist::new(30),
            daily_cap: Some(Mist::new(1_000)),
            failures_in_a_row: 2,
            breaker_failures: 5,
            held: None,
            brakes: vec![Brake::SpendCap],
            spent_since_start: Mist::new(10),
        }),
        covered: Some(CheckpointNumber::new(98)),
        sui_nodes: vec![
            sui_node("https://first.example", None),
            sui_node("https://second.example", Some(AsideReason::Lags)),
        ],
        set_aside: 2,
        books_differences: Some(3),
        alarms: Some(alarms()),
        autopilot: Some(AutopilotFigures {
            mode: AutopilotMode::On,
            paused: Some(PauseScope::AllButAttestations),
            looked_at: TimestampMs::new(990_000),
            recent_failures: 3,
            duties: BTreeMap::from([(("attest", "blocked", "no_record"), 2)]),
            first_deadline: Some(TimestampMs::new(1_000_500)),
        }),
        sample: Arc::new(sample(node)),
        now: TimestampMs::new(1_000_000),
    }
}

fn alarms() -> AlarmFigures {
    let ops = ReceiverFigures {
        name: String::from("ops"),
        delivered: 5,
        failed: 2,
        given_up: 1,
        waiting: Some(3),
    };
    AlarmFigures {
        firing: Some([(Severity::Warning, 2), (Severity::Critical, 1)].into()),
        receivers: vec![ops],
    }
}

fn sui_node(node: &str, reason: Option<AsideReason>) -> SuiNodeReport {
    SuiNodeReport {
        node: node.to_owned(),
        height: Some(CheckpointNumber::new(100)),
        height_at: Some(TimestampMs::new(994_500)),
        left_aside: reason.map(|reason| LeftAside {
            reason,
            detail: String::from("its newest checkpoint is old"),
        }),
        waiting: 2,
    }
}

fn sample(node: OperatorNode) -> Sample {
    Sample {
        at: TimestampMs::new(995_000),
        nodes: vec![node],
        store: Some(figures(node.node_small_id)),
        ledger: Some(LedgerSample {
            height: CheckpointNumber::new(100),
            height_at: Some(TimestampMs::new(994_500)),
            covered_at: Some(TimestampMs::new(994_000)),
        }),
        epoch: Some(EpochInfo {
            epoch: Epoch::new(12),
            reference_gas_price: Mist::new(1_000),
            starts_at: None,
            ends_at: Some(TimestampMs::new(1_600_000)),
        }),
        sampling_charge: Some(Permille::new(1_200)),
    }
}

fn figures(node: NodeSmallId) -> StoreFigures {
    let sums = |stacks, plain, sampled| StackSums {
        stacks,
        served_units: 1_000_000,
        worth: Worth { plain, sampled },
    };
    let stacks = [
        (StackPhase::Open, sums(3, 5_000_000, 0)),
        (StackPhase::Claimed, sums(2, 1_000_000, 2_000_000)),
    ];
    let node_figures = NodeFigures {
        stacks: stacks.into(),
        attestations_due: 2,
        attestations_overdue: 0,
        disputes_against: 1,
        disputes_raised: 0,
    };
    StoreFigures {
        intents: IntentStatus::ALL.map(|status| (status, 4)).into(),
        nodes: BTreeMap::from([(node, node_figures)]),
        differences: BTreeMap::from([(String::from("node_disabled"), 3)]),
        database_bytes: 1_048_576,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All metrics of an example but those of the operating system.
    fn rendered(measured: &Measurements) -> String {
        let metrics = Metrics::new().unwrap();
        let _running = metrics.http().begin();
        let took = Duration::from_millis(3);
        metrics.http().answered("GET", Some("/stacks"), 200, took);
        metrics.http().answered("BREW", None, 404, took);
        let text = String::from_utf8(metrics.render(measured).unwrap()).unwrap();
        let lines = text.lines().filter(|line| !line.contains("process_"));
        lines.fold(String::new(), |text, line| text + line + "\n")
    }

    #[test]
    fn everything_is_written() {
        insta::assert_snapshot!(rendered(&example()));
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        let mut measured = example();
        let sample = Sample {
            store: None,
            ledger: None,
            epoch: None,
            sampling_charge: None,
            ..sample(OperatorNode {
                node_small_id: NodeSmallId::new(7),
                node_badge_id: ObjectId::new([1; 32]),
                address: ObjectId::new([2; 32]),
            })
        };
        measured.sample = Arc::new(sample);
        measured.engine.gas_balance = None;
        measured.limits = None;
        let text = rendered(&measured);
        let values: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(values.contains(&"atoma_database_readable 0"));
        assert!(values.contains(&"atoma_sui_node_up 0"));
        // The lanes keep the names of the last sample that had them.
        let lane = "atoma_lane_unfinished_transactions{node_small_id=\"7\"} 3";
        assert!(values.contains(&lane), "{text}");
        for absent in ["atoma_epoch", "atoma_stacks", "atoma_gas", "atoma_fees"] {
            assert!(!text.contains(absent), "{absent} in {text}");
        }
    }

    /// Of stacks that the contract pays by other charges, the sums are kept apart until the charge is known.
    #[test]
    fn fees_wait_for_the_charge() {
        let mut measured = example();
        let mut sample = Sample::clone(&measured.sample);
        sample.sampling_charge = None;
        measured.sample = Arc::new(sample);
        let text = rendered(&measured);
        assert!(text.contains("atoma_stacks{"));
        assert!(!text.contains("atoma_fees_micro_usdc"));
    }
}
