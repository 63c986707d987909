use proptest::prelude::*;

use super::*;
use crate::Hash32;

/// The contract's rule in its plain form: level by level, a node without a sibling moves up.
fn root_by_levels(messages: &[Hash32]) -> Option<Hash32> {
    let mut level = messages.to_vec();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => Hash32::of(&[left.as_bytes(), right.as_bytes()]),
                rest => rest[0],
            })
            .collect();
    }
    level.first().copied()
}

fn messages(n: u64) -> Vec<Hash32> {
    (0..n).map(|i| Hash32::of(&[&i.to_le_bytes()])).collect()
}

#[test]
fn root_equals_the_tree_built_by_levels_after_every_append() {
    let all = messages(300);
    let mut accumulator = StackAccumulator::new();
    assert_eq!(accumulator.root(), None);
    for (i, message) in all.iter().enumerate() {
        accumulator.append(*message).unwrap();
        assert_eq!(accumulator.root(), root_by_levels(&all[..=i]), "{i}");
    }
}

#[test]
fn one_message_is_its_own_root() {
    let mut accumulator = StackAccumulator::new();
    let message = Hash32::new([7; 32]);
    accumulator.append(message).unwrap();
    assert_eq!(accumulator.root(), Some(message));
}

#[test]
fn more_drawable_nodes_than_extra_nodes_change_nothing() {
    let root = Hash32::new([1; 32]);
    assert_eq!(commitment(&root, 2, 9), commitment(&root, 2, 2));
    assert_ne!(commitment(&root, 2, 1), commitment(&root, 2, 2));
    assert_eq!(
        commitment(&root, 256, 1),
        Err(CommitmentError::TooManyExtraNodes(256))
    );
}

#[test]
fn a_root_is_found_in_its_commitment_whatever_the_number_of_extra_nodes() {
    let (root, other) = (Hash32::new([1; 32]), Hash32::new([2; 32]));
    for (extra, requested) in [(1, 1), (2, 1), (2, 2), (255, 1), (255, 255)] {
        let committed = commitment(&root, extra, requested).unwrap();
        let requested = usize::try_from(requested).unwrap();
        let is_over = |root| is_commitment_over(root, committed.as_bytes(), requested);
        assert!(is_over(&root), "{extra} {requested}");
        assert!(!is_over(&other), "{extra} {requested}");
    }
    let committed = commitment(&root, 2, 2).unwrap();
    assert!(!is_commitment_over(&root, committed.as_bytes(), 1));
    assert!(!is_commitment_over(&root, committed.as_bytes(), 256));
    assert!(!is_commitment_over(&root, b"", 1));
}

#[test]
fn attester_refuses_a_ticket_that_cannot_be() {
    let root = Hash32::new([1; 32]);
    for (leaves, requested, place) in [(0, 0, 0), (31, 1, 0), (64, 2, 0), (64, 1, 1), (32, 1, 0)] {
        assert!(
            SettlementProof::of_attester(&root, leaves, requested, place).is_err(),
            "{leaves} {requested} {place}"
        );
    }
}

#[test]
fn stored_state_must_fit() {
    assert!(StackAccumulator::from_parts(3, vec![Hash32::ZERO]).is_err());
    assert!(StackAccumulator::from_parts(3, vec![Hash32::ZERO; 2]).is_ok());
}

proptest! {
    #[test]
    fn survives_storage_at_any_point(n in 0u64..200, cut in 0u64..200) {
        let all = messages(n);
        let cut = usize::try_from(cut.min(n)).unwrap();
        let mut accumulator = StackAccumulator::new();
        for message in &all[..cut] {
            accumulator.append(*message).unwrap();
        }
        let mut restored =
            StackAccumulator::from_parts(accumulator.messages(), accumulator.peaks().to_vec()).unwrap();
        for message in &all[cut..] {
            restored.append(*message).unwrap();
        }
        prop_assert_eq!(restored.root(), root_by_levels(&all));
    }
}
