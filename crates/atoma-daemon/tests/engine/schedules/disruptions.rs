//! Draws what is injected into a generation.

use atoma_domain::TimestampMs;
use atoma_localnet::{Fault, FaultKind, LocalNode};
use rand::Rng as _;
use rand::rngs::StdRng;

use crate::support::fail_points::{Injection, Plan, Side};
use crate::support::interceptor::Delays;

/// Two faults that hit up to two calls each stay below the engine's tries, so that no intent is
/// given up.
const MAX_CONGESTIONS: usize = 2;

/// Three days.
const LONGEST_JUMP_MS: u64 = 3 * 24 * 60 * 60 * 1000;

/// What is injected into one generation of a schedule.
#[derive(Debug, Default)]
pub(super) struct Disruptions {
    pub(super) plan: Plan,
    pub(super) delays: Delays,
}

/// Draws what a second node does in a generation of so many calls: it fails, lags, contradicts, or shows old objects.
/// Its randomness is its own, so that the seeds of schedules with one node stay what they are.
pub(super) fn draw_second(rng: &mut StdRng, second: &LocalNode, calls: usize, plan: &mut Plan) {
    let kinds = [
        FaultKind::Unavailable,
        FaultKind::RateLimit,
        FaultKind::NodeLags,
        FaultKind::HeightTooHigh,
        FaultKind::OtherCheckpoints,
        FaultKind::OtherChain,
        FaultKind::OldTip,
        FaultKind::StaleObjects,
        FaultKind::TransactionsHidden,
        FaultKind::OwnedObjectsHidden,
        FaultKind::ExecuteLostBefore,
        FaultKind::ExecuteLostAfter,
        FaultKind::EventsCut,
        FaultKind::ListsUnserved,
    ];
    for _ in 0..rng.random_range(1..=6) {
        let fault = Fault {
            count: rng.random_range(1..=40),
            ms: rng.random_range(1..=150),
            checkpoints: rng.random_range(1..=40),
            ..Fault::once(kinds[rng.random_range(0..kinds.len())])
        };
        let number = rng.random_range(1..=calls);
        let injection = Injection::FaultOf(second.clone(), fault);
        plan.entry((number, Side::Before))
            .or_default()
            .push(injection);
    }
    // An outage of the first node, so that the second has to do.
    if rng.random_bool(0.7) {
        let fault = Fault {
            count: rng.random_range(1..=200),
            ..Fault::once(FaultKind::Unavailable)
        };
        let number = rng.random_range(1..=calls);
        let injection = Injection::Fault(fault);
        plan.entry((number, Side::Before))
            .or_default()
            .push(injection);
    }
}

/// Draws injections for a generation whose undisturbed work takes `calls` calls.
pub(super) fn draw_disruptions(rng: &mut StdRng, calls: usize, crash: bool) -> Disruptions {
    let mut disruptions = Disruptions::default();
    let plan = &mut disruptions.plan;
    let mut at = |rng: &mut StdRng, injection| {
        let side = if rng.random() {
            Side::Before
        } else {
            Side::After
        };
        let number = rng.random_range(1..=calls);
        plan.entry((number, side)).or_default().push(injection);
    };
    let mut congestions = 0;
    for _ in 0..rng.random_range(0..=6) {
        let fault = fault(rng);
        congestions += usize::from(fault.kind == FaultKind::Congestion);
        if fault.kind != FaultKind::Congestion || congestions <= MAX_CONGESTIONS {
            at(rng, Injection::Fault(fault));
        }
    }
    if rng.random_bool(0.2) {
        at(rng, Injection::EndEpoch);
    }
    if rng.random_bool(0.3) {
        // Forwards and back. Within the lifetime of idempotency keys, whose end is an end.
        let time = rng.random_range(1..=LONGEST_JUMP_MS);
        at(rng, Injection::SetClock(TimestampMs::new(time)));
    }
    if crash {
        at(rng, Injection::Crash);
    }
    for _ in 0..rng.random_range(0..=2) {
        let calls = rng.random_range(1..=30);
        disruptions.delays.insert(rng.random_range(1..=40), calls);
    }
    disruptions
}

fn fault(rng: &mut StdRng) -> Fault {
    let kinds = [
        FaultKind::ExecuteLostBefore,
        FaultKind::ExecuteLostAfter,
        FaultKind::ExecuteRefusedAfter,
        FaultKind::ExecuteDelay,
        FaultKind::Unavailable,
        FaultKind::StaleObjects,
        FaultKind::TransactionsHidden,
        FaultKind::OwnedObjectsHidden,
        FaultKind::OldTip,
        FaultKind::OtherChain,
        FaultKind::EventsCut,
        FaultKind::EventsStall,
        FaultKind::Congestion,
    ];
    let kind = kinds[rng.random_range(0..kinds.len())];
    let ms = match kind {
        FaultKind::OldTip => 3 * 24 * 60 * 60 * 1000,
        // A delay is shorter or longer than `EXECUTION_TIMEOUT`.
        _ if rng.random() => 20,
        _ => 150,
    };
    let most = match kind {
        // More than all lanes together retry in a row: an outage.
        FaultKind::Unavailable | FaultKind::OldTip | FaultKind::OtherChain => 40,
        // Longer than a look-up is repeated.
        FaultKind::TransactionsHidden => 12,
        _ => 2,
    };
    Fault {
        count: rng.random_range(1..=most),
        ms,
        ..Fault::once(kind)
    }
}
