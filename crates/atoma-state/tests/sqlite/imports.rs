//! Records of the earlier node's SQLite database.

use std::path::{Path, PathBuf};

use atoma_domain::model::WorkRecord;
use atoma_domain::ports::{Journal, ServedWork, StateReader};
use atoma_domain::{ComputeUnits, Hash32};
use atoma_state::import::{ImportError, JudgedStack, NotTaken, TakenWork, judge, take};
use atoma_state::{Access, SqliteState, StateOptions};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteJournalMode;

use crate::earlier::EarlierStack;
use crate::earlier_file::{Earlier, SQLITE, run};
use crate::raw::Database;
use crate::suite::fixtures::*;

/// A mirror with node 1 of the operator, node 2 of somebody else, and stacks of 100 units of node 1.
async fn mirror(stacks: u64) -> (Database, SqliteState) {
    let database = Database::new();
    let store = database.open().await;
    let mut events = vec![registered(1), task_registered(1)];
    events.extend((1..=stacks).map(|id| bought(id, 1, 100)));
    apply_events(&store, 1, events).await;
    (database, store)
}

async fn record_of(store: &SqliteState, id: u64) -> Option<WorkRecord> {
    store.work_record(stack(id), node(1)).await.unwrap()
}

fn taken(judged: &[JudgedStack]) -> Vec<(i64, u64, u64)> {
    let work = |judged: &JudgedStack| {
        let work: TakenWork = *judged.verdict.as_ref().ok()?;
        assert_eq!(work.node_small_id, node(1));
        let units = work.already_computed_units.get();
        Some((judged.stack_small_id, work.num_total_messages, units))
    };
    judged.iter().filter_map(work).collect()
}

fn refusals(judged: &[JudgedStack]) -> Vec<(i64, NotTaken)> {
    let refusal =
        |judged: &JudgedStack| Some((judged.stack_small_id, judged.verdict.clone().err()?));
    judged.iter().filter_map(refusal).collect()
}

/// The record is as if each message had been recorded here, and goes on with the next one.
#[tokio::test]
async fn a_stack_goes_on_where_the_earlier_node_left_it() {
    let earlier = Earlier::with(&[EarlierStack::new(1, 100, 60, 0..5)]).await;
    let (_here, store) = mirror(1).await;
    let (_beside, recorded) = mirror(1).await;
    for number in 0..5 {
        let units = if number == 0 { 56 } else { 1 };
        recorded
            .record_message(&message(1, number, units))
            .await
            .unwrap();
    }
    let judged = take(&store, &earlier.read().await, at(7)).await.unwrap();
    assert_eq!(taken(&judged), [(1, 5, 60)]);
    assert_eq!(record_of(&store, 1).await, record_of(&recorded, 1).await);
    for store in [&store, &recorded] {
        let fills = store.stacks_by_id(&[stack(1)]).await.unwrap();
        assert_eq!(fills[0].already_computed_units, units(60));
        let next = store.record_message(&message(1, 5, 50)).await.unwrap();
        assert_eq!(next.num_total_messages, 6);
        assert_eq!(next.num_uncovered_units, units(10));
    }
    assert_eq!(record_of(&store, 1).await, record_of(&recorded, 1).await);
    let root = judged[0].verdict.as_ref().unwrap().merkle_root;
    assert_ne!(
        record_of(&store, 1).await.unwrap().accumulator.root(),
        Some(root)
    );
}

#[tokio::test]
async fn judging_changes_nothing_and_a_second_run_takes_nothing_again() {
    let stacks = [1, 2].map(|id| EarlierStack::new(id, 100, 10, id..id + 3));
    let earlier = Earlier::with(&stacks).await;
    let (here, store) = mirror(2).await;
    let before = here.dump().await;
    let records = earlier.read().await;
    let options = StateOptions {
        access: Access::ReadOnly,
        ..StateOptions::default()
    };
    let reading = SqliteState::open(here.path(), options).await.unwrap();
    let judged = judge(&reading, &records).await.unwrap();
    assert_eq!(judged, judge(&store, &records).await.unwrap());
    reading.close().await;
    assert_eq!(here.dump().await, before);
    assert_eq!(take(&store, &records, at(7)).await.unwrap(), judged);
    assert_eq!(taken(&judged).len(), 2);

    let after = here.dump().await;
    let again = take(&store, &records, at(7)).await.unwrap();
    let expected = [1, 2].map(|id| (id, NotTaken::TakenBefore));
    assert_eq!(refusals(&again), expected);
    assert_eq!(here.dump().await, after);
}

