//! Suite of [`MirrorRepair`](atoma_domain::ports::MirrorRepair).

use std::collections::BTreeMap;

use atoma_domain::contract::{
    Charges, ContractCounters, EntriesRead, Entry, EntryKey, EntryRead, NodeOnChain, OfferOnChain,
    StackEntryOnChain, StackOnChain, TaskOnChain, TicketOnChain,
};
use atoma_domain::events::ContractEvent;
use atoma_domain::model::{NodeKey, OperatorNode, StackPhase};
use atoma_domain::ports::{
    DisputeSide, EventCursor, EventSetAside, LedgerFrame, Page, Repair, UnexplainedChange,
};
use atoma_domain::reconciliation::{Cause, Difference};
use atoma_domain::{
    Epoch, HexBytes, NodeSmallId, PricePerMillion, SecurityLevel, TaskRole, TimestampMs,
};

use super::Store;
use super::fixtures::*;

/// When the comparisons of these tests are made.
const NOW: TimestampMs = TimestampMs::new(77);
/// The version of the contract that the mirror is brought to.
const VERSION: u64 = 100;

/// A frame that brings the mirror to a version of the contract.
fn at_version(checkpoint: u64, version: u64, events: Vec<ContractEvent>) -> LedgerFrame {
    let mut frame = frame(checkpoint, 0, events);
    let transaction = frame.transaction.as_mut().unwrap();
    transaction.contract_version = Some(version);
    frame
}

async fn mirror(store: &impl Store, events: Vec<ContractEvent>) {
    let frames = [at_version(41, VERSION, events), covered(41)];
    store.apply(&frames, operator()).await.unwrap();
}

/// What is read at a version of the contract, which has given the ids below 10.
fn read(version: u64, entries: Vec<(EntryKey, u64, Option<Entry>)>) -> EntriesRead {
    let entry = |(key, version, entry)| EntryRead {
        key,
        version,
        entry,
    };
    EntriesRead {
        counters: ContractCounters {
            version,
            next_node: node(10),
            next_task: task(10),
            next_stack: stack(10),
            stacks: 0,
            charges: Charges::default(),
        },
        mirrored_before: VERSION,
        entries: entries.into_iter().map(entry).collect(),
    }
}

fn disabled(epoch: u64) -> Option<Entry> {
    node_entry(Some(epoch), None)
}

fn node_entry(disabled_at_epoch: Option<u64>, key: Option<NodeKey>) -> Option<Entry> {
    Some(Entry::Node(NodeOnChain {
        disabled_at_epoch: disabled_at_epoch.map(Epoch::new),
        key,
    }))
}

/// The task of the fixtures with an odd id.
fn task_entry(offers: &[(u64, u64)]) -> Option<Entry> {
    let offers = offers.iter().map(|(id, price)| {
        let offer = OfferOnChain {
            price_per_one_million_compute_units: PricePerMillion::new(*price),
            max_num_compute_units: units(1_000_000),
        };
        (node(*id), offer)
    });
    Some(Entry::Task(TaskOnChain {
        role: TaskRole::new(7),
        model_name: None,
        security_level: SecurityLevel::SAMPLING_CONSENSUS,
        minimum_reputation_score: 0,
        deprecated_at_epoch: None,
        subscriptions: offers.collect::<BTreeMap<_, _>>(),
    }))
}

/// The ticket of the fixtures, with room for one more leaf.
fn ticket(id: u64, requested: &[u64], attested: &[u64], is_in_dispute: bool) -> TicketOnChain {
    let nodes = |ids: &[u64]| -> Vec<NodeSmallId> { ids.iter().copied().map(node).collect() };
    let mut leaves = hash(200 + id).as_bytes().to_vec();
    leaves.resize(64, 0);
    TicketOnChain {
        stack_small_id: stack(id),
        selected_node_id: node(1),
        num_claimed_compute_units: units(5),
        requested_attestation_nodes: nodes(requested),
        dispute_settled_at_epoch: Epoch::new(5),
        committed_stack_proof: hash(100 + id).into(),
        stack_merkle_leaves: HexBytes(leaves),
        already_attested_nodes: nodes(attested),
        is_in_dispute,
    }
}

