//! The decisions about stacks, by example and by property.

mod properties;

use std::time::Duration;

use super::*;
use crate::model::Task;
use crate::{
    ComputeUnits, Epoch, MicroUsdc, Mist, NodeSmallId, Permille, PricePerMillion, SecurityLevel,
    StackSmallId, TaskRole, TaskSmallId, TimestampMs,
};

const HOUR_MS: u64 = 3_600_000;
/// The current epoch lasts from hour 0 to hour 24, and it is hour 12.
const NOON: u64 = 12 * HOUR_MS;
const EPOCH: u64 = 10;
const OWN_NODES: [NodeSmallId; 2] = [NodeSmallId::new(1), NodeSmallId::new(2)];

fn moment(now: u64) -> Moment {
    let window = EpochWindow {
        starts_at: TimestampMs::new(0),
        ends_at: TimestampMs::new(24 * HOUR_MS),
    };
    Moment::new(TimestampMs::new(now), Epoch::new(EPOCH), Some(window))
}

/// A settlement or a claim of one stack costs 10 micro-USDC of gas.
fn circumstances<'a>(policy: &'a AutopilotPolicy, moment: &'a Moment) -> Circumstances<'a> {
    Circumstances {
        policy,
        moment,
        own_nodes: &OWN_NODES,
        charge: Permille::new(1_200),
        gas: GasEstimates {
            settle: Mist::new(10_000),
            claim_transaction: Mist::new(5_000),
            claim_stack: Mist::new(5_000),
        },
        balance: None,
        daily_cap: None,
    }
}

fn policy() -> AutopilotPolicy {
    AutopilotPolicy {
        gas: GasPolicy {
            sui_price: MicroUsdc::new(1_000_000),
            reserve: Mist::new(1_000),
        },
        ..AutopilotPolicy::default()
    }
}

fn task(security_level: SecurityLevel) -> Task {
    Task {
        task_small_id: TaskSmallId::new(1),
        task_id: None,
        role: TaskRole::new(0),
        model_name: None,
        security_level,
        minimum_reputation_score: None,
        deprecated_at_epoch: None,
        removed_at_epoch: None,
    }
}

/// A stack worth 1,000 micro-USDC when it is full, of which so many percent are computed, last at hour 11.
fn stack(percent: u64) -> UnpaidStack {
    UnpaidStack {
        stack_small_id: StackSmallId::new(8),
        task_small_id: TaskSmallId::new(1),
        selected_node_id: NodeSmallId::new(1),
        num_compute_units: ComputeUnits::new(1_000_000),
        price_per_one_million_compute_units: PricePerMillion::new(1_000),
        already_computed_units: ComputeUnits::new(10_000 * percent),
        num_total_messages: percent,
        last_recorded_at: (percent > 0).then(|| TimestampMs::new(11 * HOUR_MS)),
        reserved_until: None,
        is_draining: false,
        is_frozen: false,
        ticket: None,
    }
}

fn settled(dispute_settled_at_epoch: u64, missing: &[u64]) -> UnpaidStack {
    UnpaidStack {
        is_frozen: true,
        ticket: Some(UnpaidTicket {
            num_claimed_compute_units: ComputeUnits::new(1_000_000),
            dispute_settled_at_epoch: Epoch::new(dispute_settled_at_epoch),
            settled_at: TimestampMs::new(HOUR_MS),
            missing_attesters: missing.iter().copied().map(NodeSmallId::new).collect(),
            is_in_dispute: false,
        }),
        ..stack(100)
    }
}

fn standing_at(stack: &UnpaidStack, task: &Task, now: u64) -> Standing {
    let (policy, moment) = (policy(), moment(now));
    let at = circumstances(&policy, &moment);
    let mut duty = [stack_duty(stack, Some(task), &at)];
    weigh(&mut duty, &at);
    duty[0].standing
}

/// The code of its reason, at noon.
fn reason(stack: &UnpaidStack, task: &Task) -> &'static str {
    standing_at(stack, task, NOON).reason()
}

#[test]
fn a_stack_is_settled_when_it_is_nearly_used_up() {
    let task = task(SecurityLevel::NONE);
    assert_eq!(reason(&stack(0), &task), "first_message");
    assert_eq!(reason(&stack(94), &task), "more_messages");
    assert_eq!(
        standing_at(&stack(95), &task, NOON),
        Standing::Due(Why::Filled)
    );
}

