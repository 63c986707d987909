//! Ports that note how long they are at work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use atoma_domain::journal::{
    Attempt, AttemptRecord, Conclusion, Failure, IntentRecord, NewIntent, PlannedRequest, Recalled,
    RequestKey,
};
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    GasCoin, GasSpent, Journal, JournalFilter, JournalKey, ObjectOnChain, Opened, Page, SignError,
    SignedTransaction, Signer, SimulatedGas, Simulation, Stock, StoreError, SubmitError,
    TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, IntentId, ObjectId, ObjectReference, TimestampMs,
};
use atoma_operator::Ports;

/// How long each kind of work took, all in all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Arc<Mutex<BTreeMap<&'static str, (Duration, u32)>>>);

impl Times {
    /// The same ports, noting their time here.
    pub(crate) fn over(&self, ports: &Ports) -> Ports {
        Ports {
            journal: Arc::new(Timed(Arc::clone(&ports.journal), self.clone())),
            chain: Arc::new(Timed(Arc::clone(&ports.chain), self.clone())),
            signer: Arc::new(Timed(Arc::clone(&ports.signer), self.clone())),
            ..ports.clone()
        }
    }

    /// Each kind of work with its share of `whole`, and how often it was done; what overlaps counts
    /// for each.
    pub(crate) fn shares(&self, whole: Duration) -> String {
        let times = self.0.lock().unwrap();
        let shares: Vec<String> = times
            .iter()
            .map(|(work, (time, count))| format!("{work} {} ({count})", percent(*time, whole)))
            .collect();
        shares.join(", ")
    }

    /// How long the journal was at work.
    pub(crate) fn journal(&self) -> Duration {
        let times = self.0.lock().unwrap();
        times.get(JOURNAL).map_or(Duration::ZERO, |(time, _)| *time)
    }

    fn note(&self, work: &'static str, begun: Instant) {
        let mut times = self.0.lock().unwrap();
        let (time, count) = times.entry(work).or_default();
        *time += begun.elapsed();
        *count += 1;
    }

    async fn of<T>(&self, work: &'static str, done: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let result = done.await;
        self.note(work, begun);
        result
    }
}

/// A part of a whole, in percent.
pub(crate) fn percent(part: Duration, whole: Duration) -> String {
    format!("{:.0} %", 100.0 * part.as_secs_f64() / whole.as_secs_f64())
}

#[derive(Debug)]
struct Timed<P: ?Sized>(Arc<P>, Times);

/// SQLite and its `fsync`: one is told from the other by a run without the latter.
const JOURNAL: &str = "journal";
const READ: &str = "reading over RPC";
const EXECUTE: &str = "executing over RPC";

#[async_trait]
impl Journal for Timed<dyn Journal> {
    async fn open(
        &self,
        intents: &[NewIntent],
        request: Option<&PlannedRequest>,
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        self.1.of(JOURNAL, self.0.open(intents, request, now)).await
    }

    async fn would_open(
        &self,
        intents: &[NewIntent],
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        self.1.of(JOURNAL, self.0.would_open(intents, now)).await
    }

    async fn recall(&self, key: &RequestKey, now: TimestampMs) -> Result<Recalled, StoreError> {
        self.1.of(JOURNAL, self.0.recall(key, now)).await
    }

    async fn record_attempt(
        &self,
        attempt: &Attempt,
        previous: Option<&Conclusion>,
        now: TimestampMs,
    ) -> Result<(), StoreError> {
        self.1
            .of(JOURNAL, self.0.record_attempt(attempt, previous, now))
            .await
    }

    async fn conclude(&self, conclusion: &Conclusion, now: TimestampMs) -> Result<(), StoreError> {
        self.1.of(JOURNAL, self.0.conclude(conclusion, now)).await
    }

    async fn fail(
        &self,
        id: IntentId,
        failure: &Failure,
        now: TimestampMs,
    ) -> Result<(), StoreError> {
        self.1.of(JOURNAL, self.0.fail(id, failure, now)).await
    }

    async fn take_stock(&self) -> Result<Stock, StoreError> {
        self.1.of(JOURNAL, self.0.take_stock()).await
    }

    async fn last_use(&self, badge: ObjectId) -> Result<Option<Digest>, StoreError> {
        self.1.of(JOURNAL, self.0.last_use(badge)).await
    }

    async fn knows_use(&self, badge: ObjectId, digest: Digest) -> Result<bool, StoreError> {
        self.1.of(JOURNAL, self.0.knows_use(badge, digest)).await
    }

    async fn acknowledge_use(&self, badge: ObjectId, digest: Digest) -> Result<(), StoreError> {
        self.1
            .of(JOURNAL, self.0.acknowledge_use(badge, digest))
            .await
    }

    async fn unreadable(&self) -> Result<Vec<String>, StoreError> {
        self.1.of(JOURNAL, self.0.unreadable()).await
    }

    async fn recent_gas_coins(&self) -> Result<Vec<ObjectId>, StoreError> {
        self.1.of(JOURNAL, self.0.recent_gas_coins()).await
    }

    async fn gas_spent(
        &self,
        since: TimestampMs,
        now: TimestampMs,
    ) -> Result<Vec<GasSpent>, StoreError> {
        self.1.of(JOURNAL, self.0.gas_spent(since, now)).await
    }

    async fn find(&self, key: JournalKey) -> Result<Option<IntentRecord>, StoreError> {
        self.1.of(JOURNAL, self.0.find(key)).await
    }

    async fn attempts_of(&self, id: IntentId) -> Result<Vec<AttemptRecord>, StoreError> {
        self.1.of(JOURNAL, self.0.attempts_of(id)).await
    }

    async fn list(
        &self,
        filter: &JournalFilter,
        page: Page<IntentId>,
    ) -> Result<Vec<IntentRecord>, StoreError> {
        self.1.of(JOURNAL, self.0.list(filter, page)).await
    }
}

#[async_trait]
impl Chain for Timed<dyn Chain> {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        self.1.of(READ, self.0.identity()).await
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        self.1.of(READ, self.0.height()).await
    }

    async fn checkpoint_time(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<TimestampMs, ChainError> {
        self.1.of(READ, self.0.checkpoint_time(checkpoint)).await
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        self.1.of(READ, self.0.epoch()).await
    }

    async fn badges(&self, owner: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        self.1.of(READ, self.0.badges(owner)).await
    }

    async fn gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError> {
        self.1.of(READ, self.0.gas_coins(owner)).await
    }

    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError> {
        self.1.of(READ, self.0.object(id)).await
    }

    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError> {
        self.1.of(READ, self.0.view(query)).await
    }

    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        let begun = Instant::now();
        let built = self.0.build(plan);
        self.1.note("encoding", begun);
        built
    }

    async fn simulate(
        &self,
        transaction: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        self.1.of(READ, self.0.simulate(transaction, gas)).await
    }

    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError> {
        self.1.of(EXECUTE, self.0.execute(transaction)).await
    }

    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError> {
        self.1.of(READ, self.0.lookup(digest)).await
    }

    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        self.1.of(READ, self.0.consumption(versions)).await
    }

    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError> {
        self.1
            .of(READ, self.0.is_absent(digest, epoch, until))
            .await
    }
}

#[async_trait]
impl Signer for Timed<dyn Signer> {
    fn address(&self) -> Address {
        self.0.address()
    }

    async fn sign(&self, transaction: UnsignedTransaction) -> Result<SignedTransaction, SignError> {
        self.1.of("signing", self.0.sign(transaction)).await
    }
}
