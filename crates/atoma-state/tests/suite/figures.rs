//! Suite of [`Figures`](atoma_domain::ports::Figures).

use atoma_domain::Epoch;
use atoma_domain::journal::IntentStatus;
use atoma_domain::model::{NodeFigures, StackPhase, StackSums};

use super::Store;
use super::fixtures::*;

/// The price and the claimed units of the fixtures' stacks.
const PRICE: u128 = 7;
const CLAIMED: u128 = 5;

/// The figures of a node. The tickets of these tests can be claimed from epoch 6 on.
async fn figures_of(store: &impl Store, id: u64, epoch: u64) -> NodeFigures {
    let figures = store.figures(&[node(id)], Epoch::new(epoch)).await.unwrap();
    assert_eq!(figures.nodes.len(), 1);
    figures.nodes[&node(id)].clone()
}

/// The phases that have stacks, with their number and what they are worth.
fn phases(figures: &NodeFigures) -> Vec<(StackPhase, u64, u128)> {
    let phases = figures.stacks.iter();
    phases
        .map(|(phase, sums)| (*phase, sums.stacks, sums.worth.plain + sums.worth.sampled))
        .collect()
}

pub async fn stacks_are_summed_by_phase(store: impl Store) {
    use StackPhase::{Claimable, Claimed, Disputed, Open, Settled};
    let events = (1..=5).map(|id| bought(id, 1, 100)).collect();
    apply_events(&store, 51, events).await;
    for id in 1..=5 {
        store
            .record_message(&message(id, 1, 10 * id))
            .await
            .unwrap();
    }
    let open = figures_of(&store, 1, 5).await;
    assert_eq!(phases(&open), [(Open, 5, PRICE * 150)]);
    apply_events(
        &store,
        52,
        vec![settled(1, 1, &[]), settled(2, 1, &[]), settled(3, 1, &[])],
    )
    .await;
    apply_events(&store, 53, vec![disputed(3, 7, 1)]).await;
    let open = (Open, 2, PRICE * 90);
    let disputed = (Disputed, 1, PRICE * CLAIMED);
    let now = figures_of(&store, 1, 5).await;
    assert_eq!(
        phases(&now),
        [open, (Settled, 2, PRICE * CLAIMED * 2), disputed]
    );
    assert_eq!(now.disputes_against, 1);
    assert_eq!(figures_of(&store, 7, 5).await.disputes_raised, 1);
    let later = figures_of(&store, 1, 6).await;
    let claimable = (Claimable, 2, PRICE * CLAIMED * 2);
    assert_eq!(phases(&later), [open, claimable, disputed]);

    apply_events(
        &store,
        54,
        vec![ticket_claimed(1, 1, 0), stack_claimed(4, 1)],
    )
    .await;
    let after = figures_of(&store, 1, 6).await;
    let paid = PRICE * CLAIMED * 2;
    assert_eq!(
        phases(&after),
        [
            (Open, 1, PRICE * 50),
            (Claimable, 1, PRICE * CLAIMED),
            disputed,
            (Claimed, 2, paid),
        ]
    );
    // What was served stays the same, whatever is paid for it.
    let served = |figures: &NodeFigures| -> u128 {
        figures.stacks.values().map(|sums| sums.served_units).sum()
    };
    assert_eq!(served(&after), 150);
    assert_eq!(served(&now), 150);
}

pub async fn a_claim_is_summed_once(store: impl Store) {
    apply_events(&store, 51, vec![bought(1, 1, 100), bought(2, 2, 100)]).await;
    apply_events(&store, 52, vec![settled(1, 1, &[])]).await;
    // The second claim of a stack, and one of a stack that is older than the mirror, add nothing.
    let claims = vec![
        ticket_claimed(1, 1, 0),
        ticket_claimed(1, 1, 0),
        ticket_claimed(9, 1, 0),
    ];
    apply_events(&store, 53, claims.clone()).await;
    apply_events(&store, 53, claims).await;
    let first = figures_of(&store, 1, 5).await;
    assert_eq!(phases(&first), [(StackPhase::Claimed, 1, PRICE * CLAIMED)]);
    assert_eq!(
        phases(&figures_of(&store, 2, 5).await),
        [(StackPhase::Open, 1, 0)]
    );
}

pub async fn sums_are_kept_apart_by_the_way_of_payment(store: impl Store) {
    apply_events(&store, 51, vec![task_registered(1), bought(1, 1, 100)]).await;
    store.record_message(&message(1, 1, 10)).await.unwrap();
    let sampled = |sums: StackSums| (sums.worth.plain, sums.worth.sampled);
    let open = figures_of(&store, 1, 5).await;
    assert_eq!(sampled(open.stacks[&StackPhase::Open]), (0, PRICE * 10));
    apply_events(&store, 52, vec![settled(1, 1, &[])]).await;
    apply_events(&store, 53, vec![ticket_claimed(1, 1, 0)]).await;
    let claimed = figures_of(&store, 1, 5).await;
    assert_eq!(
        sampled(claimed.stacks[&StackPhase::Claimed]),
        (0, PRICE * CLAIMED)
    );
}

pub async fn missing_attestations_are_due_until_the_ticket_expires(store: impl Store) {
    let events = vec![
        settled(1, 1, &[2, 3]),
        settled(2, 1, &[3, 3]),
        settled(3, 1, &[3]),
        settled(4, 1, &[3]),
    ];
    apply_events(&store, 51, events).await;
    let counts = async |epoch| {
        let figures = figures_of(&store, 3, epoch).await;
        (figures.attestations_due, figures.attestations_overdue)
    };
    assert_eq!(counts(5).await, (4, 0));
    // A node that is drawn twice attests once.
    apply_events(&store, 52, vec![attested(2, 3)]).await;
    assert_eq!(counts(5).await, (3, 0));
    // The funds of a ticket in dispute are frozen, and a claimed ticket is gone.
    apply_events(&store, 53, vec![disputed(3, 9, 1), ticket_claimed(4, 1, 0)]).await;
    assert_eq!(counts(5).await, (1, 0));
    assert_eq!(counts(6).await, (0, 1));
    assert_eq!(counts(7).await, (0, 0));
}

pub async fn intents_are_counted_by_status(store: impl Store) {
    let intents = [new_intent(1, subscribe(1)), new_intent(1, subscribe(2))];
    let opened = store.open(&intents, None, at(1)).await.unwrap();
    assert_eq!(opened.len(), 2);
    let figures = store.figures(&[], Epoch::new(5)).await.unwrap();
    assert_eq!(figures.intents[&IntentStatus::Queued], 2);
    assert_eq!(figures.intents[&IntentStatus::Failed], 0);
    assert!(figures.database_bytes > 0);
    assert!(figures.nodes.is_empty());
}
