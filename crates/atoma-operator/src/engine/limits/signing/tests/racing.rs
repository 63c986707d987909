//! Two lanes that reach the cap at the same time.

use async_trait::async_trait;
use atoma_domain::journal::{
    Attempt, AttemptRecord, Conclusion, IntentRecord, NewIntent, PlannedRequest, Recalled,
    RequestKey,
};
use atoma_domain::ports::{JournalFilter, JournalKey, Opened, Page, UnfinishedIntent};
use atoma_domain::{Digest, IntentId, ObjectId};

use super::*;

/// A journal that concludes the attempt of a reservation just after it was read.
#[derive(Debug)]
struct ConcludedMeanwhile(Mutex<Option<Reservation>>);

#[tokio::test]
async fn gas_that_is_journalled_meanwhile_still_counts() {
    let limits = Limits::new(LimitsConfig {
        daily_gas_cap: Some(Mist::new(100)),
        ..LimitsConfig::default()
    });
    let other = limits.reserve_signed(Mist::new(60));
    let journal = ConcludedMeanwhile(Mutex::new(Some(other)));
    let reserved = limits.reserve(Mist::new(60), &journal, &StoppedClock).await;
    assert!(!reserved.unwrap().unwrap_err().is_final);
    // What it cost is in the journal from now on; here it cost nothing.
    let reserved = limits.reserve(Mist::new(60), &journal, &StoppedClock).await;
    reserved.unwrap().unwrap();
}

#[async_trait]
impl Journal for ConcludedMeanwhile {
    async fn gas_spent_since(&self, _: TimestampMs) -> Result<Mist, StoreError> {
        drop(self.0.lock().unwrap().take());
        Ok(Mist::ZERO)
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

    async fn unfinished(&self) -> Result<Vec<UnfinishedIntent>, StoreError> {
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
