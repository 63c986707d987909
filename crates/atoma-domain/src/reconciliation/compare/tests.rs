use std::collections::BTreeMap;

use super::*;
use crate::contract::{Charges, ContractCounters, OfferOnChain, StackOnChain};
use crate::model::NodeKey;
use crate::{
    Address, ComputeUnits, Epoch, Hash32, HexBytes, PricePerMillion, SecurityLevel, StackSmallId,
    TaskRole, TaskSmallId,
};

const STACK: EntryKey = EntryKey::Stack(StackSmallId::new(5));

/// A read at a version, before which the mirror had another.
fn at(version: u64, mirrored_before: u64) -> EntriesRead {
    EntriesRead {
        counters: ContractCounters {
            version,
            next_node: NodeSmallId::new(3),
            next_task: TaskSmallId::new(3),
            next_stack: StackSmallId::new(6),
            stacks: 1,
            charges: Charges::default(),
        },
        mirrored_before,
        entries: Vec::new(),
    }
}

fn read(key: EntryKey, version: u64, entry: Option<Entry>) -> EntryRead {
    EntryRead {
        key,
        version,
        entry,
    }
}

fn node(disabled: Option<u64>) -> Entry {
    Entry::Node(NodeOnChain {
        disabled_at_epoch: disabled.map(Epoch::new),
        key: None,
    })
}

fn with_key(counter: u64, devices: &[u16]) -> Entry {
    Entry::Node(NodeOnChain {
        disabled_at_epoch: None,
        key: Some(NodeKey {
            node_small_id: NodeSmallId::new(1),
            public_key_commitment: HexBytes(vec![1, 2]),
            key_rotation_counter: counter,
            updated_at_epoch: Epoch::new(0),
            device_types: devices.to_vec(),
        }),
    })
}

fn task(offers: &[(u64, u64)]) -> Entry {
    let offers = offers.iter().map(|(node, price)| {
        let offer = OfferOnChain {
            price_per_one_million_compute_units: PricePerMillion::new(*price),
            max_num_compute_units: ComputeUnits::new(9),
        };
        (NodeSmallId::new(*node), offer)
    });
    Entry::Task(TaskOnChain {
        role: TaskRole::new(0),
        model_name: None,
        security_level: SecurityLevel::NONE,
        minimum_reputation_score: 0,
        deprecated_at_epoch: None,
        subscriptions: offers.collect::<BTreeMap<_, _>>(),
    })
}

fn ticket() -> TicketOnChain {
    TicketOnChain {
        stack_small_id: StackSmallId::new(5),
        selected_node_id: NodeSmallId::new(1),
        num_claimed_compute_units: ComputeUnits::new(10),
        requested_attestation_nodes: vec![NodeSmallId::new(2)],
        dispute_settled_at_epoch: Epoch::new(4),
        committed_stack_proof: Hash32::ZERO.into(),
        stack_merkle_leaves: HexBytes(vec![7; 64]),
        already_attested_nodes: Vec::new(),
        is_in_dispute: false,
    }
}

fn stack(is_claimed: bool, ticket: Option<TicketOnChain>) -> Entry {
    Entry::Stack(StackEntryOnChain {
        owner: Address::ZERO,
        stack: StackOnChain {
            price_per_one_million_compute_units: PricePerMillion::new(1),
            num_compute_units: ComputeUnits::new(10),
            selected_node_id: NodeSmallId::new(1),
            task_small_id: TaskSmallId::new(1),
            is_claimed,
        },
        ticket,
    })
}

fn kinds(key: EntryKey, mirrored: Mirrored, on_chain: Option<Entry>) -> Vec<&'static str> {
    let found = compare(&mirrored, &read(key, 1, on_chain));
    assert!(found.iter().all(|difference| difference.key == key));
    found.iter().map(|found| found.kind.name()).collect()
}

#[test]
fn what_exists_must_be_unchanged_since_the_mirrors_version() {
    let comparable = |entry, read_at, before, mirror| {
        let entry = read(STACK, entry, Some(stack(false, None)));
        is_comparable(&entry, &at(read_at, before), mirror)
    };
    assert!(comparable(7, 9, 6, 7));
    assert!(comparable(7, 9, 9, 9));
    // The last transaction may have been half published when it was read.
    assert!(!comparable(7, 9, 8, 9));
    // The mirror doesn't have the change yet, or may have a later one.
    assert!(!comparable(7, 9, 6, 6));
    assert!(!comparable(7, 9, 9, 10));
}

