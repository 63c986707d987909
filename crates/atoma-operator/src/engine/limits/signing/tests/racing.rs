//! Lanes that reach the cap at the same time, and how often the journal is read for it.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use atoma_domain::journal::{
    Attempt, AttemptRecord, Conclusion, IntentRecord, NewIntent, PlannedRequest, Recalled,
    RequestKey,
};
use atoma_domain::ports::{GasSpent, JournalFilter, JournalKey, Opened, Page, Stock};
use atoma_domain::{Digest, IntentId, ObjectId};

use super::*;

/// A journal that counts how often what was spent is read.
#[derive(Debug, Default)]
struct CountedReads(AtomicUsize);

fn capped() -> Arc<Limits> {
    Limits::new(LimitsConfig {
        daily_gas_cap: Some(Mist::new(100)),
        ..LimitsConfig::default()
    })
}

async fn reserve(limits: &Limits, journal: &CountedReads) -> Result<Reservation, CapReached> {
    let reserved = limits.reserve(Mist::new(60), journal, &StoppedClock);
    reserved.await.unwrap()
}

/// What a transaction has spent counts from the moment that its budget does not.
#[tokio::test]
async fn of_two_lanes_near_the_cap_one_signs_and_the_other_waits() {
    let (limits, journal) = (capped(), CountedReads::default());
    let (first, second) = tokio::join!(reserve(&limits, &journal), reserve(&limits, &journal));
    let (Ok(first), Err(refused)) = (first, second) else {
        panic!("both or neither");
    };
    assert!(!refused.is_final);
    first.spend(Mist::new(41), Duration::from_millis(1));
    assert!(reserve(&limits, &journal).await.unwrap_err().is_final);
}

#[tokio::test]
async fn the_journal_is_read_once() {
    let (limits, journal) = (capped(), CountedReads::default());
    for _ in 0..10 {
        reserve(&limits, &journal)
            .await
            .unwrap()
            .spend(Mist::new(1), Duration::from_millis(1));
        limits.status(&journal, &StoppedClock).await.unwrap();
    }
    let status = limits.status(&journal, &StoppedClock).await.unwrap();
    assert_eq!((status.spent, status.reserved), (Mist::new(10), Mist::ZERO));
    assert_eq!(journal.0.load(Ordering::Relaxed), 1);
}

#[async_trait]
impl Journal for CountedReads {
    async fn knows_use(&self, _: ObjectId, _: Digest) -> Result<bool, StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn acknowledge_use(&self, _: ObjectId, _: Digest) -> Result<(), StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn unreadable(&self) -> Result<Vec<String>, StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn recent_gas_coins(&self) -> Result<Vec<ObjectId>, StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn gas_spent(&self, _: TimestampMs, _: TimestampMs) -> Result<Vec<GasSpent>, StoreError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        // The other lane goes on meanwhile.
        tokio::task::yield_now().await;
        Ok(Vec::new())
    }

    async fn open(
        &self,
        _: &[NewIntent],
        _: Option<&PlannedRequest>,
        _: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn would_open(&self, _: &[NewIntent], _: TimestampMs) -> Result<Vec<Opened>, StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn recall(&self, _: &RequestKey, _: TimestampMs) -> Result<Recalled, StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn attempts_of(&self, _: IntentId) -> Result<Vec<AttemptRecord>, StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn record_attempt(
        &self,
        _: &Attempt,
        _: Option<&Conclusion>,
        _: TimestampMs,
    ) -> Result<(), StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn conclude(&self, _: &Conclusion, _: TimestampMs) -> Result<(), StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn fail(&self, _: IntentId, _: &Failure, _: TimestampMs) -> Result<(), StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn take_stock(&self) -> Result<Stock, StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn last_use(&self, _: ObjectId) -> Result<Option<Digest>, StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn find(&self, _: JournalKey) -> Result<Option<IntentRecord>, StoreError> {
        unreachable!("the cap needs what was spent")
    }

    async fn list(
        &self,
        _: &JournalFilter,
        _: Page<IntentId>,
    ) -> Result<Vec<IntentRecord>, StoreError> {
        unreachable!("the cap needs what was spent")
    }
}
