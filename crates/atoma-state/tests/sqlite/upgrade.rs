//! Databases of earlier versions of the daemon go on where they stand.

use atoma_domain::journal::IntentStatus;
use atoma_domain::ports::{Journal, ServedWork};

use crate::raw::Database;
use crate::suite::fixtures::*;
use crate::suite::journal::{aborted, attempt, new, status};

/// A settlement that is on its way while the daemon is replaced: its failure opens the record again.
#[tokio::test]
async fn what_closed_a_record_before_the_upgrade_opens_it_after() {
    let database = Database::new();
    let store = database.open().await;
    happen(&store, 1, vec![bought(1, 1, 10)]).await;
    store.record_message(&message(1, 1, 1)).await.unwrap();
    let opened = store.open(&[wish(1, settle(1))], None, at(1)).await;
    let id = new(opened.unwrap()[0].clone()).id;
    let sent = attempt(1, &[id]);
    store.record_attempt(&sent, None, at(2)).await.unwrap();
    store.close().await;
    // Back to the schema of before.
    database
        .run(
            "DROP VIEW attempt_steps; \
             DROP TRIGGER intents_close_their_record; \
             DROP TRIGGER intents_that_fail_open_their_record; \
             DROP INDEX attempts_by_conclusion; \
             CREATE INDEX attempts_by_conclusion ON attempts (concluded_at) \
             WHERE gas_used IS NOT NULL; \
             DELETE FROM _sqlx_migrations WHERE version = 8",
        )
        .await
        .unwrap();

    let store = database.open().await;
    assert!(store.record_message(&message(1, 2, 1)).await.is_err());
    assert_eq!(status(&store, id).await, IntentStatus::Submitted);
    let refused = concluded(sent.digest(), &aborted());
    store.conclude(&refused, at(3)).await.unwrap();
    assert_eq!(status(&store, id).await, IntentStatus::Failed);
    store.record_message(&message(1, 2, 1)).await.unwrap();
}
