//! Suite of [`Journal`](atoma_domain::ports::Journal): opening intents.

use atoma_domain::journal::{
    Action, Attempt, AttemptOutcome, Failure, Intent, IntentStatus, NewIntent,
};
use atoma_domain::model::NewMessage;
use atoma_domain::ports::{
    Journal, JournalKey, Opened, RecordError, ReserveError, SignedTransaction,
};
use atoma_domain::{ComputeUnits, Epoch, IntentId, Mist, ObjectReference};

use super::Store;
use super::fixtures::*;

pub fn unwrap_new(opened: Opened) -> Intent {
    match opened {
        Opened::New(intent) => intent,
        other => panic!("not new: {other:?}"),
    }
}

pub async fn open(store: &impl Journal, intent: NewIntent) -> Opened {
    open_at(store, intent, 1).await
}

pub async fn open_at(store: &impl Journal, intent: NewIntent, now: u64) -> Opened {
    let mut opened = store.open(&[intent], None, at(now)).await.unwrap();
    assert_eq!(opened.len(), 1);
    opened.remove(0)
}

pub fn attempt(id: u64, intents: &[IntentId]) -> Attempt {
    Attempt {
        intents: intents.to_vec(),
        transaction: SignedTransaction {
            bytes: vec![7; 300],
            digest: digest(id),
            signatures: vec![vec![0; 97], vec![1, 2]],
        },
        expires_after: Epoch::new(u64::MAX),
        badge: Some(ObjectReference::new(object(1), u64::MAX, digest(88))),
        gas: vec![
            ObjectReference::new(object(60), 1, digest(61)),
            ObjectReference::new(object(62), 1 << 63, digest(63)),
        ],
        gas_budget: Mist::new(u64::MAX),
    }
}

pub fn succeeded() -> AttemptOutcome {
    AttemptOutcome::Succeeded {
        receipt: receipt(u64::MAX),
    }
}

pub fn aborted() -> AttemptOutcome {
    AttemptOutcome::Aborted {
        failure: Failure::TreasuryShort {},
        receipt: receipt(5),
    }
}

pub fn dead() -> AttemptOutcome {
    AttemptOutcome::Dead {
        reason: String::from("its epoch is over"),
    }
}

/// Records an attempt for an intent and concludes it.
pub async fn run_attempt(
    store: &impl Journal,
    attempt_id: u64,
    id: IntentId,
    outcome: &AttemptOutcome,
) {
    let attempt = attempt(attempt_id, &[id]);
    store.record_attempt(&attempt, None, at(2)).await.unwrap();
    store
        .conclude(&concluded(attempt.digest(), outcome), at(3))
        .await
        .unwrap();
}

pub async fn status(store: &impl Journal, id: IntentId) -> IntentStatus {
    let found = store.find(JournalKey::Id(id)).await.unwrap();
    found.unwrap().status
}

pub async fn equal_requests_join_and_others_are_refused(store: impl Store) {
    let costly = NewIntent {
        gas: atoma_domain::journal::GasOptions {
            budget: Some(Mist::new(u64::MAX)),
            coin: Some(object(9)),
            price: None,
        },
        ..new_intent(1, subscribe(1))
    };
    let wanted = [
        new_intent(1, subscribe(1)),
        new_intent(1, subscribe(1)),
        costly.clone(),
        new_intent(2, subscribe(1)),
        new_intent(
            1,
            Action::UnsubscribeFromTask {
                task_small_id: task(1),
            },
        ),
        new_intent(
            1,
            Action::SubscribeToModel {
                model_name: String::from("a \"model\""),
                echelon_id: atoma_domain::EchelonId::new(u64::MAX),
            },
        ),
    ];
    let opened = store.open(&wanted, None, at(5)).await.unwrap();
    let first = unwrap_new(opened[0].clone());
    assert_eq!(opened[1], Opened::Joined(first.clone()));
    let refused = Opened::Refused(Failure::InFlightWithOtherParameters {
        transaction_id: first.id,
    });
    assert_eq!(opened[2], refused);
    let second = unwrap_new(opened[3].clone());
    assert_ne!(first.id, second.id);
    assert_eq!(opened[4], refused);
    unwrap_new(opened[5].clone());
    assert_eq!(
        (first.action.clone(), first.actor, first.gas),
        (wanted[0].action.clone(), wanted[0].actor, wanted[0].gas)
    );
    // The same in a later call, and while the intent is submitted.
    store
        .record_attempt(&attempt(1, &[first.id]), None, at(2))
        .await
        .unwrap();
    assert_eq!(
        open(&store, new_intent(1, subscribe(1))).await,
        Opened::Joined(first.clone())
    );
    let record = store.find(JournalKey::Id(first.id)).await.unwrap().unwrap();
    assert_eq!(record.intent, first);
    assert_eq!(record.created_at, at(5));

    let gas = NewIntent {
        actor: new_intent(3, subscribe(1)).actor,
        ..costly
    };
    let paid = unwrap_new(open(&store, gas.clone()).await);
    let record = store.find(JournalKey::Id(paid.id)).await.unwrap().unwrap();
    assert_eq!(record.intent.gas, gas.gas);
}