/// Each stack for itself: what is wrong with one keeps no other back.
#[tokio::test]
async fn a_stack_that_can_not_be_taken_says_why() {
    let (_here, store) = mirror(12).await;
    // Of another operator; in settlement; claimed.
    let events = vec![bought(13, 2, 100), settled(2, 1, &[]), stack_claimed(3, 1)];
    apply_events(&store, 2, events).await;
    // Served here before the import; in a transaction; reserved.
    store.record_message(&message(4, 0, 1)).await.unwrap();
    store.record_message(&message(5, 0, 1)).await.unwrap();
    let settling = [new_intent(1, settle(5))];
    store.open(&settling, None, at(5)).await.unwrap();
    reserve(&store, 6, 90).await;
    let mut stacks: Vec<_> = (1..=12)
        .chain([98, 99])
        .map(|id| EarlierStack::new(id, 100, 20, 0..2))
        .collect();
    stacks[6].computed = 101;
    stacks[7].is_settled = true;
    stacks[8].size = 101;
    stacks[9].node = 2;
    stacks.push(EarlierStack {
        node: 2,
        ..EarlierStack::new(13, 100, 20, 0..2)
    });
    let closed = stacks.iter_mut().find(|stack| stack.id == 98);
    closed.unwrap().is_settled = true;
    let earlier = Earlier::with(&stacks).await;
    let foreign = address(7);
    earlier
        .run(&format!(
            "UPDATE stacks SET owner_address = '{foreign}' WHERE stack_small_id = 11; \
             UPDATE stacks SET stack_id = '{}' WHERE stack_small_id = 12",
            object(77)
        ))
        .await;
    let records = earlier.read().await;
    let judged = judge(&store, &records).await.unwrap();
    // Of the overfull one, what the stack has.
    assert_eq!(taken(&judged), [(1, 2, 20), (7, 2, 100)]);
    let overfull = judged.iter().find(|stack| stack.stack_small_id == 7);
    let overfull = overfull.unwrap().verdict.as_ref().unwrap();
    assert_eq!(overfull.num_uncovered_units, units(1));
    let other_stack = |column| NotTaken::OtherStack { column };
    let expected = [
        (2, NotTaken::InSettlement),
        (3, NotTaken::Claimed),
        (4, NotTaken::HasMessages { messages: 1 }),
        (5, NotTaken::InTransaction),
        (
            6,
            NotTaken::Reserved {
                units: units(20),
                free: units(10),
            },
        ),
        (8, NotTaken::MirrorBehind),
        (9, other_stack("num_compute_units")),
        (10, other_stack("selected_node_id")),
        (11, other_stack("owner_address")),
        (12, other_stack("stack_id")),
        (13, NotTaken::OtherNode { node: node(2) }),
        (98, NotTaken::ClosedBefore),
        (99, NotTaken::UnknownStack),
    ];
    assert_eq!(refusals(&judged), expected);
    assert_eq!(take(&store, &records, at(7)).await.unwrap(), judged);
}

/// The largest numbers that the earlier node could store, and those of the chain that it could not.
#[tokio::test]
async fn numbers_are_stored_exactly() {
    let most = u64::try_from(i64::MAX).unwrap();
    let database = Database::new();
    let store = database.open().await;
    let events = vec![
        registered(1),
        bought(most, 1, most),
        bought(1, 1, most + 1),
        bought(2, 1, u64::MAX),
        bought(3, 1, 0),
    ];
    apply_events(&store, 1, events).await;
    let earlier = Earlier::with(&[
        EarlierStack::new(most, i64::MAX, i64::MAX, 0..3),
        EarlierStack::new(1, i64::MIN, 5, 0..3),
        EarlierStack::new(2, -1, 5, 0..3),
        EarlierStack::new(3, 0, 0, 0..3),
        EarlierStack::new(4, 100, -5, 0..3),
    ])
    .await;
    let judged = take(&store, &earlier.read().await, at(7)).await.unwrap();
    assert_eq!(taken(&judged), [(3, 3, 0), (i64::MAX, 3, most)]);
    let negative = |column, value| NotTaken::Negative { column, value };
    let expected = [
        (1, negative("num_compute_units", i64::MIN)),
        (2, negative("num_compute_units", -1)),
        (4, negative("already_computed_units", -5)),
    ];
    assert_eq!(refusals(&judged), expected);
    let record = record_of(&store, most).await.unwrap();
    assert_eq!(record.computed_units, ComputeUnits::new(most));
}

