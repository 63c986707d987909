//! Fixtures for tests of the engine and what runs beside it.

pub(crate) mod ledger;
pub(super) mod logged;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use atoma_domain::journal::{Action, Actor, GasOptions, Intent};
use atoma_domain::ports::{
    Chain, ChainError, Clock, EventCursor, EventSource, Journal, LedgerStream, SignError,
    SignedTransaction, Signer, UnsignedTransaction,
};
use atoma_domain::{Address, IntentId, NodeSmallId, StackSmallId, TimestampMs};
use atoma_state::SqliteState;
use tokio_util::sync::CancellationToken;

use super::EngineConfig;
use super::shared::Context;
use crate::Ports;

/// What the lanes share, over the given chain and an empty database in memory.
pub(super) async fn context(chain: Arc<dyn Chain>) -> Context {
    let ports = ports(chain).await;
    // No pauses: these tests count tries, not time.
    let config = EngineConfig {
        backoff: Duration::ZERO,
        ..EngineConfig::default()
    };
    Context::new(ports, config, CancellationToken::new())
}

/// Ports over the given chain and an empty database in memory.
pub(crate) async fn ports(chain: Arc<dyn Chain>) -> Ports {
    let state = SqliteState::open_temporary().await.expect("memory");
    ports_over(chain, state)
}

/// Ports over the given chain and database.
pub(super) fn ports_over(chain: Arc<dyn Chain>, state: SqliteState) -> Ports {
    let (source, signer, clock) = (
        Arc::new(NoSource),
        Arc::new(NoSigner),
        Arc::new(StoppedClock),
    );
    Ports::new(chain, source, signer, Arc::new(state), clock)
}

/// A journal without entries.
pub(super) async fn empty_journal() -> Arc<dyn Journal> {
    Arc::new(SqliteState::open_temporary().await.expect("memory"))
}

/// An intent to settle a stack; its number is the stack's.
pub(super) fn settle(id: u64) -> Intent {
    intent(
        id,
        Action::SettleStack {
            stack_small_id: StackSmallId::new(id),
            num_claimed_compute_units: None,
        },
    )
}

/// An intent to claim a stack; its number is the stack's.
pub(super) fn claim(id: u64) -> Intent {
    intent(
        id,
        Action::ClaimStack {
            stack_small_id: StackSmallId::new(id),
        },
    )
}

/// An intent to attest a settlement; its number is the stack's.
pub(super) fn attest(id: u64) -> Intent {
    intent(
        id,
        Action::AttestSettlement {
            stack_small_id: StackSmallId::new(id),
            allow_dispute: false,
        },
    )
}

fn intent(id: u64, action: Action) -> Intent {
    Intent {
        id: IntentId::new(id),
        action,
        actor: Actor::Node {
            node_small_id: NodeSmallId::new(1),
            node_badge_id: Address::new([7; 32]),
            address: Address::new([9; 32]),
        },
        gas: GasOptions::default(),
    }
}

/// A clock that stands at one millisecond.
#[derive(Debug)]
pub(super) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> TimestampMs {
        TimestampMs::new(1)
    }
}

/// A clock that tests set.
#[derive(Debug, Default)]
pub(crate) struct SetClock(AtomicU64);

impl SetClock {
    pub(crate) fn set(&self, now: TimestampMs) {
        self.0.store(now.get(), Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> TimestampMs {
        TimestampMs::new(self.0.load(Ordering::Relaxed))
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
