//! The metrics that are read when they are asked for.

use atoma_domain::Permille;
use atoma_domain::model::{NodeFigures, StackPhase, StackSums, StoreFigures};
use atoma_domain::ports::SuiNodeReport;
use atoma_domain::reconciliation::DifferenceKind;
use atoma_operator::{AlarmFigures, Brake, Measurements};
use prometheus::Result;

use crate::autopilot;
use crate::numbers::{count, flag, seconds};
use crate::written::{Written, float};

/// Writes all of them. What can't be read is absent.
pub(crate) fn write(to: &Written, measured: &Measurements) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    to.gauges(
        "atoma_build_info",
        "Always 1; the labels tell the build.",
        ["version"],
        [([version], 1.0)],
    )?;
    engine(to, measured)?;
    limits(to, measured)?;
    ledger(to, measured)?;
    sui_nodes(to, &measured.sui_nodes)?;
    epoch(to, measured)?;
    if let Some(figures) = &measured.alarms {
        alarms(to, figures)?;
    }
    if let Some(figures) = &measured.autopilot {
        autopilot::write(to, figures)?;
    }
    let store = measured.sample.store.as_ref();
    to.gauge(
        "atoma_database_readable",
        "Whether the database could be read for the metrics that come from it (1) or not (0).",
        flag(store.is_some()),
    )?;
    store.map_or(Ok(()), |store| {
        database(to, store)?;
        duties(to, measured, store)?;
        earnings(to, store, measured.sample.sampling_charge)
    })
}

fn engine(to: &Written, measured: &Measurements) -> Result<()> {
    let lanes = &measured.engine.lanes;
    let names: Vec<_> = lanes
        .iter()
        .map(|lane| {
            let Some(badge) = lane.badge else {
                return String::from("none");
            };
            let nodes = measured.sample.nodes.iter();
            let mut nodes = nodes.filter(|node| node.node_badge_id == badge);
            nodes
                .next()
                .map_or_else(|| badge.to_string(), |node| node.node_small_id.to_string())
        })
        .collect();
    let named = || names.iter().map(String::as_str).zip(lanes);
    to.gauges(
        "atoma_lane_unfinished_transactions",
        "Transactions that wait or run, by node; `none` for those that need no node, such as a registration.",
        ["node_small_id"],
        named().map(|(node, lane)| ([node], count(lane.unfinished))),
    )?;
    to.gauges(
        "atoma_lane_oldest_transaction_age_seconds",
        "How long ago the daemon took up the oldest transaction that waits or runs. A restart takes all of them up again.",
        ["node_small_id"],
        named().map(|(node, lane)| ([node], lane.oldest.as_secs_f64())),
    )?;
    if let Some(balance) = measured.engine.gas_balance {
        to.gauge(
            "atoma_gas_balance_mist",
            "What the operator's SUI coins hold.",
            float(balance.get().into()),
        )?;
    }
    to.gauge(
        "atoma_foreign_badges",
        "Badges that other software was seen to use since the start.",
        count(measured.engine.foreign_badges),
    )
}

fn limits(to: &Written, measured: &Measurements) -> Result<()> {
    let Some(limits) = &measured.limits else {
        return Ok(());
    };
    to.counter(
        "atoma_gas_spent_mist_total",
        "Gas paid since the start.",
        float(limits.spent_since_start.get().into()),
    )?;
    to.gauge(
        "atoma_gas_spent_last_day_mist",
        "Gas paid in the last 24 hours; what came back by storage rebates is not taken off.",
        float(limits.spent.get().into()),
    )?;
    to.gauge(
        "atoma_gas_reserved_mist",
        "The gas budgets of running transactions.",
        float(limits.reserved.get().into()),
    )?;
    if let Some(cap) = limits.daily_cap {
        to.gauge(
            "atoma_gas_daily_cap_mist",
            "The most that both together may be. Absent without a cap.",
            float(cap.get().into()),
        )?;
    }
    to.gauge(
        "atoma_failed_transactions_in_a_row",
        "Transactions that failed since the last that succeeded.",
        f64::from(limits.failures_in_a_row),
    )?;
    to.gauges(
        "atoma_brake_held",
        "Whether a brake stops new transactions (1) or not (0). `stopped` holds until the next start.",
        ["brake"],
        Brake::ALL.map(|brake| ([brake.name()], flag(limits.brakes.contains(&brake)))),
    )
}

