//! What the parts of the autopilot share.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::autopilot::AutopilotState;
use atoma_domain::journal::Failure;
use atoma_domain::ports::{AutopilotStore, Chain};

use super::config::AutopilotConfig;
use super::estimates::Estimates;
use super::setbacks::Setbacks;
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
    setbacks: Mutex<Setbacks>,
    latest: Mutex<Option<Arc<Survey>>>,
    /// That it has looked, or was paused or resumed.
    pub(super) changed: Changed,
    /// Up to which number a person knows of foreign uses of badges, in this process.
    pub(super) known_foreign_uses: AtomicU64,
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
        Self {
            operator,
            store,
            chain,
            config,
            estimates: Estimates::default(),
            setbacks: Mutex::default(),
            latest: Mutex::default(),
            changed: Changed::default(),
            known_foreign_uses: AtomicU64::new(0),
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

    pub(super) fn latest(&self) -> MutexGuard<'_, Option<Arc<Survey>>> {
        // It is assigned at once.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