fn stack_entry(is_claimed: bool, ticket: Option<TicketOnChain>) -> Option<Entry> {
    Some(Entry::Stack(StackEntryOnChain {
        owner: owner(),
        stack: StackOnChain {
            price_per_one_million_compute_units: PricePerMillion::new(7),
            num_compute_units: units(100),
            selected_node_id: node(1),
            task_small_id: task(1),
            is_claimed,
        },
        ticket,
    }))
}

async fn repair(store: &impl Store, read: &EntriesRead) -> Vec<&'static str> {
    let repair = Repair::Mirror(Cause::Periodic);
    let found = store.reconcile(read, repair, &[], NOW).await.unwrap();
    assert_eq!(found.open, []);
    // What is repaired doesn't differ any more.
    let again = store.reconcile(read, repair, &[], NOW).await.unwrap();
    assert_eq!(again.differences, []);
    assert_eq!(again.compared, found.compared);
    kinds(&found.differences)
}

fn kinds(differences: &[Difference]) -> Vec<&'static str> {
    let kinds = differences.iter().map(|difference| difference.kind.name());
    kinds.collect()
}

async fn counts(store: &impl Store) -> BTreeMap<String, u64> {
    store.figures(&[], Epoch::new(0)).await.unwrap().differences
}

pub async fn calls_without_events_are_repaired_and_recorded(store: impl Store) {
    let events = vec![registered(1), registered(2), task_registered(1)];
    mirror(&store, events).await;
    let read = read(
        VERSION,
        vec![
            (EntryKey::Node(node(1)), VERSION, disabled(3)),
            (EntryKey::Node(node(2)), 0, None),
            (EntryKey::Task(task(1)), 0, None),
            // Never mirrored and gone.
            (EntryKey::Node(node(3)), 0, None),
            (EntryKey::Stack(stack(3)), 0, None),
        ],
    );
    let expected = ["node_disabled", "node_destroyed", "task_removed"];
    assert_eq!(repair(&store, &read).await, expected);
    let task = store.task(task(1)).await.unwrap().unwrap();
    assert_eq!(task.removed_at_epoch, Some(Epoch::new(4)));
    let own = OperatorNode {
        node_small_id: node(1),
        node_badge_id: object(1),
        address: operator(),
    };
    assert_eq!(store.operator_nodes().await.unwrap(), [own]);
    let expected = expected.map(|kind| (kind.to_owned(), 1));
    assert_eq!(counts(&store).await, BTreeMap::from(expected));
}

pub async fn a_key_is_repaired(store: impl Store) {
    mirror(&store, vec![registered(1), registered(2)]).await;
    let key = |id: u64, counter: u64, devices: &[u16]| NodeKey {
        node_small_id: node(id),
        public_key_commitment: HexBytes(vec![7; 4]),
        key_rotation_counter: counter,
        updated_at_epoch: Epoch::new(2),
        device_types: devices.to_vec(),
    };
    let of = |keys: [Option<NodeKey>; 3]| {
        let entries = (1..).zip(keys).map(|(id, key)| {
            let entry = node_entry(None, key);
            (EntryKey::Node(node(id)), VERSION, entry)
        });
        read(VERSION, entries.collect())
    };
    let kept = || async {
        let nodes = [node(1), node(2), node(3)];
        store.node_keys(&nodes, Page::first(9)).await.unwrap()
    };
    let keys = [Some(key(1, 5, &[300, 7])), None, Some(key(3, 4, &[0]))];
    // The third node was never mirrored.
    let expected = ["node_key_changed", "node_missing"];
    assert_eq!(repair(&store, &of(keys)).await, expected);
    assert_eq!(kept().await, [key(1, 5, &[300, 7]), key(3, 4, &[0])]);
    let keys = [Some(key(1, 6, &[7])), None, None];
    assert_eq!(repair(&store, &of(keys)).await, ["node_key_changed"; 2]);
    assert_eq!(kept().await, [key(1, 6, &[7])]);
}