fn ledger(to: &Written, measured: &Measurements) -> Result<()> {
    let node = measured.sample.ledger;
    to.gauge(
        "atoma_sui_node_up",
        "Whether the Sui node told its height (1) or not (0).",
        flag(node.is_some()),
    )?;
    if let Some(covered) = measured.covered {
        to.gauge(
            "atoma_mirror_checkpoint",
            "The last checkpoint that the mirror has processed.",
            float(covered.get().into()),
        )?;
        to.gauge(
            "atoma_events_set_aside",
            "Events of the contract that this version can't read, and that the mirror may lack.",
            float(measured.set_aside.into()),
        )?;
    }
    if let Some(differences) = measured.books_differences {
        to.gauge(
            "atoma_books_differences",
            "Amounts of the books that differed from the chain when they were checked last. Absent until they were.",
            float(differences.into()),
        )?;
    }
    let Some(node) = node else { return Ok(()) };
    to.gauge(
        "atoma_sui_node_checkpoint",
        "The Sui node's last checkpoint.",
        float(node.height.get().into()),
    )?;
    if let Some(at) = node.height_at {
        to.gauge(
            "atoma_sui_node_checkpoint_timestamp_seconds",
            "The time of the Sui node's last checkpoint.",
            seconds(at.get()),
        )?;
    }
    if let Some(covered) = measured.covered {
        to.gauge(
            "atoma_mirror_lag_checkpoints",
            "Checkpoints that the mirror has not processed yet.",
            float(node.height.get().saturating_sub(covered.get()).into()),
        )?;
    }
    if let Some(lag) = node.lag() {
        to.gauge(
            "atoma_mirror_lag_seconds",
            "How much older than the Sui node's last checkpoint the mirror's is, by the checkpoints' own times.",
            lag.as_secs_f64(),
        )?;
    }
    Ok(())
}

/// Each Sui node by itself.
fn sui_nodes(to: &Written, nodes: &[SuiNodeReport]) -> Result<()> {
    let named = || nodes.iter().map(|node| (node.node.as_str(), node));
    to.gauges(
        "atoma_sui_node_in_use",
        "Whether a Sui node of the list is asked (1), or left aside for another one (0).",
        ["node"],
        named().map(|(name, node)| ([name], flag(node.left_aside.is_none()))),
    )?;
    to.gauges(
        "atoma_sui_node_left_aside",
        "Why a Sui node is left aside; there is one series for each that is, and its value is always 1.",
        ["node", "reason"],
        named().filter_map(|(name, node)| {
            let aside = node.left_aside.as_ref()?;
            Some(([name, aside.reason.name()], 1.0))
        }),
    )?;
    to.gauges(
        "atoma_sui_node_waiting_requests",
        "Requests that wait because of a Sui node's `requests_per_30_s`.",
        ["node"],
        named().map(|(name, node)| ([name], count(node.waiting))),
    )?;
    to.gauges(
        "atoma_sui_node_seen_checkpoint",
        "The newest checkpoint of each of several Sui nodes, when it was last looked at.",
        ["node"],
        named().filter_map(|(name, node)| Some(([name], float(node.height?.get().into())))),
    )
}

/// Alarms, and the messages about them.
fn alarms(to: &Written, figures: &AlarmFigures) -> Result<()> {
    if let Some(firing) = &figures.firing {
        to.gauges(
            "atoma_alarms_firing",
            "Alarms that fire and that nobody has acknowledged, by severity. `GET /alarms` lists them.",
            ["severity"],
            firing
                .iter()
                .map(|(severity, number)| ([severity.name()], float((*number).into()))),
        )?;
    }
    let receivers = &figures.receivers;
    to.counters(
        "atoma_alarm_messages_total",
        "Messages about alarms to each receiver, by result: `delivered`, `failed` of a try after which the message is \
         tried again, `given_up`.",
        ["receiver", "result"],
        receivers.iter().flat_map(|receiver| {
            [
                ("delivered", receiver.delivered),
                ("failed", receiver.failed),
                ("given_up", receiver.given_up),
            ]
            .map(|(result, number)| ([receiver.name.as_str(), result], float(number.into())))
        }),
    )?;
    to.gauges(
        "atoma_alarm_messages_waiting",
        "Messages about alarms that wait for each receiver.",
        ["receiver"],
        receivers.iter().filter_map(|receiver| {
            Some(([receiver.name.as_str()], float(receiver.waiting?.into())))
        }),
    )
}

fn epoch(to: &Written, measured: &Measurements) -> Result<()> {
    let Some(info) = measured.sample.epoch else {
        return Ok(());
    };
    to.gauge(
        "atoma_epoch",
        "The current epoch.",
        float(info.epoch.get().into()),
    )?;
    let Some(ends_at) = info.ends_at else {
        return Ok(());
    };
    to.gauge(
        "atoma_epoch_end_timestamp_seconds",
        "When the epoch is expected to end.",
        seconds(ends_at.get()),
    )?;
    to.gauge(
        "atoma_epoch_time_left_seconds",
        "How long the epoch is expected to go on. 0 if it takes longer than expected.",
        seconds(ends_at.get().saturating_sub(measured.now.get())),
    )
}

