//! What the engine's own tests run on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use atoma_domain::ports::{
    Chain, ChainError, Clock, EventCursor, EventSource, LedgerStream, SignError, SignedTransaction,
    Signer, UnsignedTransaction,
};
use atoma_domain::{Address, TimestampMs};
use atoma_state::SqliteState;
use tokio_util::sync::CancellationToken;

use super::EngineConfig;
use super::abandoned::Abandoned;
use super::budget::Budgets;
use super::gas::GasPool;
use super::guard::{Guard, GuardConfig};
use super::lane::Shared;
use super::outcomes::Outcomes;
use crate::Ports;

/// What lanes share, over the given chain and an empty database in memory.
pub(super) async fn shared(chain: Arc<dyn Chain>) -> Shared {
    let state = SqliteState::open_temporary().await.expect("memory");
    let ports = Ports {
        chain,
        source: Arc::new(NoSource),
        signer: Arc::new(NoSigner),
        state: Arc::new(state.clone()),
        work: Arc::new(state.clone()),
        events: Arc::new(state.clone()),
        journal: Arc::new(state),
        clock: Arc::new(StoppedClock),
    };
    Shared {
        gas: GasPool::new(ports.signer.address()),
        ports,
        // No pauses: these tests count tries, not time.
        config: EngineConfig {
            backoff: Duration::ZERO,
            ..EngineConfig::default()
        },
        budgets: Budgets::default(),
        outcomes: Outcomes::default(),
        abandoned: Abandoned::default(),
        guard: Guard::new(GuardConfig::default()),
        stopping: CancellationToken::new(),
    }
}

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> TimestampMs {
        TimestampMs::new(1)
    }
}

#[derive(Debug)]
struct NoSigner;

#[async_trait]
impl Signer for NoSigner {
    fn address(&self) -> Address {
        Address::new([9; 32])
    }

    async fn sign(&self, _: UnsignedTransaction) -> Result<SignedTransaction, SignError> {
        Err(SignError::NoKey(self.address()))
    }
}

#[derive(Debug)]
struct NoSource;

#[async_trait]
impl EventSource for NoSource {
    async fn follow(&self, _: Option<EventCursor>) -> Result<Box<dyn LedgerStream>, ChainError> {
        Err(ChainError::Malformed { what: "everything" })
    }
}