#[test]
fn a_stack_is_settled_when_it_is_idle_for_as_long_as_the_policy_says() {
    let mut policy = policy();
    policy.duties.settle.idle_after = Duration::from_millis(2 * HOUR_MS);
    let at_hour = |hour: u64| {
        let moment = moment(hour * HOUR_MS);
        let task = task(SecurityLevel::NONE);
        stack_duty(&stack(5), Some(&task), &circumstances(&policy, &moment)).standing
    };
    let until = Some(TimestampMs::new(13 * HOUR_MS));
    let waits_for = WaitsFor::MoreMessages;
    assert_eq!(at_hour(12), Standing::Waiting { waits_for, until });
    assert_eq!(at_hour(13), Standing::Due(Why::Idle));
}

#[test]
fn the_last_part_of_an_epoch_is_for_those_who_attest() {
    let late = 20 * HOUR_MS;
    let standing = |level| standing_at(&stack(100), &task(level), late);
    let waits_for = WaitsFor::NextEpoch;
    let until = Some(TimestampMs::new(24 * HOUR_MS));
    assert_eq!(
        standing(SecurityLevel::SAMPLING_CONSENSUS),
        Standing::Waiting { waits_for, until }
    );
    assert_eq!(standing(SecurityLevel::NONE), Standing::Due(Why::Filled));
    let mut ending = task(SecurityLevel::SAMPLING_CONSENSUS);
    ending.deprecated_at_epoch = Some(Epoch::new(EPOCH));
    let standing = standing_at(&stack(100), &ending, late);
    assert_eq!(standing, Standing::Due(Why::TaskDeprecated));
}

#[test]
fn nothing_is_closed_while_requests_are_in_progress() {
    for level in [SecurityLevel::NONE, SecurityLevel::CONFIDENTIAL_COMPUTE] {
        let mut stack = stack(100);
        stack.reserved_until = Some(TimestampMs::new(NOON + 1));
        assert_eq!(reason(&stack, &task(level)), "reservations");
        stack.reserved_until = Some(TimestampMs::new(NOON));
        assert!(matches!(
            standing_at(&stack, &task(level), NOON),
            Standing::Due(_)
        ));
    }
}

#[test]
fn what_is_under_way_is_not_begun_again() {
    let mut stack = stack(100);
    stack.is_frozen = true;
    for level in [SecurityLevel::NONE, SecurityLevel::CONFIDENTIAL_COMPUTE] {
        assert_eq!(reason(&stack, &task(level)), "under_way");
    }
}

#[test]
fn a_ticket_is_claimed_from_its_epoch_on() {
    let task = task(SecurityLevel::SAMPLING_CONSENSUS);
    let waits_for = WaitsFor::ClaimableEpoch {
        epoch: Epoch::new(EPOCH + 1),
    };
    let until = Some(TimestampMs::new(24 * HOUR_MS));
    let standing = standing_at(&settled(EPOCH + 1, &[]), &task, NOON);
    assert_eq!(standing, Standing::Waiting { waits_for, until });
    for epoch in [EPOCH, EPOCH - 1] {
        let standing = standing_at(&settled(epoch, &[]), &task, NOON);
        assert_eq!(standing, Standing::Due(Why::Pays));
    }
}

#[test]
fn a_claim_waits_for_an_attestation_that_this_operator_can_still_make() {
    let task = task(SecurityLevel::SAMPLING_CONSENSUS);
    assert_eq!(reason(&settled(EPOCH, &[2, 7]), &task), "own_attestation");
    assert_eq!(reason(&settled(EPOCH, &[7]), &task), "pays");
    assert_eq!(reason(&settled(EPOCH - 1, &[2, 7]), &task), "pays");
    let ending = Task {
        deprecated_at_epoch: Some(Epoch::new(EPOCH)),
        ..task
    };
    let standing = standing_at(&settled(EPOCH, &[2]), &ending, NOON);
    assert_eq!(standing, Standing::Due(Why::TaskDeprecated));
}

