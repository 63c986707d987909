//! Suite of [`ChainEvents`](atoma_domain::ports::ChainEvents): bindings and progress.

use std::fs;
use std::path::Path;

use atoma_domain::events::{ContractEvent, NodePublicKeyCommitment};
use atoma_domain::model::NodeKey;
use atoma_domain::ports::{
    ChainIdentity, EventCursor, EventSetAside, MAX_SET_ASIDE_BYTES, Page, Progress, StackFilter,
    StoreError,
};
use atoma_domain::{CheckpointNumber, Epoch, HexBytes};

use super::Store;
use super::fixtures::*;

pub async fn a_database_is_bound_to_one_chain(store: impl Store) {
    let identity = ChainIdentity {
        chain_id: digest(1),
        atoma_db_id: object(2),
    };
    store.bind(&identity).await.unwrap();
    store.bind(&identity).await.unwrap();
    for other in [
        ChainIdentity {
            chain_id: digest(2),
            ..identity
        },
        ChainIdentity {
            atoma_db_id: object(9),
            ..identity
        },
    ] {
        let refused = store.bind(&other).await.unwrap_err();
        let StoreError::OtherChain { stored, configured } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(stored, identity.to_string());
        assert_eq!(configured, other.to_string());
    }
    store.bind(&identity).await.unwrap();
}

fn committed(by: u64, rotation: u64, device_type: u16, key: u8) -> ContractEvent {
    NodePublicKeyCommitment {
        epoch: Epoch::new(u64::MAX),
        key_rotation_counter: rotation,
        node_id: node(by),
        new_public_key: HexBytes(vec![key; 32]),
        device_type,
        evidence_bytes: HexBytes(Vec::new()),
    }
    .into()
}

pub async fn node_keys_are_those_that_the_contract_keeps(store: impl Store) {
    let keys = async |nodes: &[u64], after: Option<u64>, limit| {
        let nodes: Vec<_> = nodes.iter().copied().map(node).collect();
        let after = after.map(node);
        let page = Page { after, limit };
        store.node_keys(&nodes, page).await.unwrap()
    };
    assert_eq!(keys(&[1, 2], None, 9).await, []);
    let events = vec![
        committed(1, 0, 15_999, 1),
        // A known device: the contract keeps the first key.
        committed(1, 0, 15_999, 2),
        committed(1, 0, 0, 1),
        committed(2, u64::MAX, 300, 3),
        committed(u64::MAX, 0, 300, 4),
    ];
    apply_events(&store, 1, events).await;
    let key = |of, rotation, devices: &[u16], key| NodeKey {
        node_small_id: node(of),
        public_key_commitment: HexBytes(vec![key; 32]),
        key_rotation_counter: rotation,
        updated_at_epoch: Epoch::new(u64::MAX),
        device_types: devices.to_vec(),
    };
    let first = key(1, 0, &[15_999, 0], 1);
    let second = key(2, u64::MAX, &[300], 3);
    let last = key(u64::MAX, 0, &[300], 4);
    let all = [1, 2, 7, u64::MAX];
    assert_eq!(keys(&all, None, 2).await, [first.clone(), second.clone()]);
    assert_eq!(keys(&all, Some(2), 2).await, std::slice::from_ref(&last));
    assert_eq!(keys(&all, Some(u64::MAX), 2).await, []);
    assert_eq!(keys(&[2], None, 2).await, [second]);
    assert_eq!(keys(&[], None, 2).await, []);
    // The network's next rotation: a new key, and its devices anew.
    apply_events(&store, 2, vec![committed(1, 1, 5, 6)]).await;
    assert_eq!(keys(&[1], None, 2).await, [key(1, 1, &[5], 6)]);
}

pub async fn progress_follows_the_frames(store: impl Store) {
    assert_eq!(store.progress().await.unwrap(), Progress::default());
    let frames = [
        covered(3),
        frame(25, 1, Vec::new()),
        frame(25, 7, Vec::new()),
    ];
    let progress = store.apply(&frames, operator()).await.unwrap();
    assert_eq!(progress, store.progress().await.unwrap());
    assert_eq!(progress.cursor, Some(frames[2].cursor.clone()));
    assert_eq!(
        progress.position,
        Some(frames[2].transaction.as_ref().unwrap().position)
    );
    assert_eq!(progress.covered, Some(CheckpointNumber::new(3)));
    assert_eq!(progress.epoch, Some(Epoch::new(2)));

    let progress = store.apply(&[covered(u64::MAX)], operator()).await.unwrap();
    assert_eq!(progress.covered, Some(CheckpointNumber::new(u64::MAX)));
    assert_eq!(progress.cursor, Some(covered(u64::MAX).cursor));
    assert_eq!(progress, store.progress().await.unwrap());
    // Applying nothing changes nothing.
    assert_eq!(store.apply(&[], operator()).await.unwrap(), progress);

    // A frame with a cursor alone still moves the cursor.
    let mut bare = covered(0);
    bare.covered = None;
    bare.cursor = EventCursor(vec![0, 255].into());
    let progress = store.apply(&[bare.clone()], operator()).await.unwrap();
    assert_eq!(progress.cursor, Some(bare.cursor));
}