pub async fn actions_done_once_stay_done(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    store.record_message(&message(1, 1, 1)).await.unwrap();
    let stack_small_id = stack(1);
    let confidential = Action::ClaimConfidentialStack {
        stack_small_id,
        num_claimed_compute_units: Some(ComputeUnits::new(u64::MAX)),
    };
    let cases = [
        (settle(1), Failure::AlreadySettling { stack_small_id }),
        (
            attest(1),
            Failure::AlreadyAttested {
                stack_small_id,
                node_small_id: node(1),
            },
        ),
        (
            Action::StartDispute { stack_small_id },
            Failure::AlreadyInDispute { stack_small_id },
        ),
        (claim(1), Failure::AlreadyClaimed { stack_small_id }),
        // It has the same key as the claim above.
        (confidential, Failure::AlreadyClaimed { stack_small_id }),
    ];
    for (number, (action, refusal)) in (1..).zip(cases) {
        if number < 5 {
            let intent = unwrap_new(open(&store, new_intent(1, action.clone())).await);
            run_attempt(&store, number, intent.id, &succeeded()).await;
        }
        assert_eq!(
            open(&store, new_intent(1, action)).await,
            Opened::Refused(refusal)
        );
    }
    // Another node attests for itself, and a subscription can be changed repeatedly.
    unwrap_new(open(&store, new_intent(2, attest(1))).await);
    for number in 10..12 {
        let intent = unwrap_new(open(&store, new_intent(1, subscribe(1))).await);
        run_attempt(&store, number, intent.id, &succeeded()).await;
    }
}

pub async fn failed_actions_can_be_requested_again(store: impl Store) {
    let first = unwrap_new(open(&store, new_intent(1, claim(1))).await);
    let failure = Failure::NotYetClaimable {
        stack_small_id: stack(1),
        claimable_from_epoch: Epoch::new(u64::MAX),
        epoch: Epoch::new(2),
    };
    store.fail(first.id, &failure, at(2)).await.unwrap();
    let record = store.find(JournalKey::Id(first.id)).await.unwrap().unwrap();
    assert_eq!(record.status, IntentStatus::Failed);
    assert_eq!(record.failure, Some(failure));
    assert_eq!(record.tx_digest, None);

    let second = unwrap_new(open(&store, new_intent(1, claim(1))).await);
    assert!(second.id > first.id);
    run_attempt(&store, 1, second.id, &aborted()).await;
    let record = store.find(JournalKey::Id(second.id)).await.unwrap();
    let record = record.unwrap();
    assert_eq!(record.failure, Some(Failure::TreasuryShort {}));
    assert_eq!(record.tx_digest, Some(digest(1)));

    let third = unwrap_new(open(&store, new_intent(1, claim(1))).await);
    run_attempt(&store, 2, third.id, &aborted()).await;
    unwrap_new(open(&store, new_intent(1, claim(1))).await);
}

pub async fn confidential_claims_freeze_the_record(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let stack_small_id = stack(1);
    // Claiming nothing would refund everything to the buyer, unless a ticket names the units.
    let nothing = Opened::Refused(Failure::StackHasNoMessages { stack_small_id });
    let claimed = async || open(&store, new_intent(1, claim_confidential(1))).await;
    assert_eq!(claimed().await, nothing);
    let attesting = NewMessage {
        node_small_id: Some(node(2)),
        ..message(1, 1, 1)
    };
    store.record_message(&attesting).await.unwrap();
    store.record_message(&message(1, 1, 0)).await.unwrap();
    assert_eq!(claimed().await, nothing);
    let by_ticket = Action::ClaimConfidentialStack {
        stack_small_id,
        num_claimed_compute_units: Some(units(5)),
    };
    let intent = unwrap_new(open(&store, new_intent(1, by_ticket)).await);
    let failure = Failure::ShuttingDown {};
    store.fail(intent.id, &failure, at(2)).await.unwrap();
    store.record_message(&message(1, 1, 1)).await.unwrap();
    let held = reserve(&store, 1, 0).await;
    assert_eq!(
        open(&store, new_intent(1, claim_confidential(1))).await,
        Opened::Refused(Failure::RequestsInProgress { stack_small_id })
    );
    store.release_reservation(held, at(1)).await.unwrap();
    // Messages recorded until now are paid, later ones refused. The action names no number of units: a
    // number read before could be too small.
    let intent = unwrap_new(open(&store, new_intent(1, claim_confidential(1))).await);
    assert_eq!(intent.action, claim_confidential(1));
    let late = store.record_message(&message(1, 2, 1)).await;
    assert!(matches!(late, Err(RecordError::InSettlement(id)) if id == stack_small_id));
    let record = store.work_record(stack(1), node(1)).await.unwrap();
    assert_eq!(record.unwrap().computed_units, units(1));
    store.fail(intent.id, &failure, at(4)).await.unwrap();
    store.record_message(&message(1, 2, 1)).await.unwrap();
    // An old ticket of the stack does not prevent the claim.
    apply_events(&store, 2, vec![settled(1, 1, &[])]).await;
    unwrap_new(open(&store, new_intent(1, claim_confidential(1))).await);
}