/// `||` makes a text of the hashes, with any bytes in it. A BLOB, as other tools may have left it, is the same.
#[tokio::test]
async fn hashes_are_bytes_whatever_sqlite_calls_them() {
    let earlier = Earlier::with(&[EarlierStack::new(1, 100, 1, 0..40)]).await;
    let mut connection = earlier.connection(SqliteJournalMode::Delete).await;
    let stored: (String, i64) =
        sqlx::query_as("SELECT typeof(total_hash), octet_length(total_hash) FROM stacks")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(stored, (String::from("text"), 40 * 32));
    let zeros =
        "UPDATE stacks SET total_hash = total_hash || zeroblob(32), num_total_messages = 41";
    run(&mut connection, zeros).await;
    let as_text = read_root(&earlier).await;
    run(
        &mut connection,
        "UPDATE stacks SET total_hash = CAST(total_hash AS BLOB)",
    )
    .await;
    assert_eq!(read_root(&earlier).await, as_text);
    let cut = "UPDATE stacks SET total_hash = 7, num_total_messages = 0";
    run(&mut connection, cut).await;
    let (_here, store) = mirror(1).await;
    let judged = judge(&store, &earlier.read().await).await.unwrap();
    let column = "total_hash";
    assert_eq!(refusals(&judged), [(1, NotTaken::Unreadable { column })]);
}

async fn read_root(earlier: &Earlier) -> Hash32 {
    let (_here, store) = mirror(1).await;
    let judged = judge(&store, &earlier.read().await).await.unwrap();
    let work = judged[0].verdict.clone().unwrap();
    assert_eq!(work.num_total_messages, 41);
    work.merkle_root
}

/// A value that is too long is never read.
#[tokio::test]
async fn hashes_of_more_messages_than_anybody_serves_are_not_read() {
    let earlier = Earlier::with(&[EarlierStack::new(1, 100, 1, 0..2)]).await;
    let (limit, bytes) = (64 * 1024 * 1024, 64 * 1024 * 1024 + 32);
    let long = format!(
        "UPDATE stacks SET total_hash = zeroblob({bytes}), num_total_messages = {bytes} / 32"
    );
    earlier.run(&long).await;
    let (_here, store) = mirror(1).await;
    let judged = judge(&store, &earlier.read().await).await.unwrap();
    let refusal = NotTaken::TooManyHashes { bytes, limit };
    assert_eq!(refusals(&judged), [(1, refusal)]);
}

/// What is of another type is refused, and nothing is guessed.
#[tokio::test]
async fn a_value_of_another_type_is_not_taken() {
    let earlier = Earlier::with(&[]).await;
    let (_here, store) = mirror(1).await;
    for (column, value) in [
        ("num_compute_units", "'100 units'"),
        ("already_computed_units", "1.5"),
        ("num_total_messages", "x'03'"),
        ("selected_node_id", "'one'"),
        ("owner_address", "x'00'"),
        ("stack_id", "'0x1 '"),
    ] {
        let stack = EarlierStack::new(1, 100, 1, 0..3).statements(SQLITE);
        let change = format!("DELETE FROM stacks; {stack} UPDATE stacks SET {column} = {value}");
        earlier.run(&change).await;
        let judged = judge(&store, &earlier.read().await).await.unwrap();
        assert_eq!(refusals(&judged), [(1, NotTaken::Unreadable { column })]);
    }
}

#[tokio::test]
async fn reading_changes_no_file_whoever_has_it_open() {
    let stack = EarlierStack::new(1, 100, 1, 0..3);
    let earlier = Earlier::with(&[stack]).await;
    let at_rest = earlier.files();
    assert_eq!(at_rest.len(), 1);
    earlier.read().await;
    assert_eq!(earlier.files(), at_rest);

    // With write-ahead logging, while another program has it open. Only the log has the second stack.
    let mut open = earlier.connection(SqliteJournalMode::Wal).await;
    run(
        &mut open,
        &EarlierStack::new(2, 100, 1, 0..3).statements(SQLITE),
    )
    .await;
    let without_index = |files: Vec<(PathBuf, Vec<u8>)>| -> Vec<(PathBuf, Vec<u8>)> {
        let is_index = |path: &Path| path.extension().unwrap() == "db-shm";
        files
            .into_iter()
            .filter(|(path, _)| !is_index(path))
            .collect()
    };
    let in_use = without_index(earlier.files());
    assert_eq!(in_use.len(), 2);
    let (_here, store) = mirror(2).await;
    let judged = judge(&store, &earlier.read().await).await.unwrap();
    assert_eq!(taken(&judged).len(), 2);
    assert_eq!(without_index(earlier.files()), in_use);
    open.close().await.unwrap();

    // The same at rest: nobody has it open, and there is no log.
    let at_rest = earlier.files();
    assert_eq!(at_rest.len(), 1);
    let judged = judge(&store, &earlier.read().await).await.unwrap();
    assert_eq!(taken(&judged).len(), 2);
    assert_eq!(earlier.files(), at_rest);
}