pub async fn applied_frames_change_nothing_again(store: impl Store) {
    let frames = [
        frame(1, 0, vec![bought(1, 1, 10), bought(2, 1, 10)]),
        frame(1, 1, vec![settled(1, 1, &[2, 2])]),
        covered(1),
        frame(2, 0, vec![attested(1, 2)]),
        frame(2, 3, vec![disputed(1, 3, 1)]),
        covered(4),
    ];
    let progress = store.apply(&frames, operator()).await.unwrap();
    let settlement = store.settlements_by_id(&[stack(1)]).await.unwrap();
    for part in [
        &frames[..],
        &frames[..1],
        &frames[1..3],
        &frames[2..5],
        &frames[5..],
    ] {
        assert_eq!(store.apply(part, operator()).await.unwrap(), progress);
    }
    assert_eq!(
        store.settlements_by_id(&[stack(1)]).await.unwrap(),
        settlement
    );
    assert_eq!(settlement[0].attested_nodes, [node(2)]);

    // A known transaction can come with new coverage.
    let mut further = frames[3].clone();
    further.covered = Some(CheckpointNumber::new(5));
    let progress = store.apply(&[further], operator()).await.unwrap();
    assert_eq!(progress.covered, Some(CheckpointNumber::new(5)));
    assert_eq!(
        progress.position,
        Some(frames[4].transaction.as_ref().unwrap().position)
    );

    // Frames that overlap are skipped, new ones are applied.
    let overlap = [frames[3].clone(), frame(5, 0, vec![attested(1, 2)])];
    store.apply(&overlap, operator()).await.unwrap();
    let settlement = store.settlements_by_id(&[stack(1)]).await.unwrap();
    assert_eq!(settlement[0].attested_nodes, [node(2), node(2)]);
}

/// They stop nothing, and are stored with the cursor that passes them, each once.
pub async fn events_set_aside_are_kept_once(store: impl Store) {
    let set_aside = |index| EventSetAside {
        index,
        event_type: String::from("0x2::db::EventOfTheFuture"),
        contents: vec![7; MAX_SET_ASIDE_BYTES].into(),
        reason: String::from("unknown event `EventOfTheFuture`"),
    };
    let mut frames = [
        frame(1, 0, vec![bought(1, 1, 10)]),
        frame(1, 1, vec![bought(2, 1, 10)]),
        covered(1),
    ];
    let transaction = frames[1].transaction.as_mut().unwrap();
    transaction.set_aside = vec![set_aside(0), set_aside(2)];
    transaction.unexplained = vec![object(5), object(6)];
    for _ in 0..2 {
        let progress = store.apply(&frames, operator()).await.unwrap();
        assert_eq!(progress.set_aside, 2);
        assert_eq!(progress.covered, Some(CheckpointNumber::new(1)));
        assert_eq!(progress, store.progress().await.unwrap());
    }
    let bought = store.stacks_by_id(&[stack(1), stack(2)]).await.unwrap();
    assert_eq!(bought.len(), 2);
}

/// The node may send them again in another place of its stream.
pub async fn transactions_of_a_mirrored_version_change_nothing(store: impl Store) {
    let at_version = |checkpoint, version, events| {
        let mut frame = frame(checkpoint, 0, events);
        let transaction = frame.transaction.as_mut().unwrap();
        transaction.contract_version = Some(version);
        frame
    };
    let first = at_version(1, 7, vec![bought(1, 1, 10)]);
    let progress = store.apply(&[first], operator()).await.unwrap();
    assert_eq!(progress.contract_version, Some(7));
    let again = at_version(2, 7, vec![bought(2, 1, 10)]);
    let progress = store.apply(&[again], operator()).await.unwrap();
    assert_eq!(progress.contract_version, Some(7));
    assert_eq!(store.stacks_by_id(&[stack(2)]).await.unwrap(), []);
    let next = at_version(3, 8, vec![bought(2, 1, 10)]);
    let progress = store.apply(&[next], operator()).await.unwrap();
    assert_eq!(progress.contract_version, Some(8));
    assert_eq!(store.stacks_by_id(&[stack(2)]).await.unwrap().len(), 1);
}