pub async fn what_cannot_be_compared_stays(store: impl Store) {
    mirror(
        &store,
        vec![registered(1), registered(2), bought(1, 1, 100)],
    )
    .await;
    let key = EntryKey::Node(node(1));
    let (behind, past) = (VERSION + 1, VERSION - 1);
    let gone = EntryKey::Node(node(2));
    for read in [
        // Changed, or gone, after the mirror's version.
        read(behind, vec![(key, behind, disabled(3)), (gone, 0, None)]),
        // Read before the mirror's version; what is gone stays gone.
        read(past, vec![(key, past, disabled(3))]),
    ] {
        let repair = Repair::Mirror(Cause::Requested);
        let found = store.reconcile(&read, repair, &[], NOW).await.unwrap();
        assert_eq!(found.differences, []);
        assert_eq!(found.compared, 0);
        let keys: Vec<_> = read.entries.iter().map(|entry| entry.key).collect();
        assert_eq!(found.open, keys);
    }
    // What the contract has not given yet is not the mirror's to have.
    let early = EntryKey::Stack(stack(10));
    let early = read(VERSION, vec![(early, 0, None)]);
    assert_eq!(repair(&store, &early).await, [""; 0]);
    assert_eq!(counts(&store).await, BTreeMap::new());
    // An entry that did not change meanwhile is compared, however far the contract is.
    let unchanged = read(u64::MAX, vec![(key, VERSION, disabled(3))]);
    assert_eq!(repair(&store, &unchanged).await, ["node_disabled"]);
}

pub async fn a_dry_run_repairs_nothing(store: impl Store) {
    mirror(&store, vec![registered(1)]).await;
    let read = read(VERSION, vec![(EntryKey::Node(node(1)), 0, None)]);
    for _ in 0..2 {
        let found = store.reconcile(&read, Repair::Nothing, &[], NOW).await;
        assert_eq!(kinds(&found.unwrap().differences), ["node_destroyed"]);
    }
    assert_eq!(store.operator_nodes().await.unwrap().len(), 1);
    assert_eq!(counts(&store).await, BTreeMap::new());
}

pub async fn what_the_mirror_lacks_is_added_as_the_contract_has_it(store: impl Store) {
    mirror(&store, Vec::new()).await;
    let read = read(
        VERSION,
        vec![
            (EntryKey::Node(node(1)), 7, disabled(3)),
            (EntryKey::Task(task(1)), 7, task_entry(&[(1, 5), (2, 6)])),
            (
                EntryKey::Stack(stack(1)),
                7,
                stack_entry(false, Some(ticket(1, &[2, 3], &[3], false))),
            ),
            (EntryKey::Stack(stack(2)), 7, stack_entry(true, None)),
        ],
    );
    assert_eq!(
        repair(&store, &read).await,
        [
            "node_missing",
            "task_missing",
            "stack_missing",
            "stack_missing"
        ]
    );
    let task = store.task(task(1)).await.unwrap().unwrap();
    assert_eq!((task.task_id, task.role), (None, TaskRole::new(7)));
    let stacks = store.stacks_by_id(&[stack(1), stack(2)]).await.unwrap();
    assert_eq!(stacks[0].stack_id, None);
    assert_eq!(stacks[0].owner_address, owner());
    assert!(stacks[0].in_settle_period && !stacks[0].is_claimed);
    assert!(stacks[1].is_claimed);
    let settlements = store.settlements_by_id(&[stack(1)]).await.unwrap();
    assert_eq!(settlements[0].attested_nodes, [node(3)]);
    assert_eq!(settlements[0].settled_at, NOW);
    assert_eq!(settlements[0].stack_merkle_leaf, hash(201));
    // The next attestation comes after those that were read.
    let frames = [at_version(42, VERSION + 1, vec![attested(1, 2)])];
    store.apply(&frames, operator()).await.unwrap();
    let settlements = store.settlements_by_id(&[stack(1)]).await.unwrap();
    assert_eq!(settlements[0].attested_nodes, [node(3), node(2)]);
}

