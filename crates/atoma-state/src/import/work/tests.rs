use super::*;

const ID: &str = "0x00000000000000000000000000000000000000000000000000000000000000a1";

fn message(number: u64) -> Hash32 {
    Hash32::of(&[&number.to_le_bytes()])
}

/// A row with so many messages.
fn row(messages: u64) -> EarlierRow {
    let hashes: Vec<u8> = (0..messages)
        .flat_map(|number| *message(number).as_bytes())
        .collect();
    EarlierRow {
        stack_small_id: 7,
        owner_address: Some(ID.to_owned()),
        stack_id: Some(ID.to_owned()),
        task_small_id: Some(1),
        selected_node_id: Some(2),
        num_compute_units: Some(100),
        already_computed_units: Some(60),
        is_closed: false,
        num_total_messages: i64::try_from(messages).ok(),
        hash_bytes: i64::try_from(hashes.len()).ok(),
        total_hash: Some(hashes),
    }
}

fn refused(row: &EarlierRow, counting: Counting) -> NotTaken {
    EarlierWork::of(row, counting).unwrap_err()
}

/// The record is the one that recording the same hashes one by one gives.
#[test]
fn the_hashes_are_messages_in_order() {
    for messages in [1, 2, 3, 7, 64, 300] {
        let mut recorded = StackAccumulator::new();
        for number in 0..messages {
            recorded.append(message(number)).unwrap();
        }
        let work = EarlierWork::of(&row(messages), Counting::Exact).unwrap();
        assert_eq!(work.accumulator, recorded);
        assert_eq!(work.computed, ComputeUnits::new(60));
    }
}

#[test]
fn the_length_of_the_hashes_is_that_of_the_messages() {
    let counted = |row: EarlierRow, messages: i64| EarlierRow {
        num_total_messages: Some(messages),
        ..row
    };
    let exact = Counting::Exact;
    for (messages, hashes) in [(0, 1), (2, 1), (1, 2), (i64::MAX, 1)] {
        let row = counted(row(hashes), messages);
        let expected = NotTaken::HashesDontFit {
            bytes: hashes * 32,
            messages: u64::try_from(messages).unwrap(),
        };
        assert_eq!(refused(&row, exact), expected);
    }
    // A stack that was stored for its first request counts that one twice, with or without a later hash.
    let twice = Counting::FirstTwice;
    let work = EarlierWork::of(&counted(row(3), 4), twice).unwrap();
    assert_eq!(work.accumulator.messages(), 3);
    assert!(EarlierWork::of(&counted(row(3), 3), twice).is_ok());
    for messages in [2, 5, i64::MAX] {
        let row = counted(row(3), messages);
        assert!(matches!(
            refused(&row, twice),
            NotTaken::HashesDontFit { .. }
        ));
    }
    // Half a hash.
    let mut half = row(2);
    half.total_hash.as_mut().unwrap().pop();
    half.hash_bytes = Some(63);
    let expected = NotTaken::HashesDontFit {
        bytes: 63,
        messages: 2,
    };
    assert_eq!(refused(&half, exact), expected);
}

#[test]
fn what_was_not_read_because_of_its_length_is_told() {
    let long = EarlierRow {
        hash_bytes: Some(i64::MAX),
        total_hash: None,
        ..row(1)
    };
    let expected = NotTaken::TooManyHashes {
        bytes: u64::try_from(i64::MAX).unwrap(),
        limit: 64 * 1024 * 1024,
    };
    assert_eq!(refused(&long, Counting::Exact), expected);
    let missing = EarlierRow {
        hash_bytes: None,
        total_hash: None,
        ..row(1)
    };
    let expected = NotTaken::Unreadable {
        column: "total_hash",
    };
    assert_eq!(refused(&missing, Counting::Exact), expected);
}

#[test]
fn a_stack_without_messages_has_nothing_to_settle_from() {
    let unserved = EarlierRow {
        already_computed_units: Some(0),
        ..row(0)
    };
    assert_eq!(refused(&unserved, Counting::Exact), NotTaken::Empty);
    let units = ComputeUnits::new(60);
    let expected = NotTaken::UnitsWithoutMessages { units };
    assert_eq!(refused(&row(0), Counting::Exact), expected);
}

type Column = fn(&mut EarlierRow) -> &mut Option<i64>;

/// Each number, by the name of its column.
const NUMBERS: [(&str, Column); 5] = [
    ("task_small_id", |row| &mut row.task_small_id),
    ("selected_node_id", |row| &mut row.selected_node_id),
    ("num_compute_units", |row| &mut row.num_compute_units),
    ("already_computed_units", |row| {
        &mut row.already_computed_units
    }),
    ("num_total_messages", |row| &mut row.num_total_messages),
];

/// 2^63 and more turned negative when the earlier node stored them, and so did a difference that should not have been.
/// Nobody can tell them apart.
#[test]
fn numbers_are_taken_exactly_or_not_at_all() {
    for (column, get) in NUMBERS {
        for value in [-1, i64::MIN] {
            let mut row = row(1);
            *get(&mut row) = Some(value);
            let expected = NotTaken::Negative { column, value };
            assert_eq!(refused(&row, Counting::Exact), expected);
        }
        let mut row = row(1);
        *get(&mut row) = None;
        let expected = NotTaken::Unreadable { column };
        assert_eq!(refused(&row, Counting::Exact), expected);
    }
    let largest = EarlierRow {
        stack_small_id: i64::MAX,
        num_compute_units: Some(i64::MAX),
        already_computed_units: Some(i64::MAX),
        ..row(1)
    };
    let work = EarlierWork::of(&largest, Counting::Exact).unwrap();
    let most = u64::try_from(i64::MAX).unwrap();
    assert_eq!(work.stack.get(), most);
    assert_eq!((work.size.get(), work.computed.get()), (most, most));
    let negative = EarlierRow {
        stack_small_id: -7,
        ..row(1)
    };
    let expected = NotTaken::Negative {
        column: "stack_small_id",
        value: -7,
    };
    assert_eq!(refused(&negative, Counting::Exact), expected);
}

#[test]
fn ids_are_hexadecimal() {
    for text in [None, Some(String::new()), Some(String::from("0xnothing"))] {
        let row = EarlierRow {
            stack_id: text.clone(),
            ..row(1)
        };
        let expected = NotTaken::Unreadable { column: "stack_id" };
        assert_eq!(refused(&row, Counting::Exact), expected, "{text:?}");
    }
}