pub async fn events_of_unknown_stacks_are_accepted(store: impl Store) {
    let events = vec![
        attested(1, 2),
        disputed(2, 3, 1),
        ticket_claimed(3, 1, 5),
        stack_claimed(4, 1),
        settled(5, 1, &[2]),
    ];
    apply_events(&store, 1, events).await;
    let settlements = store.settlements(&[node(1)], Page::first(9)).await.unwrap();
    assert_eq!(settlements.len(), 1);
    assert_eq!(settlements[0].stack_small_id, stack(5));
    assert_eq!(settlements[0].stack_id, None);
    let filter = StackFilter {
        nodes: &[node(1)],
        filled_beyond: None,
    };
    assert_eq!(store.stacks(filter, Page::first(9)).await.unwrap(), []);
}

/// Every event recorded from the contract, with fields up to 2⁶⁴ − 1.
pub async fn every_recorded_event_is_accepted(store: impl Store) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/events.json");
    let vectors: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut names = Vec::new();
    let mut events = Vec::new();
    for (name, cases) in vectors.as_object().unwrap() {
        names.push(name.as_str());
        for case in cases.as_array().unwrap() {
            let bcs = case["bcs_hex"].as_str().unwrap();
            let bytes: atoma_domain::HexBytes = bcs.parse().unwrap();
            events.push(ContractEvent::decode(name, &bytes.0).unwrap());
        }
    }
    names.sort_unstable();
    let mut known = ContractEvent::NAMES.to_vec();
    known.sort_unstable();
    assert_eq!(names, known);

    apply_events(&store, 1, events.clone()).await;
    let tasks = store.tasks(Page::first(100)).await.unwrap();
    for event in &events {
        match event {
            ContractEvent::TaskRegistered(event) => {
                assert!(
                    tasks
                        .iter()
                        .any(|task| task.task_small_id == event.task_small_id)
                );
            }
            ContractEvent::StackCreated(event) => {
                let found = store.stacks_by_id(&[event.stack_small_id]).await.unwrap();
                assert_eq!(found.len(), 1);
            }
            ContractEvent::StackTrySettle(event) => {
                let found = store
                    .settlements_by_id(&[event.stack_small_id])
                    .await
                    .unwrap();
                assert_eq!(found.len(), 1);
            }
            _ => {}
        }
    }
}

pub async fn the_epoch_never_goes_back(store: impl Store) {
    store.note_epoch(Epoch::new(5)).await.unwrap();
    store.note_epoch(Epoch::new(3)).await.unwrap();
    assert_eq!(store.progress().await.unwrap().epoch, Some(Epoch::new(5)));
    apply_events(&store, 40, Vec::new()).await;
    assert_eq!(store.progress().await.unwrap().epoch, Some(Epoch::new(5)));
    apply_events(&store, 60, Vec::new()).await;
    assert_eq!(store.progress().await.unwrap().epoch, Some(Epoch::new(6)));
    store.note_epoch(Epoch::new(u64::MAX)).await.unwrap();
    assert_eq!(
        store.progress().await.unwrap().epoch,
        Some(Epoch::new(u64::MAX))
    );
}

/// The cursor stays, and the stream's delivery changes nothing.
pub async fn a_purchase_taken_early_is_mirrored_once(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let progress = store.progress().await.unwrap();
    let event = bought(2, 1, 100);
    let ContractEvent::StackCreated(purchase) = event.clone() else {
        panic!("not a purchase");
    };
    let purchases = std::slice::from_ref(&purchase);
    store.apply_early(purchases).await.unwrap();
    assert_eq!(store.progress().await.unwrap(), progress);
    store.record_message(&message(2, 1, 7)).await.unwrap();
    let known = async || store.stacks_by_id(&[stack(2)]).await.unwrap();
    let early = known().await;
    assert_eq!(early[0].already_computed_units, units(7));
    store.apply_early(purchases).await.unwrap();
    assert_eq!(known().await, early);
    apply_events(&store, 2, vec![event]).await;
    assert_eq!(known().await, early);
    // A purchase that comes late doesn't reopen a claimed stack.
    apply_events(&store, 3, vec![stack_claimed(2, 1)]).await;
    store.apply_early(purchases).await.unwrap();
    assert!(known().await[0].is_claimed);
}