pub async fn what_the_mirror_missed_of_a_ticket_is_repaired(store: impl Store) {
    let events = vec![
        task_registered(1),
        subscribed(1, 1, 5),
        subscribed(2, 1, 5),
        bought(1, 1, 100),
        settled(1, 1, &[2, 3]),
        attested(1, 2),
        bought(2, 1, 100),
    ];
    mirror(&store, events).await;
    let read = read(
        VERSION,
        vec![
            (
                EntryKey::Task(task(1)),
                VERSION,
                task_entry(&[(2, 6), (3, 7)]),
            ),
            (
                EntryKey::Stack(stack(1)),
                VERSION,
                stack_entry(false, Some(ticket(1, &[2, 3], &[3, 2], true))),
            ),
            (
                EntryKey::Stack(stack(2)),
                VERSION,
                stack_entry(false, Some(ticket(2, &[], &[], false))),
            ),
        ],
    );
    assert_eq!(
        repair(&store, &read).await,
        [
            "subscription_changed",
            "subscription_missing",
            "subscription_ended",
            "attestations_changed",
            "dispute_missing",
            "ticket_missing",
        ]
    );
    let settlements = store.settlements_by_id(&[stack(1)]).await.unwrap();
    assert_eq!(settlements[0].attested_nodes, [node(3), node(2)]);
    assert!(settlements[0].is_in_dispute);
    // The ticket doesn't tell who raised it.
    let disputes = store
        .disputes(&[node(1)], DisputeSide::Defendant, Page::first(9))
        .await
        .unwrap();
    assert_eq!(disputes[0].plaintiff_node_id, node(0));
    assert_eq!(disputes[0].created_at_epoch, Epoch::new(4));
    let nodes = [node(1), node(2), node(3)];
    let subscribers = store.subscriptions(&nodes, Page::first(9)).await.unwrap();
    let prices = subscribers.iter().map(|s| {
        let price = s.price_per_one_million_compute_units.get();
        (s.node_small_id.get(), price, s.valid)
    });
    assert_eq!(
        prices.collect::<Vec<_>>(),
        [(1, 5, false), (2, 6, true), (3, 7, true)]
    );
}

pub async fn claims_that_were_missed_close_the_stack(store: impl Store) {
    let events = vec![
        task_registered(1),
        bought(1, 1, 100),
        settled(1, 1, &[]),
        bought(2, 1, 100),
    ];
    mirror(&store, events).await;
    let of_confidential_task = stack_entry(true, None);
    let read = read(
        VERSION,
        vec![
            (EntryKey::Stack(stack(1)), 0, None),
            (EntryKey::Stack(stack(2)), VERSION, of_confidential_task),
        ],
    );
    assert_eq!(
        repair(&store, &read).await,
        ["stack_claimed", "stack_claimed"]
    );
    let stacks = store.stacks_by_id(&[stack(1), stack(2)]).await.unwrap();
    assert!(stacks.iter().all(|stack| stack.is_claimed));
    let settlements = store.settlements_by_id(&[stack(1)]).await.unwrap();
    assert!(settlements[0].is_claimed);
    // As when an event tells it.
    let figures = store.figures(&[node(1)], Epoch::new(5)).await.unwrap();
    let claimed = figures.nodes[&node(1)].stacks[&StackPhase::Claimed];
    assert_eq!(claimed.stacks, 2);
    assert_eq!(claimed.worth.sampled, 5 * 7);
}

pub async fn unexplained_changes_stay_until_they_are_compared(store: impl Store) {
    let silent = |checkpoint, version| {
        let mut frame = at_version(checkpoint, version, Vec::new());
        let transaction = frame.transaction.as_mut().unwrap();
        transaction.unexplained = vec![object(1), object(2)];
        frame
    };
    let frames = [at_version(1, 90, vec![registered(1)]), silent(2, 95)];
    store.apply(&frames, operator()).await.unwrap();
    let changes = store.unexplained_changes(9).await.unwrap();
    let change = |id, version| UnexplainedChange {
        object: object(id),
        contract_version: version,
    };
    assert_eq!(changes, [change(1, 95), change(2, 95)]);
    assert_eq!(store.unexplained_changes(1).await.unwrap(), changes[..1]);
    let repair = Repair::Mirror(Cause::Unexplained);
    let key = EntryKey::Node(node(1));
    // Not compared yet, or only compared.
    for (read, repair) in [
        (read(99, vec![(key, 97, disabled(1))]), repair),
        (read(99, vec![(key, 95, disabled(1))]), Repair::Nothing),
    ] {
        store.reconcile(&read, repair, &changes, NOW).await.unwrap();
        assert_eq!(store.unexplained_changes(9).await.unwrap(), changes);
    }
    // Changed again meanwhile.
    let mut again = silent(3, 96);
    again.transaction.as_mut().unwrap().unexplained = vec![object(2)];
    store.apply(&[again], operator()).await.unwrap();
    let read = read(99, vec![(key, 95, disabled(1))]);
    store.reconcile(&read, repair, &changes, NOW).await.unwrap();
    let left = store.unexplained_changes(9).await.unwrap();
    assert_eq!(left, [change(2, 96)]);
}

