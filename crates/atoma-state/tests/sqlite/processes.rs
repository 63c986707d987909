//! Several processes on one database, and one that is killed. Each child is this test binary again, with one test
//! that only it runs.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use atoma_domain::model::NewMessage;
use atoma_domain::ports::{ReserveError, ServedWork, StateReader};
use atoma_state::{Access, SqliteState, StateOptions};
use tokio::task::JoinSet;

use crate::raw::Database;
use crate::suite::fixtures::*;

/// Names the database of a child.
const DATABASE: &str = "ATOMA_STATE_CHILD_DATABASE";
/// Calls of a child that wait at the same time.
const AT_ONCE: u64 = 16;

fn child(test: &str, database: &Database) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(DATABASE, database.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The numbers that a child prints, each in a line with this word.
fn numbers(child: &mut Child, word: &'static str) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(move |line| {
        let (_, number) = line.rsplit_once(word)?;
        number.trim().parse().ok()
    })
}

async fn opened_by_child() -> SqliteState {
    let path = std::env::var(DATABASE).unwrap();
    let options = StateOptions {
        access: Access::Existing,
        ..StateOptions::default()
    };
    SqliteState::open(path, options).await.unwrap()
}

#[tokio::test]
#[ignore = "a child of the test below"]
async fn child_reserves() {
    let store = opened_by_child().await;
    let mut services = JoinSet::new();
    for _ in 0..AT_ONCE {
        let store = store.clone();
        services.spawn(async move {
            let mut won = 0_u64;
            for _ in 0..20 {
                match store.reserve_units(&reservation(1, 3), at(1)).await {
                    Ok(_) => won += 1,
                    Err(ReserveError::Insufficient { .. }) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            won
        });
    }
    let won: u64 = services.join_all().await.into_iter().sum();
    println!("\nwon {won}");
    store.close().await;
}

/// Exactly as many reservations win as fit, from whichever process.
#[tokio::test]
async fn reservations_of_several_processes_never_exceed_the_stack() {
    const SIZE: u64 = 1_000;
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, SIZE)]).await;
    let mut children: Vec<Child> = (0..3)
        .map(|_| child("processes::child_reserves", &database))
        .collect();
    let mut won = 0;
    for child in &mut children {
        won += numbers(child, "won ").sum::<u64>();
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(won, SIZE / 3);
    let shown = store.stacks_by_id(&[stack(1)]).await.unwrap();
    assert_eq!(shown[0].reserved_units(at(1)), units(won * 3));
}

/// A message with an id of its own.
fn named(number: u64) -> NewMessage {
    NewMessage {
        id: Some(format!("m-{number}").parse().unwrap()),
        ..message(1, number, 1)
    }
}

#[tokio::test]
#[ignore = "a child of the test below"]
async fn child_records_until_it_is_killed() {
    let store = opened_by_child().await;
    let mut services = JoinSet::new();
    for service in 0..AT_ONCE {
        let store = store.clone();
        services.spawn(async move {
            let mut number = service;
            loop {
                store.record_message(&named(number)).await.unwrap();
                println!("\nrecorded {number}");
                number += AT_ONCE;
            }
        });
    }
    services.join_all().await;
}

/// What was acknowledged is there after `kill -9`, and the record is whole.
#[tokio::test]
async fn a_killed_process_has_recorded_what_it_acknowledged() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, u64::MAX)]).await;
    store.close().await;
    for acknowledged_before in [1, 100, 1_000] {
        let mut child = child("processes::child_records_until_it_is_killed", &database);
        let mut acknowledged = Vec::new();
        let mut lines = numbers(&mut child, "recorded ");
        for number in lines.by_ref().take(acknowledged_before) {
            acknowledged.push(number);
        }
        child.kill().unwrap();
        // What it had printed before it was killed.
        acknowledged.extend(lines);
        child.wait().unwrap();

        let store = database.open().await;
        assert!(acknowledged.len() >= acknowledged_before);
        for number in acknowledged {
            let again = store.record_message(&named(number)).await.unwrap();
            assert!(again.is_repetition, "{number}");
        }
        let record = store.work_record(stack(1), node(1)).await.unwrap().unwrap();
        let raw = database.raw().await;
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM recorded_messages")
            .fetch_one(&raw)
            .await
            .unwrap();
        raw.close().await;
        assert_eq!(u64::try_from(rows), Ok(record.accumulator.messages()));
        assert_eq!(record.computed_units, units(record.accumulator.messages()));
        assert_eq!(store.find_damage().await.unwrap(), None);
        store.close().await;
    }
}
