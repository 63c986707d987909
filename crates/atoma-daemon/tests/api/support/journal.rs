//! The journal as the API shows it, and a network on which nothing executes meanwhile.

use std::time::{Duration, Instant};

use atoma_localnet::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::process::PATIENCE;
use super::{Answer, TestWorld};

/// Between two looks at what takes seconds.
const LOOK: Duration = Duration::from_millis(5);

/// What lists show of a transaction, out of all that is shown of it alone.
pub(crate) fn summary(mut transaction: Value) -> Value {
    let fields = transaction.as_object_mut().unwrap();
    for field in ["attempts", "gas_used"] {
        assert!(fields.remove(field).is_some(), "`{field}` is missing");
    }
    transaction
}

impl TestWorld {
    /// Has nothing that is sent arrive until the faults are cleared: what is `submitted` stays so,
    /// however long a test takes.
    pub(crate) fn hold(&self) {
        self.network.inject_fault(Fault {
            kind: FaultKind::ExecuteLostBefore,
            count: u64::MAX,
            ms: 0,
        });
    }

    /// Posts a request that somebody else waits for.
    pub(crate) fn ask(&self, path: &'static str, body: Value) -> JoinHandle<Answer> {
        let api = self.api.clone();
        tokio::spawn(async move { api.post(path, body).await })
    }

    /// Has somebody else ask for stacks to be settled.
    pub(crate) fn ask_to_settle(&self, stacks: &[u64]) -> JoinHandle<Answer> {
        self.ask("/try_settle_stack_ids", json!({"stack_small_ids": stacks}))
    }

    /// The journal's entries about a stack, newest first.
    pub(crate) async fn journalled(&self, stack: u64) -> Vec<Value> {
        let path = format!("/transactions?stack_small_id={stack}");
        self.list(&path).await
    }

    /// Reads a list until it is as wanted.
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
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until some transaction may be with the network.
    pub(crate) async fn until_submitted(&self) {
        let submitted = "/transactions?status=submitted";
        self.until_list(submitted, |list| !list.is_empty()).await;
    }

    /// Asks the journal about a stack until its entries are as wanted.
    pub(crate) async fn until_entries(
        &self,
        stack: u64,
        wanted: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let path = format!("/transactions?stack_small_id={stack}");
        self.until_list(&path, wanted).await
    }

    /// The same for its only entry.
    pub(crate) async fn until(&self, stack: u64, wanted: impl Fn(&Value) -> bool) -> Value {
        let is_wanted = |entries: &[Value]| matches!(entries, [only] if wanted(only));
        self.until_entries(stack, is_wanted).await.remove(0)
    }

    /// The same for a status.
    pub(crate) async fn until_status(&self, stack: u64, status: &str) -> Value {
        self.until(stack, |entry| entry["status"] == status).await
    }

    /// Waits until the daemon is ready: what was on its way before its start is decided.
    pub(crate) async fn until_ready(&self) {
        let ready = async { while self.get("/ready").await.0 != 200 {} };
        tokio::time::timeout(PATIENCE, ready).await.unwrap();
    }

    /// Starts the daemon anew over a configuration with these settings, written as in the file.
    pub(crate) async fn restart_with(&mut self, settings: &str) {
        self.stop().await;
        self.configure(settings);
        self.go_on().await;
    }

    /// Adds settings to the configuration of the next start; tables replace those of their name.
    pub(crate) fn configure(&self, settings: &str) {
        let file = self.dir.path().join("daemon.toml");
        let mut config: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
        config.extend(settings.parse::<toml::Table>().unwrap());
        std::fs::write(&file, config.to_string()).unwrap();
    }
}