#[test]
fn what_the_contract_would_refuse_is_blocked() {
    let mut disputed = settled(EPOCH, &[]);
    disputed.ticket.as_mut().unwrap().is_in_dispute = true;
    assert_eq!(reason(&disputed, &task(SecurityLevel::NONE)), "in_dispute");
    let removed = Task {
        removed_at_epoch: Some(Epoch::new(EPOCH)),
        ..task(SecurityLevel::NONE)
    };
    assert_eq!(reason(&stack(100), &removed), "task_removed");
    let mut huge = stack(100);
    huge.price_per_one_million_compute_units = PricePerMillion::new(u64::MAX);
    assert_eq!(reason(&huge, &task(SecurityLevel::NONE)), "fee_overflows");
    let (policy, moment) = (policy(), moment(NOON));
    let unknown = stack_duty(&stack(100), None, &circumstances(&policy, &moment));
    assert_eq!(unknown.standing.reason(), "unknown_task");
}

#[test]
fn nothing_is_done_that_earns_less_than_its_gas() {
    let mut cheap = stack(100);
    // 15 micro-USDC, as much as a settlement and its claim.
    cheap.price_per_one_million_compute_units = PricePerMillion::new(15);
    assert_eq!(reason(&cheap, &task(SecurityLevel::NONE)), "cheaper_gas");
    cheap.price_per_one_million_compute_units = PricePerMillion::new(16);
    assert_eq!(reason(&cheap, &task(SecurityLevel::NONE)), "filled");
}

#[test]
fn claims_of_a_node_are_weighed_together() {
    let (mut policy, moment) = (policy(), moment(NOON));
    policy.duties.claim = ClaimPolicy {
        gas_factor: 4,
        longest_wait: Duration::from_millis(12 * HOUR_MS),
        ..ClaimPolicy::default()
    };
    let task = task(SecurityLevel::NONE);
    // Each is worth 25 micro-USDC: one costs 10 of gas, two cost 15, three 20, four 25.
    let claims = |count: u64, settled_at: u64| {
        let at = circumstances(&policy, &moment);
        let mut duties: Vec<Duty> = (0..count)
            .map(|id| {
                let mut stack = settled(EPOCH, &[]);
                stack.stack_small_id = StackSmallId::new(id);
                stack.price_per_one_million_compute_units = PricePerMillion::new(25);
                stack.ticket.as_mut().unwrap().settled_at = TimestampMs::new(settled_at);
                stack_duty(&stack, Some(&task), &at)
            })
            .collect();
        weigh(&mut duties, &at);
        let reasons = duties.iter().map(|duty| duty.standing.reason());
        reasons.collect::<Vec<_>>()
    };
    assert_eq!(claims(3, HOUR_MS), ["more_proceeds"; 3]);
    assert_eq!(claims(4, HOUR_MS), ["pays"; 4]);
    assert_eq!(claims(1, 0), ["waited_long_enough"]);
}

#[test]
fn shares_are_withdrawn_if_no_claim_pays_them() {
    let (mut policy, moment) = (policy(), moment(NOON));
    policy.duties.claim = ClaimPolicy {
        gas_factor: 4,
        ..ClaimPolicy::default()
    };
    let task = task(SecurityLevel::NONE);
    // A claim is worth 25 micro-USDC, and costs 10 of gas as a withdrawal does.
    let mut settled = settled(EPOCH, &[]);
    settled.price_per_one_million_compute_units = PricePerMillion::new(25);
    let reasons = |owed: &[(u64, u64)], has_claim: bool| {
        let at = circumstances(&policy, &moment);
        let owed = owed.iter();
        let shares = owed.map(|(node, owed)| (NodeSmallId::new(*node), MicroUsdc::new(*owed)));
        let mut duties: Vec<Duty> = withdrawal_duties(&shares.collect(), &at).collect();
        if has_claim {
            duties.push(stack_duty(&settled, Some(&task), &at));
        }
        weigh(&mut duties, &at);
        let reasons = duties.iter().map(|duty| duty.standing.reason());
        reasons.collect::<Vec<_>>()
    };
    let (no, alone) = (false, true);
    assert_eq!(reasons(&[(1, 0)], no), [""; 0]);
    assert_eq!(reasons(&[(1, 39)], no), ["more_proceeds"]);
    assert_eq!(reasons(&[(1, 40), (2, 39)], no), ["pays", "more_proceeds"]);
    // Together they are worth four times the gas of the claim, which pays both.
    assert_eq!(reasons(&[(1, 15)], alone), ["next_claim", "pays"]);
    assert_eq!(reasons(&[(1, 14)], alone), ["more_proceeds"; 2]);
    // The claim is another node's.
    assert_eq!(reasons(&[(2, 40)], alone), ["pays", "more_proceeds"]);
    policy.duties.claim.is_on = false;
    let at = circumstances(&policy, &moment);
    let shares = [(NodeSmallId::new(1), MicroUsdc::new(40))].into();
    let mut duties: Vec<Duty> = withdrawal_duties(&shares, &at).collect();
    weigh(&mut duties, &at);
    assert_eq!(duties[0].standing.reason(), "turned_off");
}

