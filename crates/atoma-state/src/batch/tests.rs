use atoma_domain::ports::StoreError;
use sqlx::{Connection, Row, SqliteConnection};

use super::*;

async fn database() -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let table = "CREATE TABLE numbers (number INTEGER, name TEXT)";
    connection.execute(table).await.unwrap();
    connection
}

async fn numbers(connection: &mut SqliteConnection) -> Vec<(i64, String)> {
    let all = sqlx::query_as("SELECT number, name FROM numbers ORDER BY number");
    all.fetch_all(connection).await.unwrap()
}

#[tokio::test]
async fn each_statement_has_its_own_placeholders_and_rows() {
    let mut connection = database().await;
    let mut batch = Batch::new();
    batch
        .statement("INSERT INTO numbers (number, name) VALUES ($1, $2), ($1 + 1, $2)")
        .bind(1)
        .bind("first")
        .changing(2)
        .statement("SELECT number, $1 FROM numbers WHERE name = $2 ORDER BY number DESC")
        .bind("seen")
        .bind("first")
        .statement("UPDATE numbers SET name = '$.path' WHERE number = $1 RETURNING name")
        .bind(2)
        .changing(1)
        .statement("SELECT 1 WHERE FALSE");
    let mut results = batch.query(&mut connection).await.unwrap();
    assert!(results.next().is_empty());
    let (selected, updated) = (results.next(), results.next());
    assert!(results.next().is_empty() && results.next().is_empty());
    let selected: Vec<(i64, String)> = selected
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    assert_eq!(
        selected,
        [(2, String::from("seen")), (1, String::from("seen"))]
    );
    assert_eq!(updated.len(), 1);
    assert_eq!(updated[0].get::<String, _>(0), "$.path");
    let expected = [(1, String::from("first")), (2, String::from("$.path"))];
    assert_eq!(numbers(&mut connection).await, expected);
}

/// What SQLite skips without a word would leave its caller with the rows of another statement.
#[tokio::test]
async fn a_statement_that_is_not_run_is_an_error() {
    let mut connection = database().await;
    let mut batch = Batch::new();
    batch.statement("SELECT 1").statement("-- nothing");
    let results = batch.query(&mut connection).await;
    assert!(
        matches!(results, Err(StoreError::Rejected(_))),
        "{results:?}"
    );
}

#[tokio::test]
async fn an_unplanned_number_of_rows_ends_the_batch() {
    let mut connection = database().await;
    for (inserted, planned) in [(1, 2), (1, 0), (0, 1)] {
        let mut transaction = connection.begin().await.unwrap();
        let mut batch = Batch::new();
        batch
            .statement("INSERT INTO numbers SELECT $1, '' WHERE $2 > 0")
            .bind(1)
            .bind(inserted)
            .changing(planned)
            .statement("INSERT INTO numbers VALUES (7, '')");
        let refused = batch.run(&mut transaction).await;
        let Err(StoreError::Rejected(source)) = refused else {
            panic!("{refused:?}");
        };
        assert!(source.to_string().starts_with(&format!("{inserted} rows")));
        transaction.rollback().await.unwrap();
        assert_eq!(numbers(&mut connection).await, []);
    }
}

#[test]
fn placeholders_go_on_after_those_before() {
    let mut copy = String::new();
    number_from(9, "a = $1 AND b = $12 AND c ->> '$.d' = $2", &mut copy);
    assert_eq!(copy, "a = $10 AND b = $21 AND c ->> '$.d' = $11");
}
