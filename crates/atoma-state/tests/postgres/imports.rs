//! What is read of the earlier node's PostgreSQL database.

use atoma_domain::ports::ServedWork;
use atoma_domain::with_causes;
use atoma_state::SqliteState;
use atoma_state::import::{EarlierDatabase, EarlierRecords, ImportError, NotTaken, judge, take};

use crate::earlier::{Dialect, EarlierStack};
use crate::server::{Server, run};
use crate::suite::fixtures::*;

const POSTGRES: Dialect = Dialect::Postgres;

fn source(url: &str) -> EarlierDatabase {
    url.parse().unwrap()
}

async fn read(server: &Server, database: &str) -> EarlierRecords {
    source(&server.url(database)).read().await.unwrap()
}

fn statements(stacks: &[EarlierStack]) -> String {
    let stacks = stacks.iter().map(|stack| stack.statements(POSTGRES));
    POSTGRES.table() + &stacks.collect::<String>()
}

/// A mirror with stacks of node 1 of these sizes.
async fn mirror(sizes: &[(u64, u64)]) -> SqliteState {
    let store = SqliteState::open_temporary().await.unwrap();
    let mut events = vec![registered(1), task_registered(1)];
    events.extend(sizes.iter().map(|(id, size)| bought(*id, 1, *size)));
    apply_events(&store, 1, events).await;
    store
}

/// The number of messages of each stack that is taken, and why others aren't.
async fn judged(
    store: &SqliteState,
    records: &EarlierRecords,
) -> Vec<(i64, Result<u64, NotTaken>)> {
    let judged = judge(store, records).await.unwrap();
    judged
        .into_iter()
        .map(|stack| {
            let verdict = stack.verdict.map(|work| work.num_total_messages);
            (stack.stack_small_id, verdict)
        })
        .collect()
}

#[tokio::test]
async fn records_of_the_second_generation_are_taken() {
    let Some(server) = Server::start().await else {
        return;
    };
    let most = u64::try_from(i64::MAX).unwrap();
    let first_twice = |stack| EarlierStack {
        counts_first_twice: true,
        ..stack
    };
    let stacks = [
        EarlierStack::new(1, 100, 60, 0..5),
        first_twice(EarlierStack::new(2, 100, 60, 0..5)),
        first_twice(EarlierStack::new(3, 100, 60, [])),
        EarlierStack::new(4, 100, -1, 0..5),
        EarlierStack::new(5, i64::MIN, 5, 0..5),
        EarlierStack {
            is_settled: true,
            ..EarlierStack::new(6, 100, 60, 0..5)
        },
        EarlierStack::new(7, 100, 60, 0..5),
        EarlierStack::new(most, i64::MAX, i64::MAX, 0..5),
    ];
    let lost = "UPDATE stacks SET num_total_messages = 7 WHERE stack_small_id = 7";
    server.create("node", &(statements(&stacks) + lost)).await;
    let sizes = [1, 2, 3, 4, 6, 7].map(|id| (id, 100));
    let sizes = [&sizes[..], &[(5, most + 1), (most, most)]].concat();
    let store = mirror(&sizes).await;
    let records = read(&server, "node").await;
    let negative = |column, value| Err(NotTaken::Negative { column, value });
    let hashes_dont_fit = NotTaken::HashesDontFit {
        bytes: 160,
        messages: 7,
    };
    let units_alone = NotTaken::UnitsWithoutMessages { units: units(60) };
    let expected = [
        (1, Ok(5)),
        (2, Ok(5)),
        (3, Err(units_alone)),
        (4, negative("already_computed_units", -1)),
        (5, negative("num_compute_units", i64::MIN)),
        (6, Err(NotTaken::MirrorBehind)),
        (7, Err(hashes_dont_fit)),
        (i64::MAX, Ok(5)),
    ];
    assert_eq!(judged(&store, &records).await, expected);
    take(&store, &records, at(7)).await.unwrap();
    let recorded = mirror(&[(1, 100)]).await;
    for number in 0..5 {
        recorded
            .record_message(&message(1, number, 12))
            .await
            .unwrap();
    }
    let record = async |store: &SqliteState, id| {
        let record = store.work_record(stack(id), node(1)).await.unwrap();
        let record = record.unwrap();
        (record.accumulator, record.computed_units)
    };
    assert_eq!(record(&store, 1).await, record(&recorded, 1).await);
    assert_eq!(record(&store, 2).await, record(&recorded, 1).await);
    assert_eq!(record(&store, most).await.1, units(most));

    // Columns that came later, and a claim that the mirror has not reached.
    let later = "ALTER TABLE stacks ADD COLUMN is_claimed BOOLEAN NOT NULL DEFAULT FALSE, \
                 ADD COLUMN user_refund_amount INTEGER, \
                 ADD COLUMN is_confidential BOOLEAN NOT NULL DEFAULT FALSE, \
                 ADD COLUMN is_locked_for_claim BOOLEAN NOT NULL DEFAULT TRUE; \
                 DELETE FROM stacks WHERE stack_small_id > 2; \
                 UPDATE stacks SET is_claimed = TRUE WHERE stack_small_id = 2";
    server.run("node", later).await;
    let store = mirror(&[(1, 100), (2, 100)]).await;
    let expected = [(1, Ok(5)), (2, Err(NotTaken::MirrorBehind))];
    assert_eq!(judged(&store, &read(&server, "node").await).await, expected);
    server
        .run("node", "ALTER TABLE stacks DROP COLUMN total_hash")
        .await;
    let refused = source(&server.url("node")).read().await.unwrap_err();
    assert!(
        matches!(refused, ImportError::NoHashes { .. }),
        "{refused:?}"
    );
    let refused = source(&server.url("postgres")).read().await.unwrap_err();
    assert!(
        matches!(refused, ImportError::Foreign { .. }),
        "{refused:?}"
    );
}

