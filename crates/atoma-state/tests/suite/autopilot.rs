//! Suite of [`AutopilotStore`].

use atoma_domain::autopilot::{
    AutopilotState, Pause, PauseReason, PauseScope, UnpaidStack, UnpaidTicket,
};
use atoma_domain::model::NewMessage;
use atoma_domain::ports::{AutopilotStore, Page, ReserveError};
use atoma_domain::{Epoch, PricePerMillion};

use super::Store;
use super::fixtures::*;

/// A stack of task 1 and node 1 of which nothing is known but its purchase.
fn untouched(id: u64) -> UnpaidStack {
    UnpaidStack {
        stack_small_id: stack(id),
        task_small_id: task(1),
        selected_node_id: node(1),
        num_compute_units: units(100),
        price_per_one_million_compute_units: PricePerMillion::new(7),
        already_computed_units: units(0),
        num_total_messages: 0,
        last_recorded_at: None,
        reserved_until: None,
        is_draining: false,
        is_frozen: false,
        ticket: None,
    }
}

async fn unpaid_stack(store: &impl AutopilotStore, id: u64) -> Option<UnpaidStack> {
    let all = store.unpaid_stacks(node(1), Page::first(1_000)).await;
    let mut all = all.unwrap().into_iter();
    all.find(|unpaid| unpaid.stack_small_id == stack(id))
}

pub async fn an_unpaid_stack_has_its_record_and_its_reservations(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    assert_eq!(unpaid_stack(&store, 1).await, Some(untouched(1)));
    assert_eq!(unpaid_stack(&store, 2).await, None);
    for (number, recorded_at) in [(7, 50), (8, 40)] {
        let served = NewMessage {
            recorded_at: at(recorded_at),
            ..message(1, number, 3)
        };
        store.record_message(&served).await.unwrap();
    }
    // The record of another node is no work for the stack.
    let elsewhere = NewMessage {
        node_small_id: Some(node(2)),
        ..message(1, 9, 5)
    };
    store.record_message(&elsewhere).await.unwrap();
    let mut ends = Vec::new();
    for now in [60, 61] {
        let reserved = store.reserve_units(&reservation(1, 2), at(now)).await;
        ends.push(reserved.unwrap().expires_at);
    }
    let expected = UnpaidStack {
        already_computed_units: units(6),
        num_total_messages: 2,
        last_recorded_at: Some(at(40)),
        reserved_until: ends.into_iter().max(),
        ..untouched(1)
    };
    assert_eq!(unpaid_stack(&store, 1).await, Some(expected));
}

pub async fn an_unpaid_stack_has_its_ticket(store: impl Store) {
    apply_events(
        &store,
        51,
        vec![bought(1, 1, 100), settled(1, 1, &[4, 3, 3])],
    )
    .await;
    apply_events(&store, 52, vec![attested(1, 4)]).await;
    let ticket = |is_in_dispute| {
        Some(UnpaidTicket {
            num_claimed_compute_units: units(5),
            dispute_settled_at_epoch: Epoch::new(6),
            settled_at: at(51_000),
            missing_attesters: vec![node(3)],
            is_in_dispute,
        })
    };
    let found = unpaid_stack(&store, 1).await.unwrap();
    assert_eq!(found.ticket, ticket(false));
    apply_events(&store, 53, vec![disputed(1, 3, 1)]).await;
    let found = unpaid_stack(&store, 1).await.unwrap();
    assert_eq!(found.ticket, ticket(true));
}

pub async fn unpaid_stacks_come_in_pages_without_those_that_are_paid(store: impl Store) {
    let ids = [1, 2, 3, 1 << 63, u64::MAX];
    let mut events: Vec<_> = ids.iter().map(|id| bought(*id, 1, 100)).collect();
    events.extend([bought(8, 2, 100), bought(9, 1, 100), bought(10, 1, 100)]);
    events.extend([
        settled(9, 1, &[]),
        ticket_claimed(9, 1, 0),
        stack_claimed(10, 1),
    ]);
    apply_events(&store, 51, events).await;
    for limit in 1..=6 {
        let mut page = Page::first(limit);
        let mut listed = Vec::new();
        loop {
            let next = store.unpaid_stacks(node(1), page).await.unwrap();
            assert!(next.len() <= usize::try_from(limit).unwrap());
            let Some(last) = next.last() else { break };
            page.after = Some(last.stack_small_id);
            listed.extend(next.iter().map(|stack| stack.stack_small_id.get()));
        }
        assert_eq!(listed, ids, "{limit}");
    }
    assert_eq!(unpaid_stack(&store, 9).await, None);
    assert_eq!(unpaid_stack(&store, 10).await, None);
}

/// What is in progress goes on; nothing more begins.
pub async fn a_stack_that_drains_takes_messages_and_no_reservations(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    store.record_message(&message(1, 7, 3)).await.unwrap();
    store
        .reserve_units(&reservation(1, 2), at(60))
        .await
        .unwrap();
    store
        .set_draining(&[stack(1), stack(5)], true)
        .await
        .unwrap();
    assert!(unpaid_stack(&store, 1).await.unwrap().is_draining);
    let refused = store.reserve_units(&reservation(1, 1), at(61)).await;
    assert!(
        matches!(refused, Err(ReserveError::Locked { .. })),
        "{refused:?}"
    );
    let recorded = store.record_message(&message(1, 8, 4)).await.unwrap();
    assert_eq!(recorded.already_computed_units, units(7));
    assert!(unpaid_stack(&store, 1).await.unwrap().is_draining);
    store.set_draining(&[stack(1)], false).await.unwrap();
    store
        .reserve_units(&reservation(1, 1), at(62))
        .await
        .unwrap();
    store.set_draining(&[stack(1)], true).await.unwrap();
    store.end_draining().await.unwrap();
    assert!(!unpaid_stack(&store, 1).await.unwrap().is_draining);
}

pub async fn the_autopilot_remembers_its_pause(store: impl Store) {
    assert_eq!(
        store.autopilot_state().await.unwrap(),
        AutopilotState::default()
    );
    let paused = AutopilotState {
        pause: Some(Pause::new(
            PauseScope::AllButAttestations,
            PauseReason::DisputeAgainst {
                stack_small_id: stack(u64::MAX),
            },
            at(u64::MAX),
        )),
        known_disputes: vec![stack(3), stack(u64::MAX)],
    };
    for state in [&paused, &AutopilotState::default()] {
        store.set_autopilot_state(state).await.unwrap();
        assert_eq!(&store.autopilot_state().await.unwrap(), state);
    }
}