#[test]
fn what_is_paid_at_any_time_waits_for_the_claims_of_the_next_epoch() {
    let (policy, moment) = (policy(), moment(NOON));
    let at = circumstances(&policy, &moment);
    let ends = |deprecated_at: Option<u64>| Task {
        deprecated_at_epoch: deprecated_at.map(Epoch::new),
        ..task(SecurityLevel::CONFIDENTIAL_COMPUTE)
    };
    let reasons = |confidential: &Task, tickets: &[u64]| {
        let shares = [(NodeSmallId::new(1), MicroUsdc::new(1_000_000))].into();
        let mut duties: Vec<Duty> = withdrawal_duties(&shares, &at).collect();
        duties.push(stack_duty(&stack(100), Some(confidential), &at));
        for epoch in tickets {
            let task = task(SecurityLevel::NONE);
            duties.push(stack_duty(&settled(*epoch, &[]), Some(&task), &at));
        }
        weigh(&mut duties, &at);
        let standings = duties.iter().map(|duty| duty.standing);
        standings.collect::<Vec<_>>()
    };
    let codes = |standings: Vec<Standing>| {
        let codes = standings.into_iter().map(Standing::reason);
        codes.collect::<Vec<_>>()
    };
    let (goes_on, next) = (ends(None), EPOCH + 1);
    assert_eq!(codes(reasons(&goes_on, &[])), ["next_claim", "filled"]);
    let waiting = reasons(&goes_on, &[next]);
    let until = moment.beginning_of(Epoch::new(next));
    for standing in &waiting[..2] {
        let waits_for = WaitsFor::NextClaim;
        assert_eq!(*standing, Standing::Waiting { waits_for, until });
    }
    assert_eq!(waiting[2].reason(), "claimable_epoch");
    // What can be claimed now takes everything along, so that nothing waits for ever.
    let together = codes(reasons(&goes_on, &[EPOCH, next]));
    assert_eq!(
        together,
        ["next_claim", "filled", "pays", "claimable_epoch"]
    );
    let ending = codes(reasons(&ends(Some(EPOCH)), &[next]));
    assert_eq!(ending, ["next_claim", "task_deprecated", "claimable_epoch"]);
}

#[test]
fn the_last_gas_is_kept_for_attestations() {
    let (policy, moment) = (policy(), moment(NOON));
    let reasons = |balance: Option<u64>, daily_cap: Option<[u64; 2]>, is_under_way: bool| {
        let mut at = circumstances(&policy, &moment);
        at.balance = balance.map(Mist::new);
        at.daily_cap = daily_cap.map(|[cap, used]| DailyCap {
            cap: Mist::new(cap),
            used: Mist::new(used),
        });
        let task = task(SecurityLevel::NONE);
        let mut begun = stack(100);
        begun.is_frozen = is_under_way;
        let mut duties =
            [&stack(100), &settled(EPOCH, &[]), &begun].map(|s| stack_duty(s, Some(&task), &at));
        weigh(&mut duties, &at);
        duties.map(|duty| duty.standing.reason())
    };
    // The claim costs 5,000 MIST, each settlement 10,000; 1,000 are kept.
    let held = |balance| reasons(Some(balance), None, false);
    assert_eq!(held(0), ["gas_reserve"; 3]);
    assert_eq!(held(5_999), ["gas_reserve"; 3]);
    assert_eq!(held(6_000), ["gas_reserve", "pays", "gas_reserve"]);
    assert_eq!(held(25_999), ["filled", "pays", "gas_reserve"]);
    assert_eq!(held(26_000), ["filled", "pays", "filled"]);
    // What is under way will be paid too.
    let begun = reasons(Some(25_999), None, true);
    assert_eq!(begun, ["gas_reserve", "pays", "under_way"]);
    // A quarter of the cap is kept.
    let under_cap = |used| reasons(None, Some([40_000, used]), false);
    assert_eq!(under_cap(5_000), ["filled", "pays", "filled"]);
    assert_eq!(under_cap(5_001), ["filled", "pays", "gas_reserve"]);
    assert_eq!(under_cap(u64::MAX), ["gas_reserve"; 3]);
}