/// The reading needs no right to write, waits for no writer, and sees nothing half.
#[tokio::test]
async fn a_database_in_use_is_read_without_a_change() {
    let Some(server) = Server::start().await else {
        return;
    };
    server
        .create("node", &statements(&[EarlierStack::new(1, 100, 60, 0..5)]))
        .await;
    let mut writing = server.connect("node").await;
    run(&mut writing, "BEGIN; LOCK TABLE stacks IN EXCLUSIVE MODE").await;
    run(
        &mut writing,
        &EarlierStack::new(2, 100, 60, 0..5).statements(POSTGRES),
    )
    .await;
    run(
        &mut writing,
        "UPDATE stacks SET already_computed_units = 61",
    )
    .await;
    let store = mirror(&[(1, 100), (2, 100)]).await;
    let counted = async || {
        let judged = judge(&store, &read(&server, "node").await).await.unwrap();
        let units = |work: atoma_state::import::TakenWork| work.already_computed_units.get();
        judged
            .into_iter()
            .map(|stack| stack.verdict.map(units).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(counted().await, [60]);
    run(&mut writing, "COMMIT").await;
    assert_eq!(counted().await, [61, 61]);
    let written = "SELECT pg_stat_force_next_flush()";
    run(&mut writing, written).await;
    // What wrote: the server counts rows for each table, and those of a transaction that is read only stay as they are.
    let changes: i64 = sqlx::query_scalar(
        "SELECT n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables WHERE relname = 'stacks'",
    )
    .fetch_one(&mut writing)
    .await
    .unwrap();
    // Two stacks with five messages each, and one more change of both.
    assert_eq!(changes, 2 + 10 + 2);
    let reader = "CREATE ROLE reader LOGIN PASSWORD 'reading'; GRANT SELECT ON stacks TO reader";
    run(&mut writing, reader).await;
    let url = server
        .url_with("node", "reading")
        .replace("//atoma:", "//reader:");
    source(&url).read().await.unwrap();
}

#[tokio::test]
async fn a_refused_password_is_told_without_it() {
    let Some(server) = Server::start().await else {
        return;
    };
    let url = server.url_with("node", "wr0ng%2Fsecret");
    let refused = source(&url).read().await.unwrap_err();
    let said = format!("{} {refused:?}", with_causes(&refused));
    assert!(said.contains("password authentication failed"), "{said}");
    assert!(!said.contains("wr0ng"), "{said}");
}