fn database(to: &Written, store: &StoreFigures) -> Result<()> {
    let intents = &store.intents;
    to.gauges(
        "atoma_transactions",
        "Transactions in the journal, by status.",
        ["status"],
        intents
            .iter()
            .map(|(status, number)| ([status.as_str()], float((*number).into()))),
    )?;
    let kinds = DifferenceKind::ALL.iter().map(|kind| {
        let count = store.differences.get(kind.name()).copied();
        ([kind.name()], float(count.unwrap_or_default().into()))
    });
    to.counters(
        "atoma_mirror_differences_total",
        "Differences between the mirror and the contract that were repaired, by kind. `node_disabled`, `node_destroyed` \
         and `task_removed` come from calls without events; any other says that the mirror missed something.",
        ["kind"],
        kinds,
    )?;
    to.gauge(
        "atoma_database_size_bytes",
        "The size of the database without its write-ahead log.",
        float(store.database_bytes.into()),
    )
}

fn duties(to: &Written, measured: &Measurements, store: &StoreFigures) -> Result<()> {
    let nodes = nodes(store);
    let each = |number: fn(&NodeFigures) -> u64| {
        let values = nodes.iter();
        values.map(move |(name, node)| ([name.as_str()], float(number(node).into())))
    };
    to.gauges(
        "atoma_attestations_due",
        "Settlements that this node must attest before the epoch ends.",
        ["node_small_id"],
        each(|node| node.attestations_due),
    )?;
    to.gauges(
        "atoma_attestations_overdue",
        "Settlements that this node should have attested in the last epoch. They can still be attested until they \
         are claimed.",
        ["node_small_id"],
        each(|node| node.attestations_overdue),
    )?;
    let is_any_due = nodes.iter().any(|(_, node)| node.attestations_due > 0);
    let ends_at = measured.sample.epoch.and_then(|info| info.ends_at);
    if let Some(ends_at) = ends_at.filter(|_| is_any_due) {
        to.gauge(
            "atoma_attestations_time_left_seconds",
            "How long the attestations that are due can wait. Absent if none is due.",
            seconds(ends_at.get().saturating_sub(measured.now.get())),
        )?;
    }
    let disputes = nodes.iter().flat_map(|(name, node)| {
        let against = ([name.as_str(), "defendant"], node.disputes_against);
        [
            against,
            ([name.as_str(), "plaintiff"], node.disputes_raised),
        ]
    });
    to.gauges(
        "atoma_disputes",
        "Unresolved disputes, by the node's side.",
        ["node_small_id", "side"],
        disputes.map(|(labels, number)| (labels, float(number.into()))),
    )
}

fn earnings(to: &Written, store: &StoreFigures, charge: Option<Permille>) -> Result<()> {
    let nodes = nodes(store);
    to.counters(
        "atoma_compute_units_served_total",
        "Compute units that were recorded for the node's stacks.",
        ["node_small_id"],
        nodes.iter().map(|(name, node)| {
            let served = node.stacks.values().map(|sums| sums.served_units);
            let sum = served.fold(0_u128, u128::saturating_add);
            ([name.as_str()], float(sum))
        }),
    )?;
    let phases: Vec<_> = nodes
        .iter()
        .flat_map(|(name, node)| {
            StackPhase::ALL.map(|phase| {
                let sums = node.stacks.get(&phase).copied().unwrap_or_default();
                ([name.as_str(), phase.name()], sums)
            })
        })
        .collect();
    let each = |value: &dyn Fn(&StackSums) -> u64| -> Vec<_> {
        let values = phases.iter();
        values
            .map(|(labels, sums)| (*labels, float(value(sums).into())))
            .collect()
    };
    to.gauges(
        "atoma_stacks",
        "The node's stacks, by phase: `open` without a ticket, `settled` with a ticket of this epoch, `claimable`, \
         `disputed`, `claimed`.",
        ["node_small_id", "phase"],
        each(&|sums| sums.stacks),
    )?;
    let Some(charge) = charge else { return Ok(()) };
    to.gauges(
        "atoma_fees_micro_usdc",
        "The fees for the node's own stacks, by phase, at the contract's present charge for sampling consensus: \
         `claimed` was paid, `claimable` can be claimed, `settled` can be from the next epoch on, `open` was served and \
         must be settled first or, of a confidential task, can be claimed, and `disputed` is frozen for good. Shares \
         for attesting other nodes' stacks are not in it.",
        ["node_small_id", "phase"],
        each(&|sums| sums.worth.fee(charge).get()),
    )
}

/// The nodes' sums by their small id as text.
fn nodes(store: &StoreFigures) -> Vec<(String, &NodeFigures)> {
    let nodes = store.nodes.iter();
    nodes.map(|(node, sums)| (node.to_string(), sums)).collect()
}