/// SQLite would have to write before it can read. The operator does that, and not the import.
#[tokio::test]
async fn a_database_with_half_a_write_is_refused() {
    let earlier = Earlier::with(&[EarlierStack::new(1, 100, 1, 0..3)]).await;
    let mut open = earlier.connection(SqliteJournalMode::Delete).await;
    let half = "PRAGMA cache_size = 5; BEGIN IMMEDIATE; UPDATE stacks SET already_computed_units = 2; \
                CREATE TABLE more AS WITH RECURSIVE rows(n) AS \
                (SELECT 1 UNION ALL SELECT n + 1 FROM rows WHERE n < 2000) \
                SELECT n, randomblob(500) AS content FROM rows";
    run(&mut open, half).await;
    let crashed = Earlier {
        folder: tempfile::tempdir().unwrap(),
    };
    for (path, content) in earlier.files() {
        let name = path.file_name().unwrap();
        std::fs::write(crashed.folder.path().join(name), content).unwrap();
    }
    let files = crashed.files();
    assert_eq!(files.len(), 2);
    let refused = crashed.try_read().await.unwrap_err();
    assert!(
        matches!(refused, ImportError::Interrupted { .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("sqlite3"), "{refused}");
    assert_eq!(crashed.files(), files);
    // What the advice does.
    crashed.run("SELECT count(*) FROM stacks").await;
    let (_here, store) = mirror(1).await;
    let judged = judge(&store, &crashed.read().await).await.unwrap();
    assert_eq!(taken(&judged), [(1, 3, 1)]);
}

#[tokio::test]
async fn what_is_no_database_of_the_earlier_node_is_refused() {
    let earlier = Earlier::with(&[]).await;
    let says = async |statements: &str| {
        earlier.run(statements).await;
        earlier.try_read().await.unwrap_err().to_string()
    };
    let said = says("ALTER TABLE stacks DROP COLUMN total_hash").await;
    assert!(said.contains("kept no hashes"), "{said}");
    let said = says("ALTER TABLE stacks DROP COLUMN owner_address").await;
    assert!(said.contains("`owner_address`"), "{said}");
    let said = says("DROP TABLE stacks").await;
    assert!(said.contains("no table `stacks`"), "{said}");
    std::fs::write(
        earlier.path(),
        "no database, but a text that is long enough",
    )
    .unwrap();
    assert!(earlier.try_read().await.is_err());
    std::fs::remove_file(earlier.path()).unwrap();
    let refused = earlier.try_read().await.unwrap_err();
    assert!(
        matches!(refused, ImportError::Missing { .. }),
        "{refused:?}"
    );
    assert!(earlier.files().is_empty());
}

/// A trigger makes the last stack fail. The ones before it are not taken either, and all are later.
#[tokio::test]
async fn an_import_that_fails_takes_nothing() {
    let stacks = [1, 2, 3].map(|id| EarlierStack::new(id, 100, 10, 0..3));
    let earlier = Earlier::with(&stacks).await;
    let (here, store) = mirror(3).await;
    let before = here.dump().await;
    let failing = "CREATE TRIGGER failing BEFORE INSERT ON work_records \
                   WHEN NEW.stack_small_id = x'0000000000000003' \
                   BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END";
    here.run(failing).await.unwrap();
    let records = earlier.read().await;
    assert!(take(&store, &records, at(7)).await.is_err());
    assert_eq!(here.dump().await, before);
    here.run("DROP TRIGGER failing").await.unwrap();
    assert_eq!(
        taken(&take(&store, &records, at(7)).await.unwrap()).len(),
        3
    );
}