#[test]
fn a_confidential_stack_is_claimed_after_the_longest_wait() {
    let (mut policy, moment) = (policy(), moment(NOON));
    policy.duties.claim = ClaimPolicy {
        gas_factor: 200,
        longest_wait: Duration::from_millis(2 * HOUR_MS),
        ..ClaimPolicy::default()
    };
    let at = circumstances(&policy, &moment);
    let task = task(SecurityLevel::CONFIDENTIAL_COMPUTE);
    let reason = |last: u64, is_reserved: bool| {
        let mut stack = stack(100);
        stack.last_recorded_at = Some(TimestampMs::new(last * HOUR_MS));
        stack.reserved_until = is_reserved.then_some(TimestampMs::new(NOON + 1));
        let mut duty = [stack_duty(&stack, Some(&task), &at)];
        weigh(&mut duty, &at);
        duty[0].standing.reason()
    };
    assert_eq!(reason(11, false), "more_proceeds");
    assert_eq!(reason(10, false), "filled");
    // It is not closed to reservations before it is worth a claim.
    assert_eq!(reason(11, true), "more_proceeds");
    assert_eq!(reason(10, true), "reservations");
}

#[test]
fn a_lease_ends_by_the_clock_even_if_the_epoch_is_late_to_end() {
    let mut stack = stack(100);
    stack.reserved_until = Some(TimestampMs::new(25 * HOUR_MS));
    let none = task(SecurityLevel::NONE);
    let before = standing_at(&stack, &none, 24 * HOUR_MS + 1);
    assert_eq!(before.reason(), "reservations");
    assert_eq!(standing_at(&stack, &none, 25 * HOUR_MS).reason(), "filled");
}

#[test]
fn claims_that_wait_for_something_else_do_not_count() {
    let (mut policy, moment) = (policy(), moment(NOON));
    policy.duties.claim = ClaimPolicy {
        gas_factor: 200,
        ..ClaimPolicy::default()
    };
    let at = circumstances(&policy, &moment);
    let task = task(SecurityLevel::NONE);
    let mut large = settled(EPOCH, &[]);
    large.price_per_one_million_compute_units = PricePerMillion::new(1_000_000);
    let mut duties = [&large, &settled(EPOCH, &[])].map(|s| stack_duty(s, Some(&task), &at));
    duties[0].standing = Standing::waiting(WaitsFor::Treasury);
    weigh(&mut duties, &at);
    let reasons = duties.map(|duty| duty.standing.reason());
    assert_eq!(reasons, ["treasury", "more_proceeds"]);
}

#[test]
fn duties_can_be_turned_off_for_one_task() {
    let (mut policy, moment) = (policy(), moment(NOON));
    let mut none = DutyPolicies::default();
    (none.attest.is_on, none.settle.is_on, none.claim.is_on) = (false, false, false);
    policy.tasks.insert(TaskSmallId::new(1), none);
    let at = circumstances(&policy, &moment);
    let off =
        |stack: &UnpaidStack, level| stack_duty(stack, Some(&task(level)), &at).standing.reason();
    assert_eq!(off(&stack(100), SecurityLevel::NONE), "turned_off");
    assert_eq!(off(&settled(EPOCH, &[]), SecurityLevel::NONE), "turned_off");
    assert_eq!(
        off(&stack(100), SecurityLevel::CONFIDENTIAL_COMPUTE),
        "turned_off"
    );
}
