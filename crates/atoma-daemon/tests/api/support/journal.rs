//! Helpers to watch the journal through the API, and to keep the network from executing.

use std::time::{Duration, Instant};

use atoma_localnet::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::process::PATIENCE;
use super::{Answer, TestWorld};

/// The pause between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The part of a transaction that lists show.
pub(crate) fn summary(mut transaction: Value) -> Value {
    let fields = transaction.as_object_mut().unwrap();
    for field in ["attempts", "gas_used", "gas_returned"] {
        assert!(fields.remove(field).is_some(), "`{field}` is missing");
    }
    transaction
}

impl TestWorld {
    /// Drops every submission until the faults are cleared, so that what is `submitted` stays so
    /// however long a test takes.
    pub(crate) fn hold_submissions(&self) {
        self.network.inject_fault(Fault {
            count: u64::MAX,
            ms: 0,
            ..Fault::once(FaultKind::ExecuteLostBefore)
        });
    }

    /// Posts a request in its own task.
    pub(crate) fn spawn_post(&self, path: &'static str, body: Value) -> JoinHandle<Answer> {
        let api = self.api.clone();
        tokio::spawn(async move { api.post(path, body).await })
    }

    /// Settles stacks in its own task.
    pub(crate) fn spawn_settle(&self, stacks: &[u64]) -> JoinHandle<Answer> {
        self.spawn_post("/try_settle_stack_ids", json!({"stack_small_ids": stacks}))
    }

    /// The journal's entries for a stack, newest first.
    pub(crate) async fn journal_entries(&self, stack: u64) -> Vec<Value> {
        let path = format!("/transactions?stack_small_id={stack}");
        self.list(&path).await
    }

    /// Polls a list until it is as wanted.
    pub(crate) async fn until_list(
        &self,
        path: &str,
        wanted: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let list = self.list(path).await;
            if wanted(&list) {
                return list;
            }
            assert!(Instant::now() < deadline, "{path}: {list:?}");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until a transaction is submitted.
    pub(crate) async fn until_submitted(&self) {
        let submitted = "/transactions?status=submitted";
        self.until_list(submitted, |list| !list.is_empty()).await;
    }

    /// Polls the journal's entries for a stack until they are as wanted.
    pub(crate) async fn until_entries(
        &self,
        stack: u64,
        wanted: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let path = format!("/transactions?stack_small_id={stack}");
        self.until_list(&path, wanted).await
    }

    /// The same for a stack with one entry.
    pub(crate) async fn until_entry(&self, stack: u64, wanted: impl Fn(&Value) -> bool) -> Value {
        let is_wanted = |entries: &[Value]| matches!(entries, [only] if wanted(only));
        self.until_entries(stack, is_wanted).await.remove(0)
    }

    /// The same for the status of that entry.
    pub(crate) async fn until_status(&self, stack: u64, status: &str) -> Value {
        self.until_entry(stack, |entry| entry["status"] == status)
            .await
    }

    /// Waits until the daemon is ready, with all earlier attempts resolved.
    pub(crate) async fn until_ready(&self) {
        let ready = async { while self.get("/ready").await.0 != 200 {} };
        tokio::time::timeout(PATIENCE, ready).await.unwrap();
    }

    /// Restarts the daemon with these settings, written as in the configuration file.
    pub(crate) async fn restart_with(&mut self, settings: &str) {
        self.stop().await;
        self.configure(settings);
        self.start_again().await;
    }

    /// Adds settings to the configuration for the next start.
    pub(crate) fn configure(&self, settings: &str) {
        super::configure(self.dir.path(), settings);
    }
}
