//! Calls of the Sui node.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    GasCoin, ObjectOnChain, SignedTransaction, SimulatedGas, Simulation, SubmitError,
    SuiNodeReport, TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, ObjectId, ObjectReference, TimestampMs,
};
use prometheus::{Error, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use tokio::time::Instant;
use tracing::{Instrument as _, debug_span, field};

/// From a node in the same rack to one that hangs.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// The calls, by the question that they ask. One can take several requests.
const CALLS: [&str; 13] = [
    "absence",
    "badges",
    "checkpoint_time",
    "consumption",
    "epoch",
    "execute",
    "gas_coins",
    "height",
    "identity",
    "lookup",
    "object",
    "simulate",
    "view",
];
const OK: &str = "ok";
const ERROR: &str = "error";

#[derive(Clone, Debug)]
pub(crate) struct ChainMetrics {
    calls: IntCounterVec,
    durations: HistogramVec,
}

impl ChainMetrics {
    pub(crate) fn registered(registry: &Registry) -> Result<Self, Error> {
        let metrics = Self {
            calls: IntCounterVec::new(
                Opts::new(
                    "atoma_sui_calls_total",
                    "Calls of the Sui node, without the event stream. An error is one of the connection or the \
                     node, or a refused transaction.",
                ),
                &["call", "outcome"],
            )?,
            durations: HistogramVec::new(
                HistogramOpts::new(
                    "atoma_sui_call_duration_seconds",
                    "How long calls of the Sui node took.",
                )
                .buckets(BUCKETS.into()),
                &["call"],
            )?,
        };
        // A series that appears with its first error hides that error from `rate`.
        for call in CALLS {
            for outcome in [OK, ERROR] {
                metrics.calls.with_label_values(&[call, outcome]);
            }
        }
        registry.register(Box::new(metrics.calls.clone()))?;
        registry.register(Box::new(metrics.durations.clone()))?;
        Ok(metrics)
    }

    async fn of<T, E>(&self, call: &str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let span = debug_span!(
            "sui",
            otel.name = %format_args!("sui {call}"),
            otel.kind = "client",
            otel.status_code = field::Empty,
        );
        let begun = Instant::now();
        let result = work.instrument(span.clone()).await;
        if result.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        let outcome = if result.is_ok() { OK } else { ERROR };
        self.ended(call, outcome, begun.elapsed());
        result
    }

    fn ended(&self, call: &str, outcome: &str, duration: Duration) {
        self.calls.with_label_values(&[call, outcome]).inc();
        self.durations
            .with_label_values(&[call])
            .observe(duration.as_secs_f64());
    }

    /// Counts a call, for the page about all metrics.
    pub(crate) fn count_example(&self) {
        self.ended("height", OK, Duration::ZERO);
    }
}

/// A chain whose calls are counted and timed. One that its caller gives up is not.
#[derive(Debug)]
pub(crate) struct MeteredChain {
    inner: Arc<dyn Chain>,
    metrics: ChainMetrics,
}

impl MeteredChain {
    /// Counts the calls of `inner`.
    pub(crate) const fn new(inner: Arc<dyn Chain>, metrics: ChainMetrics) -> Self {
        Self { inner, metrics }
    }
}

#[async_trait]
impl Chain for MeteredChain {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        self.metrics.of("identity", self.inner.identity()).await
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        self.metrics.of("height", self.inner.height()).await
    }

    async fn checkpoint_time(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<TimestampMs, ChainError> {
        let work = self.inner.checkpoint_time(checkpoint);
        self.metrics.of("checkpoint_time", work).await
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        self.metrics.of("epoch", self.inner.epoch()).await
    }

    async fn badges(&self, owner: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        self.metrics.of("badges", self.inner.badges(owner)).await
    }

    async fn gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError> {
        let work = self.inner.gas_coins(owner);
        self.metrics.of("gas_coins", work).await
    }

    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError> {
        self.metrics.of("object", self.inner.object(id)).await
    }

    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError> {
        self.metrics.of("view", self.inner.view(query)).await
    }

    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        self.inner.build(plan)
    }

    async fn simulate(
        &self,
        transaction: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        let work = self.inner.simulate(transaction, gas);
        self.metrics.of("simulate", work).await
    }

    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError> {
        let work = self.inner.execute(transaction);
        self.metrics.of("execute", work).await
    }

    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError> {
        self.metrics.of("lookup", self.inner.lookup(digest)).await
    }

    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        let work = self.inner.consumption(versions);
        self.metrics.of("consumption", work).await
    }

    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError> {
        let work = self.inner.is_absent(digest, epoch, until);
        self.metrics.of("absence", work).await
    }

    fn expect_chain(&self, chain: Digest) -> Result<(), ChainError> {
        self.inner.expect_chain(chain)
    }

    fn through_one_node(&self) -> Option<Arc<dyn Chain>> {
        let inner = self.inner.through_one_node()?;
        Some(Arc::new(Self::new(inner, self.metrics.clone())))
    }

    fn sui_nodes(&self) -> Vec<SuiNodeReport> {
        self.inner.sui_nodes()
    }
}
