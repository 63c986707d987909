//! The books' records ([`BookRecords`](atoma_domain::ports::BookRecords)).

use std::collections::BTreeMap;

use atoma_domain::books::{BookEntry, BookedTransaction};
use atoma_domain::events::ContractEvent;
use atoma_domain::journal::{AttemptOutcome, NewIntent, Receipt};
use atoma_domain::ports::{BalanceChange, LedgerFrame, Page, Period};
use atoma_domain::{Digest, IntentId, Mist, NodeSmallId};

use super::Store;
use super::fixtures::*;
use super::journal::unwrap_new;

async fn all(store: &impl Store) -> Vec<BookedTransaction> {
    store.book_transactions(Page::first(100)).await.unwrap()
}

/// Nodes 1 and 2 are the operator's, node 9 is another's; all of task 1.
async fn begin(store: &impl Store) {
    let mut others = frame(2, 0, vec![registered(9)]);
    others.transaction.as_mut().unwrap().sender = address(9);
    let own = frame(1, 0, vec![task_registered(1), registered(1), registered(2)]);
    store.apply(&[own, others], operator()).await.unwrap();
}

fn kinds(transactions: &[BookedTransaction]) -> Vec<(u64, &'static str, u64)> {
    let entries = transactions.iter().flat_map(|booked| {
        let sequence = booked.sequence;
        booked.entries.iter().map(move |entry| (sequence, entry))
    });
    let kinds = entries.map(|(sequence, entry)| {
        let (kind, node): (_, NodeSmallId) = match entry {
            BookEntry::Registered { node } => ("registered", *node),
            BookEntry::Bought { node, .. } => ("bought", *node),
            BookEntry::Settled { node, .. } => ("settled", *node),
            BookEntry::Attested { node, .. } => ("attested", *node),
            BookEntry::Disputed { node, .. } => ("disputed", *node),
            BookEntry::Claimed(claim) => ("claimed", claim.node),
            BookEntry::Withdrawn { node } => ("withdrawn", *node),
        };
        (sequence, kind, node.get())
    });
    kinds.collect()
}

pub async fn what_concerns_the_operators_nodes_is_booked(store: impl Store) {
    begin(&store).await;
    let frames: Vec<LedgerFrame> = [
        // Own and foreign purchases in one transaction, and foreign ones alone.
        vec![bought(1, 1, 100), bought(2, 9, 100)],
        vec![bought(3, 9, 100)],
        // Foreign settlements, of which one draws an own node.
        vec![settled(1, 1, &[9])],
        vec![settled(2, 9, &[2])],
        vec![settled(3, 9, &[9])],
        // Attestations of an own stack by another, of another's by an own node, and one of no concern.
        vec![attested(1, 9)],
        vec![attested(2, 2)],
        vec![attested(3, 9)],
        vec![ticket_claimed(1, 1, 3)],
        vec![ticket_claimed(3, 9, 3)],
    ]
    .into_iter()
    .zip(3..)
    .map(|(events, checkpoint): (Vec<ContractEvent>, _)| frame(checkpoint, 0, events))
    .collect();
    store.apply(&frames, operator()).await.unwrap();
    let booked = all(&store).await;
    assert_eq!(
        kinds(&booked),
        [
            (1, "registered", 1),
            (1, "registered", 2),
            (2, "bought", 1),
            (3, "settled", 1),
            (4, "settled", 9),
            (5, "attested", 9),
            (6, "attested", 2),
            (7, "claimed", 1),
        ]
    );
    assert!(booked[1].has_others && !booked[2].has_others);
    assert_eq!(booked[1].balance_changes, None);
    let BookEntry::Claimed(claim) = &booked[6].entries[0] else {
        panic!("{booked:?}");
    };
    assert_eq!((claim.refund.get(), claim.claimed.get()), (3, 5));
    assert_eq!(claim.attested, [node(9)]);
    assert_eq!(claim.terms.unwrap().num_compute_units.get(), 100);

    // The same again changes nothing, and pages go on where they ended.
    store.apply(&frames, operator()).await.unwrap();
    assert_eq!(all(&store).await, booked);
    let page = Page {
        after: Some(2),
        limit: 2,
    };
    assert_eq!(store.book_transactions(page).await.unwrap(), booked[2..4]);
    let of_stack = store.stack_records(stack(1)).await.unwrap();
    let numbers: Vec<_> = of_stack.transactions.iter().map(|t| t.sequence).collect();
    assert_eq!(numbers, [2, 3, 5, 7]);
}

