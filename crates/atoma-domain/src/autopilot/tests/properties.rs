//! What holds for every stack, at every time, under every policy.

use proptest::prelude::*;

use super::*;

prop_compose! {
    fn any_policy()(
        fill in 0_u64..=1_000,
        idle in 1_u64..48,
        quiet in 0_u64..=1_000,
        gas_factor in 0_u32..20,
        wait in 0_u64..48,
        is_on in any::<[bool; 3]>(),
    ) -> AutopilotPolicy {
        let hours = |hours| Duration::from_millis(hours * HOUR_MS);
        let settle = SettlePolicy {
            is_on: is_on[1],
            fill: Permille::new(fill),
            idle_after: hours(idle),
            quiet: Permille::new(quiet),
        };
        let claim = ClaimPolicy { is_on: is_on[2], gas_factor, longest_wait: hours(wait) };
        AutopilotPolicy {
            duties: DutyPolicies {
                attest: AttestPolicy { is_on: is_on[0], ..AttestPolicy::default() },
                settle,
                claim,
            },
            ..policy()
        }
    }
}

prop_compose! {
    fn any_ticket()(
        claimable in EPOCH - 2..=EPOCH + 1,
        settled_at in 0_u64..24,
        missing in proptest::sample::subsequence(vec![1_u64, 2, 7], 0..=3),
        is_in_dispute in proptest::bool::weighted(0.1),
    ) -> UnpaidTicket {
        let mut ticket = settled(claimable, &missing).ticket.unwrap();
        ticket.settled_at = TimestampMs::new(settled_at * HOUR_MS);
        ticket.is_in_dispute = is_in_dispute;
        ticket
    }
}

prop_compose! {
    fn any_stack()(
        percent in 0_u64..=110,
        price in prop_oneof![0_u64..100, 0_u64..10_000, Just(u64::MAX)],
        last in 0_u64..24,
        reserved in proptest::option::of(0_u64..30),
        is_frozen in any::<bool>(),
        ticket in proptest::option::of(any_ticket()),
    ) -> UnpaidStack {
        UnpaidStack {
            price_per_one_million_compute_units: PricePerMillion::new(price),
            last_recorded_at: (percent > 0).then(|| TimestampMs::new(last * HOUR_MS)),
            reserved_until: reserved.map(|hour| TimestampMs::new(hour * HOUR_MS)),
            is_frozen,
            ticket,
            ..stack(percent)
        }
    }
}

prop_compose! {
    fn any_task()(
        level in 0_u16..=2,
        deprecated in proptest::option::weighted(0.2, EPOCH - 1..=EPOCH),
        is_removed in proptest::bool::weighted(0.1),
    ) -> Task {
        Task {
            deprecated_at_epoch: deprecated.map(Epoch::new),
            removed_at_epoch: is_removed.then(|| Epoch::new(EPOCH)),
            ..task(SecurityLevel::new(level))
        }
    }
}

fn decide(stacks: &[UnpaidStack], task: &Task, policy: &AutopilotPolicy, now: u64) -> Vec<Duty> {
    let moment = moment(now);
    let at = circumstances(policy, &moment);
    let mut duties: Vec<Duty> = stacks
        .iter()
        .map(|stack| stack_duty(stack, Some(task), &at))
        .collect();
    weigh(&mut duties, &at);
    duties
}

proptest! {
    /// The contract would refuse none of what is due, as far as the mirror knows.
    #[test]
    fn what_is_due_is_possible(
        stack in any_stack(), task in any_task(), policy in any_policy(), hour in 0_u64..=24,
    ) {
        let duty = &decide(std::slice::from_ref(&stack), &task, &policy, hour * HOUR_MS)[0];
        if !matches!(duty.standing, Standing::Due(_)) {
            return Ok(());
        }
        prop_assert!(task.removed_at_epoch.is_none());
        match (&stack.ticket, duty.kind) {
            (Some(ticket), DutyKind::Claim) => {
                let is_confidential = task.security_level == SecurityLevel::CONFIDENTIAL_COMPUTE;
                prop_assert!(is_confidential || !ticket.is_in_dispute);
                prop_assert!(is_confidential || ticket.dispute_settled_at_epoch.get() <= EPOCH);
            }
            (None, DutyKind::Settle | DutyKind::Claim) => {
                prop_assert!(!stack.is_frozen && stack.num_total_messages > 0);
                prop_assert!(!stack.is_reserved(TimestampMs::new(hour * HOUR_MS)));
            }
            (_, kind) => prop_assert!(false, "{kind:?} of {stack:?}"),
        }
    }

    /// Whatever is done earns more than its gas.
    #[test]
    fn nothing_due_loses_money(
        stacks in proptest::collection::vec(any_stack(), 1..5),
        task in any_task(),
        policy in any_policy(),
        hour in 0_u64..=24,
    ) {
        let duties = decide(&stacks, &task, &policy, hour * HOUR_MS);
        let due = duties.iter().filter(|duty| matches!(duty.standing, Standing::Due(_)));
        let (claims, settlements): (Vec<_>, Vec<_>) = due.partition(|duty| duty.kind == DutyKind::Claim);
        for duty in settlements {
            prop_assert!(duty.proceeds.unwrap().get() > 15);
        }
        let worth: u64 = claims.iter().map(|duty| duty.proceeds.unwrap().get()).sum();
        let count = u64::try_from(claims.len()).unwrap();
        // A factor of 0 says that gas doesn't matter, as long as each stack is worth its own.
        if count > 0 && policy.duties.claim.gas_factor > 0 {
            prop_assert!(worth >= 5 + 5 * count);
        }
        for claim in claims {
            prop_assert!(claim.proceeds.unwrap().get() > 5);
        }
    }

    /// What waits until a time waits for the same until then, and no longer.
    #[test]
    fn what_waits_is_not_done_earlier_and_does_not_wait_longer(
        stack in any_stack(), task in any_task(), policy in any_policy(), now in 0_u64..24, later in 0_u64..=24,
    ) {
        let stack = std::slice::from_ref(&stack);
        let first = decide(stack, &task, &policy, now * HOUR_MS)[0].standing;
        let Standing::Waiting { waits_for, until: Some(until) } = first else {
            return Ok(());
        };
        let later = later.max(now) * HOUR_MS;
        let then = decide(stack, &task, &policy, later)[0].standing;
        // The end of the epoch is not seen here: its number stays.
        let is_of_epoch = matches!(
            waits_for,
            WaitsFor::ClaimableEpoch { .. } | WaitsFor::OwnAttestation { .. } | WaitsFor::NextEpoch
        );
        let still_waits = matches!(then, Standing::Waiting { waits_for: now, .. } if now == waits_for);
        if later < until.get() {
            prop_assert!(still_waits, "{first:?}, then {then:?}");
        } else if !is_of_epoch {
            prop_assert!(!still_waits, "{first:?}, then {then:?}");
        }
    }

    /// Nobody's rule changes the standing of a blocked stack: only the contract or a person does.
    #[test]
    fn no_policy_unblocks(stack in any_stack(), task in any_task(), policies in [any_policy(), any_policy()]) {
        let stack = std::slice::from_ref(&stack);
        let [one, other] = policies.map(|policy| decide(stack, &task, &policy, NOON)[0].standing);
        prop_assert_eq!(matches!(one, Standing::Blocked(_)), matches!(other, Standing::Blocked(_)));
    }
}
