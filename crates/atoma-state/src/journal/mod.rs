//! The transaction journal, made durable.
//!
//! The schema's constraints and triggers refuse what the state machine does not allow. What they
//! refuse is looked up here, for errors that say what was wrong.

mod history;
mod obstacles;
mod opening;
mod requests;
mod rows;
mod steps;
mod transitions;

use async_trait::async_trait;
use atoma_domain::journal::{
    Attempt, AttemptRecord, Conclusion, Failure, IntentRecord, NewIntent, PlannedRequest, Recalled,
    RequestKey,
};
use atoma_domain::ports::{
    Journal, JournalFilter, JournalKey, Opened, Page, StoreError, UnfinishedIntent,
};
use atoma_domain::{Digest, IntentId, Mist, ObjectId, TimestampMs};
use sqlx::{QueryBuilder, Sqlite};

use crate::columns::{number, row_number};
use crate::store::{SqliteState, commit, unavailable};

/// Intents with the digest of their latest attempt that may have reached the network.
macro_rules! intents {
    ($rest:literal) => {
        concat!(
            "SELECT i.*, (SELECT a.digest FROM attempt_intents ai \
             JOIN attempts a ON a.id = ai.attempt \
             WHERE ai.intent = i.id AND a.status NOT IN ('dead', 'refused') \
             ORDER BY a.id DESC LIMIT 1) AS tx_digest FROM intents i ",
            $rest
        )
    };
}

#[async_trait]
impl Journal for SqliteState {
    async fn open(
        &self,
        intents: &[NewIntent],
        request: Option<&PlannedRequest>,
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        let mut transaction = self.write().await?;
        if let Some(request) = request
            && requests::recall(&mut transaction, &request.key, now).await? != request.expected()
        {
            return Err(StoreError::KnownRequest);
        }
        let opened = opening::open(&mut transaction, intents, now).await?;
        if let Some(request) = request {
            requests::remember(&mut transaction, request, &opened, now).await?;
        }
        commit(transaction).await?;
        Ok(opened)
    }

    async fn would_open(
        &self,
        intents: &[NewIntent],
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        let mut transaction = self.write().await?;
        let opened = opening::open(&mut transaction, intents, now).await?;
        transaction.rollback().await.map_err(unavailable)?;
        Ok(opened)
    }

    async fn recall(&self, key: &RequestKey, now: TimestampMs) -> Result<Recalled, StoreError> {
        let mut snapshot = self.snapshot().await?;
        requests::recall(&mut snapshot, key, now).await
    }

    async fn record_attempt(
        &self,
        attempt: &Attempt,
        previous: Option<&Conclusion>,
        now: TimestampMs,
    ) -> Result<(), StoreError> {
        steps::take(self, previous, Some(attempt), now).await
    }

    async fn conclude(&self, conclusion: &Conclusion, now: TimestampMs) -> Result<(), StoreError> {
        steps::take(self, Some(conclusion), None, now).await
    }

    async fn fail(
        &self,
        id: IntentId,
        failure: &Failure,
        now: TimestampMs,
    ) -> Result<(), StoreError> {
        transitions::fail(self, id, failure, now).await
    }

    async fn unfinished(&self) -> Result<Vec<UnfinishedIntent>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let rows = sqlx::query(
            "SELECT * FROM intents WHERE status IN ('queued', 'submitted') ORDER BY id",
        )
        .fetch_all(&mut *snapshot)
        .await
        .map_err(unavailable)?;
        let open = history::open(&mut snapshot).await?;
        rows.iter()
            .map(|row| {
                let intent = rows::intent(row)?;
                let attempt = open.get(&intent.id).cloned();
                Ok(UnfinishedIntent { intent, attempt })
            })
            .collect()
    }

    async fn last_use(&self, badge: ObjectId) -> Result<Option<Digest>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        history::last_use(&mut snapshot, badge).await
    }

    async fn gas_spent_since(&self, since: TimestampMs) -> Result<Mist, StoreError> {
        let mut snapshot = self.snapshot().await?;
        history::gas_spent_since(&mut snapshot, since).await
    }

    async fn find(&self, key: JournalKey) -> Result<Option<IntentRecord>, StoreError> {
        let query = match key {
            JournalKey::Id(id) => {
                sqlx::query(intents!("WHERE i.id = ?")).bind(row_number(id.get()))
            }
            JournalKey::Digest(digest) => sqlx::query(intents!(
                "JOIN attempt_intents carried ON carried.intent = i.id AND carried.place = 0 \
                 JOIN attempts sent ON sent.id = carried.attempt WHERE sent.digest = ?"
            ))
            .bind(digest.as_bytes().to_vec()),
        };
        let row = query
            .fetch_optional(&self.readers)
            .await
            .map_err(unavailable)?;
        row.as_ref().map(rows::record).transpose()
    }

    async fn attempts_of(&self, id: IntentId) -> Result<Vec<AttemptRecord>, StoreError> {
        history::attempts_of(&self.readers, id).await
    }

    async fn list(
        &self,
        filter: &JournalFilter,
        page: Page<IntentId>,
    ) -> Result<Vec<IntentRecord>, StoreError> {
        // No number is as large as the largest that SQLite can give out.
        let before = page.after.and_then(|id| row_number(id.get()));
        let mut query = QueryBuilder::<Sqlite>::new(intents!("WHERE i.id < "));
        query.push_bind(before.unwrap_or(i64::MAX));
        if let Some(kind) = filter.kind {
            query.push(" AND i.kind = ").push_bind(kind);
        }
        if let Some(status) = filter.status {
            query.push(" AND i.status = ").push_bind(status.as_str());
        }
        if let Some(node) = filter.node {
            query
                .push(" AND i.node_small_id = ")
                .push_bind(number(node.get()));
        }
        if let Some(stack) = filter.stack {
            query
                .push(" AND i.stack_small_id = ")
                .push_bind(number(stack.get()));
        }
        if let Some(digest) = filter.tx_digest {
            query
                .push(
                    " AND i.id IN (SELECT carried.intent FROM attempts sent JOIN attempt_intents \
                     carried ON carried.attempt = sent.id WHERE sent.digest = ",
                )
                .push_bind(digest.as_bytes().to_vec())
                .push(")");
        }
        query
            .push(" ORDER BY i.id DESC LIMIT ")
            .push_bind(page.limit);
        let rows = query
            .build()
            .fetch_all(&self.readers)
            .await
            .map_err(unavailable)?;
        rows.iter().map(rows::record).collect()
    }
}

#[cfg(test)]
mod tests;