pub async fn settlements_are_checked_and_freeze_the_record(store: impl Store) {
    let stack_small_id = stack(1);
    let refused = |failure| Opened::Refused(failure);
    assert_eq!(
        open(&store, new_intent(1, settle(1))).await,
        refused(Failure::UnknownStack { stack_small_id })
    );
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    assert_eq!(
        open(&store, new_intent(1, settle(1))).await,
        refused(Failure::StackHasNoMessages { stack_small_id })
    );
    // Another node's record does not count.
    let attesting = NewMessage {
        node_small_id: Some(node(2)),
        ..message(1, 1, 1)
    };
    store.record_message(&attesting).await.unwrap();
    let held = reserve(&store, 1, 0).await;
    assert_eq!(
        open(&store, new_intent(1, settle(1))).await,
        refused(Failure::StackHasNoMessages { stack_small_id })
    );
    store.record_message(&message(1, 1, 1)).await.unwrap();
    assert_eq!(
        open(&store, new_intent(1, settle(1))).await,
        refused(Failure::RequestsInProgress { stack_small_id })
    );
    store.release_reservation(held, at(1)).await.unwrap();
    assert!(matches!(
        open(&store, new_intent(2, settle(1))).await,
        Opened::Refused(Failure::NodeNotSelected { .. })
    ));

    let intent = unwrap_new(open(&store, new_intent(1, settle(1))).await);
    let frozen = async || {
        let record = store.work_record(stack(1), node(1)).await.unwrap();
        let frozen = record.unwrap().is_frozen;
        let recorded = store.record_message(&message(1, 2, 0)).await;
        let reserved = store.reserve_units(&reservation(1, 0), at(1)).await;
        let closed = matches!(recorded, Err(RecordError::InSettlement(_)))
            && matches!(reserved, Err(ReserveError::Locked { .. }));
        assert_eq!(frozen, closed);
        frozen
    };
    assert!(frozen().await);
    store.record_message(&attesting).await.unwrap();
    assert_eq!(
        open(&store, new_intent(1, settle(1))).await,
        Opened::Joined(intent.clone())
    );
    // A dead attempt leaves the record frozen; only the failure of the intent thaws it.
    run_attempt(&store, 1, intent.id, &dead()).await;
    assert!(frozen().await);
    store
        .fail(intent.id, &Failure::ShuttingDown {}, at(4))
        .await
        .unwrap();
    let record = store.work_record(stack(1), node(1)).await.unwrap();
    assert!(!record.unwrap().is_frozen);
    store.record_message(&message(1, 2, 1)).await.unwrap();

    let intent = unwrap_new(open(&store, new_intent(1, settle(1))).await);
    run_attempt(&store, 2, intent.id, &aborted()).await;
    store.record_message(&message(1, 3, 1)).await.unwrap();
    let intent = unwrap_new(open(&store, new_intent(1, settle(1))).await);
    run_attempt(&store, 3, intent.id, &succeeded()).await;
    assert!(frozen().await);

    // Tickets and claims of other daemons count too.
    apply_events(
        &store,
        2,
        vec![
            bought(2, 1, 9),
            bought(3, 1, 9),
            settled(2, 1, &[]),
            stack_claimed(3, 1),
        ],
    )
    .await;
    assert_eq!(
        open(&store, new_intent(1, settle(2))).await,
        refused(Failure::AlreadySettling {
            stack_small_id: stack(2)
        })
    );
    assert_eq!(
        open(&store, new_intent(1, settle(3))).await,
        refused(Failure::AlreadyClaimed {
            stack_small_id: stack(3)
        })
    );
}

/// A settlement and a claim without one may both be open, and each freezes the record.
pub async fn a_record_stays_frozen_while_any_intent_needs_it(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    store.record_message(&message(1, 1, 1)).await.unwrap();
    let wanted = [
        new_intent(1, settle(1)),
        new_intent(1, claim_confidential(1)),
    ];
    let opened = store.open(&wanted, None, at(1)).await.unwrap();
    let ids: Vec<IntentId> = opened.into_iter().map(|o| unwrap_new(o).id).collect();
    for (id, is_frozen) in ids.into_iter().zip([true, false]) {
        let failed = store.fail(id, &Failure::ShuttingDown {}, at(2)).await;
        failed.unwrap();
        let record = store.work_record(stack(1), node(1)).await.unwrap();
        assert_eq!(record.unwrap().is_frozen, is_frozen);
    }
}
