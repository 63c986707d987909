//! The autopilot: it looks at what the operator's nodes have to do, and does what is due by the use cases.
//!
//! The decisions are the domain's ([`atoma_domain::autopilot`]). Here, `survey.rs` gathers the facts and asks for them, with
//! `estimates.rs`; `errands.rs` sends what is due through the use cases, with `setbacks.rs` for what failed; `watch.rs` pauses
//! it, with `pause_file.rs`; `run.rs` is the loop. All of it can be stepped.

mod config;
mod errands;
mod estimates;
mod figures;
mod pause_file;
mod run;
mod setbacks;
mod survey;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoma_domain::StackSmallId;
use atoma_domain::autopilot::{AutopilotState, Duty, Pause, PauseReason, PauseScope};
use atoma_domain::journal::Failure;
use atoma_domain::ports::{AutopilotStore, Chain};

use crate::causes::internal;
use crate::use_cases::Operator;
use estimates::Estimates;
use setbacks::Setbacks;

pub use config::{AutopilotConfig, AutopilotMode};
pub use figures::AutopilotFigures;
pub use run::AutopilotRun;
pub use survey::Survey;

/// The autopilot of an operator's nodes: how it stands, and its switch. Clones share their state. [`AutopilotRun`] does the
/// work.
#[derive(Clone, Debug)]
pub struct Autopilot(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    operator: Operator,
    store: Arc<dyn AutopilotStore>,
    /// Waits where a Sui node limits requests.
    chain: Arc<dyn Chain>,
    config: AutopilotConfig,
    estimates: tokio::sync::Mutex<Estimates>,
    setbacks: Mutex<Setbacks>,
    latest: Mutex<Option<Arc<Survey>>>,
    /// One change of what is remembered at a time.
    remembering: tokio::sync::Mutex<()>,
}

/// How the autopilot stands.
#[derive(Clone, Debug)]
pub struct AutopilotStatus {
    /// Whether it acts.
    pub mode: AutopilotMode,
    /// Why it is paused, if it is.
    pub pause: Option<Pause>,
    /// The file that pauses it while it exists.
    pub pause_file: Option<std::path::PathBuf>,
    /// What it saw last; `None` before its first look.
    pub latest: Option<Arc<Survey>>,
    /// How many duties have failed within the policy's window.
    pub recent_failures: u32,
}

impl Autopilot {
    /// An autopilot that acts by these use cases. `chain` is what it reads epochs and prices from.
    pub fn new(
        operator: Operator,
        store: Arc<dyn AutopilotStore>,
        chain: Arc<dyn Chain>,
        config: AutopilotConfig,
    ) -> Self {
        Self(Arc::new(Shared {
            operator: operator.requiring_start(),
            store,
            chain,
            config,
            estimates: tokio::sync::Mutex::default(),
            setbacks: Mutex::default(),
            latest: Mutex::default(),
            remembering: tokio::sync::Mutex::default(),
        }))
    }

    /// Its settings.
    pub fn config(&self) -> &AutopilotConfig {
        &self.0.config
    }

    /// What it does, or would do, now.
    ///
    /// # Errors
    /// When the chain or the database can't be read.
    pub async fn survey(&self) -> Result<Survey, Failure> {
        self.0.survey(None).await
    }

    /// What it has to do about a stack; empty if nothing: it is paid, unknown, or of somebody else.
    ///
    /// # Errors
    /// When the chain or the database can't be read.
    pub async fn explain(&self, stack: StackSmallId) -> Result<Vec<Duty>, Failure> {
        Ok(self.0.survey(Some(stack)).await?.duties)
    }

    /// How it stands.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn status(&self) -> Result<AutopilotStatus, Failure> {
        let shared = &self.0;
        let state = shared.store.autopilot_state().await.map_err(internal)?;
        let window = shared.config.policy.watch.failure_window;
        Ok(AutopilotStatus {
            mode: shared.config.mode,
            pause: shared.pause(&state).await,
            pause_file: shared.config.pause_file.clone(),
            latest: shared.latest().clone(),
            recent_failures: shared.setbacks().within(window, shared.elapsed()),
        })
    }

    /// Pauses it, until somebody resumes it. A pause is stored, so it outlasts restarts, and it replaces an earlier one.
    ///
    /// # Errors
    /// [`Failure::InvalidRequest`] for a note longer than [`PauseReason::MAX_NOTE`] bytes, and when the database can't be
    /// written.
    pub async fn pause(&self, scope: PauseScope, note: Option<String>) -> Result<(), Failure> {
        if note
            .as_ref()
            .is_some_and(|note| note.len() > PauseReason::MAX_NOTE)
        {
            return Err(Failure::InvalidRequest {
                message: format!("`note` is longer than {} bytes", PauseReason::MAX_NOTE),
            });
        }
        let since = self.0.operator.ports().clock.now();
        let pause = Pause {
            scope,
            reason: PauseReason::Requested { note },
            since,
        };
        self.0
            .remember(|state| state.pause = Some(pause))
            .await
            .map(drop)
    }

    /// Lets it go on. What it was paused for is known from now on: today's disputes and failures pause it no more. A pause
    /// by the file ends when the file is removed.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub async fn resume(&self) -> Result<(), Failure> {
        let known = self.0.disputes_against().await?;
        self.0
            .remember(|state| {
                *state = AutopilotState {
                    pause: None,
                    known_disputes: known,
                }
            })
            .await?;
        self.0.setbacks().forget_failures();
        Ok(())
    }
}

impl Shared {
    /// Changes what is remembered.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "`remembering` is held across calls of the database only"
    )]
    async fn remember(
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
        Ok(state)
    }

    fn elapsed(&self) -> std::time::Duration {
        self.operator.ports().clock.elapsed()
    }

    fn setbacks(&self) -> MutexGuard<'_, Setbacks> {
        // Each entry is consistent by itself, even if a holder of the lock panicked.
        self.setbacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn latest(&self) -> MutexGuard<'_, Option<Arc<Survey>>> {
        // It is assigned at once.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