pub async fn withdrawals_are_known_by_badge_and_balance(store: impl Store) {
    begin(&store).await;
    let withdrawal = |checkpoint, badge, amount| {
        let mut frame = frame(checkpoint, 0, Vec::new());
        let transaction = frame.transaction.as_mut().unwrap();
        transaction.unexplained = vec![object(badge)];
        transaction.contract_version = Some(checkpoint);
        transaction.balance_changes = Some(vec![BalanceChange {
            address: operator(),
            amount,
        }]);
        frame
    };
    // An own badge that is paid, one that is not, and another's.
    let frames = [
        withdrawal(3, 2, 700),
        withdrawal(4, 1, -5),
        withdrawal(5, 9, 700),
    ];
    store.apply(&frames, operator()).await.unwrap();
    let booked = all(&store).await;
    assert_eq!(kinds(&booked)[2..], [(2, "withdrawn", 2)]);
    let changes = BTreeMap::from([(operator(), 700)]);
    assert_eq!(booked[1].balance_changes, Some(changes));
    assert_eq!(booked[1].contract_version, Some(3));
    let marks = store.book_marks().await.unwrap();
    assert_eq!((marks.last_version, marks.gaps), (Some(3), vec![]));
}

/// Lets intents succeed together in one attempt. Returns its digest and the first intent.
async fn succeed(store: &impl Store, parts: &[NewIntent], receipt: Receipt) -> (Digest, IntentId) {
    let opened = store.open(parts, None, at(1)).await.unwrap();
    let ids: Vec<u64> = opened
        .into_iter()
        .map(|opened| unwrap_new(opened).id.get())
        .collect();
    let sent = bare_attempt(1, &ids);
    store.record_attempt(&sent, None, at(1)).await.unwrap();
    let outcome = AttemptOutcome::Succeeded { receipt };
    store
        .conclude(&concluded(sent.digest(), &outcome), at(5))
        .await
        .unwrap();
    (sent.digest(), IntentId::new(ids[0]))
}

pub async fn gas_is_divided_among_the_parts_of_a_transaction(store: impl Store) {
    let parts = [1, 2, 3].map(|number| new_intent(1, subscribe(number)));
    succeed(&store, &parts, receipt(11)).await;
    let gas = async |period| {
        let lines = store.gas_lines(period, Page::first(10)).await.unwrap();
        lines
            .into_iter()
            .map(|(_, line)| line.used)
            .collect::<Vec<_>>()
    };
    assert_eq!(gas(Period::ALWAYS).await, [4, 4, 3].map(Mist::new));
    let until = |until| Period {
        from: at(5),
        until: at(until),
    };
    assert_eq!(gas(until(6)).await.len(), 3);
    assert_eq!(gas(until(5)).await, []);
}

pub async fn gas_that_came_back_is_divided_too(store: impl Store) {
    let parts = [1, 2].map(|number| new_intent(1, subscribe(number)));
    let mut receipt = receipt(0);
    receipt.gas_returned = Mist::new(7);
    let (digest, first) = succeed(&store, &parts, receipt).await;
    let lines = store.gas_lines(Period::ALWAYS, Page::first(10)).await;
    let costs: Vec<_> = lines.unwrap().iter().map(|(_, line)| line.cost()).collect();
    assert_eq!(costs, [-4, -3]);
    let record = store.attempts_of(first).await.unwrap();
    assert_eq!(record[0].digest, digest);
    assert_eq!(record[0].gas_returned, Some(Mist::new(7)));
}