#[test]
fn what_is_gone_must_be_past_in_the_mirror_and_have_existed() {
    let comparable = |key, read_at, mirror| {
        let entry = read(key, 0, None);
        is_comparable(&entry, &at(read_at, 0), mirror)
    };
    assert!(comparable(STACK, 9, 9));
    assert!(comparable(STACK, 9, u64::MAX));
    assert!(!comparable(STACK, 9, 8));
    let not_given = EntryKey::Stack(StackSmallId::new(6));
    assert!(!comparable(not_given, 9, 9));
}

#[test]
fn differences_are_named() {
    use Mirrored::{Gone, Missing, Present};
    let key = EntryKey::Node(NodeSmallId::new(1));
    for (mirrored, on_chain, expected) in [
        (Present(node(None)), Some(node(None)), &[][..]),
        (Present(node(None)), Some(node(Some(3))), &["node_disabled"]),
        (
            Present(node(None)),
            Some(with_key(1, &[7])),
            &["node_key_changed"],
        ),
        (
            Present(with_key(1, &[7])),
            Some(node(None)),
            &["node_key_changed"],
        ),
        (
            Present(with_key(1, &[7])),
            Some(with_key(2, &[7])),
            &["node_key_changed"],
        ),
        (
            Present(with_key(1, &[7])),
            Some(with_key(1, &[7, 8])),
            &["node_key_changed"],
        ),
        (Present(with_key(1, &[7])), Some(with_key(1, &[7])), &[]),
        (Present(node(Some(3))), None, &["node_destroyed"]),
        (Missing, Some(node(None)), &["node_missing"]),
        (Gone, Some(node(None)), &["node_missing"]),
        (Missing, None, &[]),
        (Gone, None, &[]),
    ] {
        assert_eq!(kinds(key, mirrored, on_chain), expected);
    }
    let key = EntryKey::Task(TaskSmallId::new(1));
    let (one, other) = (task(&[(1, 5), (2, 5)]), task(&[(2, 6), (3, 5)]));
    assert_eq!(kinds(key, Present(one.clone()), Some(one.clone())), [""; 0]);
    assert_eq!(
        kinds(key, Present(one.clone()), Some(other)),
        [
            "subscription_changed",
            "subscription_missing",
            "subscription_ended"
        ]
    );
    let Entry::Task(mut deprecated) = one.clone() else {
        unreachable!();
    };
    deprecated.deprecated_at_epoch = Some(Epoch::new(2));
    let deprecated = Some(Entry::Task(deprecated));
    assert_eq!(
        kinds(key, Present(one.clone()), deprecated),
        ["task_changed"]
    );
    assert_eq!(kinds(key, Present(one), None), ["task_removed"]);
}

#[test]
fn differences_of_a_stack_and_its_ticket_are_named() {
    use Mirrored::Present;
    let open = || Present(stack(false, None));
    assert_eq!(kinds(STACK, open(), Some(stack(false, None))), [""; 0]);
    assert_eq!(kinds(STACK, open(), None), ["stack_claimed"]);
    assert_eq!(
        kinds(STACK, open(), Some(stack(true, None))),
        ["stack_claimed"]
    );
    // A claim deletes the stack, or marks it if the task is confidential.
    let claimed = || Present(stack(true, Some(ticket())));
    assert_eq!(kinds(STACK, claimed(), None), [""; 0]);
    assert_eq!(
        kinds(STACK, Present(stack(true, None)), Some(stack(true, None))),
        [""; 0]
    );
    assert_eq!(
        kinds(STACK, claimed(), Some(stack(false, Some(ticket())))),
        ["stack_changed"]
    );
    let settled = |change: fn(&mut TicketOnChain)| {
        let mut ticket = ticket();
        change(&mut ticket);
        stack(false, Some(ticket))
    };
    assert_eq!(
        kinds(STACK, open(), Some(settled(|_| {}))),
        ["ticket_missing"]
    );
    // The mirror has the first leaf alone.
    let first_leaf = || Present(settled(|ticket| ticket.stack_merkle_leaves.0.truncate(32)));
    assert_eq!(kinds(STACK, first_leaf(), Some(settled(|_| {}))), [""; 0]);
    type Change = fn(&mut TicketOnChain);
    let changes: [(Change, &str); 3] = [
        (|t| t.is_in_dispute = true, "dispute_missing"),
        (
            |t| t.already_attested_nodes = vec![NodeSmallId::new(2)],
            "attestations_changed",
        ),
        (
            |t| t.num_claimed_compute_units = ComputeUnits::new(9),
            "ticket_changed",
        ),
    ];
    for (change, name) in changes {
        assert_eq!(kinds(STACK, first_leaf(), Some(settled(change))), [name]);
    }
}

#[test]
fn names_are_distinct() {
    let names: std::collections::BTreeSet<_> =
        DifferenceKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), DifferenceKind::ALL.len());
}
