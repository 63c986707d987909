//! What the parts of the autopilot share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::autopilot::AutopilotState;
use atoma_domain::journal::Failure;
use atoma_domain::ports::{AutopilotStore, Chain};
use atoma_domain::{IntentId, StackSmallId, TimestampMs};

use super::config::AutopilotConfig;
use super::estimates::Estimates;
use super::setbacks::{DutyKey, Setbacks};
use super::survey::Survey;
use crate::causes::internal;
use crate::changed::Changed;
use crate::use_cases::Operator;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) operator: Operator,
    pub(super) store: Arc<dyn AutopilotStore>,
    /// Waits where a Sui node limits requests.
    pub(super) chain: Arc<dyn Chain>,
    pub(super) config: AutopilotConfig,
    pub(super) estimates: Estimates,
    /// When it was made, by the daemon's clock.
    pub(super) began_at: TimestampMs,
    setbacks: Mutex<Setbacks>,
    latest: Mutex<Option<Arc<Survey>>>,
    /// Transactions whose outcomes nobody waits for any more.
    pending: Mutex<BTreeMap<IntentId, DutyKey>>,
    /// The disputes against the operator's nodes at the latest look, ascending.
    seen_disputes: Mutex<Vec<StackSmallId>>,
    /// That it has looked, or was paused or resumed.
    pub(super) changed: Changed,
    /// Up to which number a person knows of foreign uses of badges, in this process.
    pub(super) known_foreign_uses: AtomicU64,
    /// Whether a person knows that writes are stopped because of one.
    pub(super) is_stop_known: AtomicBool,
    /// One change of what is remembered at a time.
    remembering: tokio::sync::Mutex<()>,
}

impl Shared {
    pub(super) fn new(
        operator: Operator,
        store: Arc<dyn AutopilotStore>,
        chain: Arc<dyn Chain>,
        config: AutopilotConfig,
    ) -> Self {
        let began_at = operator.ports().clock.now();
        Self {
            operator,
            store,
            chain,
            config,
            estimates: Estimates::default(),
            began_at,
            setbacks: Mutex::default(),
            latest: Mutex::default(),
            pending: Mutex::default(),
            seen_disputes: Mutex::default(),
            changed: Changed::default(),
            known_foreign_uses: AtomicU64::new(0),
            is_stop_known: AtomicBool::new(false),
            remembering: tokio::sync::Mutex::default(),
        }
    }

    /// Changes what is remembered.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "`remembering` is held across calls of the database only"
    )]
    pub(super) async fn remember(
        &self,
        change: impl FnOnce(&mut AutopilotState) + Send,
    ) -> Result<AutopilotState, Failure> {
        let _alone = self.remembering.lock().await;
        let mut state = self.store.autopilot_state().await.map_err(internal)?;
        change(&mut state);
        self.store
            .set_autopilot_state(&state)
            .await
            .map_err(internal)?;
        self.changed.note();
        Ok(state)
    }

    /// The time that the process has seen pass.
    pub(super) fn elapsed(&self) -> Duration {
        self.operator.ports().clock.elapsed()
    }

    pub(super) fn setbacks(&self) -> MutexGuard<'_, Setbacks> {
        // Each entry is consistent by itself, even if a holder of the lock panicked.
        self.setbacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, BTreeMap<IntentId, DutyKey>> {
        // Each entry stands for itself.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seen_disputes(&self) -> MutexGuard<'_, Vec<StackSmallId>> {
        // It is assigned at once.
        self.seen_disputes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn latest(&self) -> MutexGuard<'_, Option<Arc<Survey>>> {
        // It is assigned at once.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