pub async fn a_rebuilt_mirror_is_followed_from_its_version(store: impl Store) {
    let mut frame = at_version(
        1,
        10,
        vec![registered(1), bought(1, 1, 100), bought(2, 1, 100)],
    );
    let transaction = frame.transaction.as_mut().unwrap();
    transaction.set_aside = vec![EventSetAside {
        index: 0,
        event_type: String::new(),
        contents: bytes::Bytes::new(),
        reason: String::new(),
    }];
    transaction.unexplained = vec![object(1)];
    store.apply(&[frame, covered(1)], operator()).await.unwrap();
    store.record_message(&message(1, 1, 30)).await.unwrap();
    let reserved = reserve(&store, 2, 40).await;
    let cursor = EventCursor(vec![1, 2, 3].into());
    let state = read(
        VERSION,
        vec![
            (EntryKey::Node(node(1)), 5, disabled(1)),
            (EntryKey::Task(task(1)), 5, task_entry(&[])),
            (EntryKey::Stack(stack(1)), 0, None),
            (
                EntryKey::Stack(stack(2)),
                80,
                stack_entry(false, Some(ticket(2, &[3], &[3], false))),
            ),
            (EntryKey::Stack(stack(3)), 80, stack_entry(false, None)),
        ],
    );
    let rebuilt = store.rebuild(&state, &cursor, NOW).await.unwrap();
    let differences = rebuilt.unwrap();
    assert_eq!(
        kinds(&differences),
        [
            "node_disabled",
            "task_missing",
            "stack_claimed",
            "ticket_missing",
            "stack_missing"
        ]
    );
    let progress = store.progress().await.unwrap();
    assert_eq!(progress.cursor, Some(cursor));
    assert_eq!(progress.contract_version, Some(VERSION));
    assert_eq!(progress.set_aside, 0);
    assert_eq!(store.unexplained_changes(9).await.unwrap(), []);
    // A node that is behind would take the mirror back.
    let before = read(VERSION - 1, Vec::new());
    let other = EventCursor(vec![4].into());
    let rebuilt = store.rebuild(&before, &other, NOW).await.unwrap();
    assert_eq!(rebuilt, None);
    assert_eq!(store.progress().await.unwrap(), progress);
    // What was served stays.
    let stacks = store.stacks_by_id(&[stack(1), stack(2)]).await.unwrap();
    assert_eq!(stacks[0].already_computed_units, units(30));
    assert_eq!(stacks[1].reservations.len(), 1);
    assert!(reserved.get() > 0);
    // The ledger may come from before the version.
    let frames = [
        at_version(90, 80, vec![attested(2, 3)]),
        at_version(91, VERSION, vec![bought(4, 1, 9)]),
        at_version(92, VERSION + 1, vec![bought(5, 1, 9)]),
    ];
    store.apply(&frames, operator()).await.unwrap();
    let bought = store.stacks_by_id(&[stack(4), stack(5)]).await.unwrap();
    assert_eq!(bought.len(), 1);
    let settlements = store.settlements_by_id(&[stack(2)]).await.unwrap();
    assert_eq!(settlements[0].attested_nodes, [node(3)]);
}

pub async fn open_and_missing_stacks_are_listed(store: impl Store) {
    let events = vec![
        bought(1, 2, 9),
        bought(2, 1, 9),
        bought(3, 1, 9),
        stack_claimed(3, 1),
        bought(4, u64::MAX, 9),
    ];
    mirror(&store, events).await;
    let open = [
        (node(1), stack(2)),
        (node(2), stack(1)),
        (node(u64::MAX), stack(4)),
    ];
    assert_eq!(store.open_stacks(None, 9).await.unwrap(), open);
    assert_eq!(store.open_stacks(None, 2).await.unwrap(), open[..2]);
    assert_eq!(
        store.open_stacks(Some(open[0]), 9).await.unwrap(),
        open[1..]
    );
    assert_eq!(store.open_stacks(Some(open[2]), 9).await.unwrap(), []);
    let listed = [stack(9), stack(3), stack(4), stack(5)];
    let missing = store.missing_stacks(&listed).await.unwrap();
    assert_eq!(missing, [stack(9), stack(5)]);
}
