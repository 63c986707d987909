//! The transaction journal.
//!
//! Each transition of the domain's state machine has a file: [`open`](open::open),
//! [`record`](record::Recording), [`conclude`](conclude::Concluding) and [`fail`](fail::decide). It runs in
//! a transaction that holds the write lock: it reads the rows that matter in one batch, decides by the
//! domain's rules and writes in another batch. An outcome and the next attempt share both batches. The
//! schema's triggers decide nothing: they refuse what these functions never write.

mod conclude;
mod fail;
mod freeze;
mod open;
mod preconditions;
mod queries;
mod record;
mod request_keys;
mod rows;
mod upkeep;

use async_trait::async_trait;
use atoma_domain::journal::{
    Attempt, AttemptRecord, Conclusion, Failure, IntentRecord, NewIntent, PlannedRequest, Recalled,
    RequestKey,
};
use atoma_domain::ports::{
    GasSpent, Journal, JournalFilter, JournalKey, Opened, Page, Stock, StoreError,
};
use atoma_domain::{Digest, IntentId, ObjectId, TimestampMs};

use sqlx::SqliteConnection;

use crate::batch::Batch;
use crate::store::SqliteState;
use conclude::Concluding;
use record::Recording;

#[async_trait]
impl Journal for SqliteState {
    async fn open(
        &self,
        intents: &[NewIntent],
        request: Option<&PlannedRequest>,
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        let mut transaction = self.write().await?;
        let opened = match request {
            Some(request) => {
                self.open_once(&mut transaction, intents, request, now)
                    .await
            }
            None => open::open(&mut transaction, intents, now).await,
        };
        transaction.end(opened).await
    }

    async fn would_open(
        &self,
        intents: &[NewIntent],
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        let mut transaction = self.write().await?;
        let opened = open::open(&mut transaction, intents, now).await;
        transaction.undo(opened).await
    }

    async fn recall(&self, key: &RequestKey, now: TimestampMs) -> Result<Recalled, StoreError> {
        let mut snapshot = self.snapshot().await?;
        request_keys::recall(&mut snapshot, key, &self.key_clock, now).await
    }

    async fn record_attempt(
        &self,
        attempt: &Attempt,
        previous: Option<&Conclusion>,
        now: TimestampMs,
    ) -> Result<(), StoreError> {
        let recording = Recording::new(attempt)?;
        let mut reads = Batch::new();
        if let Some(previous) = previous {
            Concluding::select(&mut reads, previous);
        }
        recording.select(&mut reads);
        let (transaction, mut rows) = self.write_with(reads).await?;
        let decide = || {
            let previous = previous
                .map(|previous| Concluding::decide(&mut rows, previous))
                .transpose()?;
            recording.check(&mut rows, previous.as_ref())?;
            let mut writes = Batch::new();
            if let Some(previous) = previous {
                previous.write(&mut writes, now)?;
            }
            recording.write(&mut writes, now);
            Ok(writes)
        };
        transaction.end_with(decide()).await
    }

    async fn conclude(&self, conclusion: &Conclusion, now: TimestampMs) -> Result<(), StoreError> {
        let mut reads = Batch::new();
        Concluding::select(&mut reads, conclusion);
        let (transaction, mut rows) = self.write_with(reads).await?;
        let mut decide = || {
            let concluding = Concluding::decide(&mut rows, conclusion)?;
            let mut writes = Batch::new();
            concluding.write(&mut writes, now)?;
            Ok(writes)
        };
        transaction.end_with(decide()).await
    }

    async fn fail(
        &self,
        id: IntentId,
        failure: &Failure,
        now: TimestampMs,
    ) -> Result<(), StoreError> {
        let mut reads = Batch::new();
        fail::select(&mut reads, id);
        let (transaction, mut rows) = self.write_with(reads).await?;
        let decided = fail::decide(&mut rows, id, failure, now);
        transaction.end_with(decided).await
    }

    async fn take_stock(&self) -> Result<Stock, StoreError> {
        let mut snapshot = self.snapshot().await?;
        queries::take_stock(&mut snapshot).await
    }

    async fn unreadable(&self) -> Result<Vec<String>, StoreError> {
        queries::unreadable(&self.lists).await
    }

    async fn last_use(&self, badge: ObjectId) -> Result<Option<Digest>, StoreError> {
        queries::last_use(&self.readers, badge).await
    }

    async fn knows_use(&self, badge: ObjectId, digest: Digest) -> Result<bool, StoreError> {
        queries::knows_use(&self.readers, badge, digest).await
    }

    async fn acknowledge_use(&self, badge: ObjectId, digest: Digest) -> Result<(), StoreError> {
        let transaction = self.write().await?;
        let mut writes = Batch::new();
        writes
            .statement(
                "INSERT INTO acknowledged_uses (badge, digest) VALUES ($1, $2) \
                 ON CONFLICT (badge) DO UPDATE SET digest = excluded.digest",
            )
            .bind(badge.as_bytes().to_vec())
            .bind(digest.as_bytes().to_vec());
        transaction.commit_with(writes).await
    }

    async fn recent_gas_coins(&self) -> Result<Vec<ObjectId>, StoreError> {
        queries::recent_gas_coins(&self.readers).await
    }

    async fn gas_spent(
        &self,
        since: TimestampMs,
        now: TimestampMs,
    ) -> Result<Vec<GasSpent>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        queries::gas_spent(&mut snapshot, since, now).await
    }

    async fn find(&self, key: JournalKey) -> Result<Option<IntentRecord>, StoreError> {
        queries::find(&self.readers, key).await
    }

    async fn attempts_of(&self, id: IntentId) -> Result<Vec<AttemptRecord>, StoreError> {
        queries::attempts_of(&self.readers, id).await
    }

    async fn list(
        &self,
        filter: &JournalFilter,
        page: Page<IntentId>,
    ) -> Result<Vec<IntentRecord>, StoreError> {
        queries::list(&self.lists, filter, page).await
    }
}

impl SqliteState {
    /// Opens the intents of a request and remembers them under its key, unless the key is known.
    async fn open_once(
        &self,
        connection: &mut SqliteConnection,
        intents: &[NewIntent],
        request: &PlannedRequest,
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        let clock = &self.key_clock;
        let recalled = request_keys::recall(connection, &request.key, clock, now).await?;
        if recalled != request.expected() {
            return Err(StoreError::KnownRequest);
        }
        let opened = open::open(connection, intents, now).await?;
        request_keys::remember(connection, request, &opened, clock, now).await?;
        Ok(opened)
    }
}

#[cfg(test)]
mod tests;
