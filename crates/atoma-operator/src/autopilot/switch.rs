//! The autopilot as its callers use it: how it stands, and its switch.

use std::collections::BTreeSet;
use std::sync::Arc;

use atoma_domain::autopilot::{AutopilotState, Duty, Pause, PauseReason, PauseScope};
use atoma_domain::journal::Failure;
use atoma_domain::ports::{AutopilotStore, Chain};
use atoma_domain::{StackSmallId, with_causes};
use tokio::sync::watch;
use tracing::warn;

use super::config::{AutopilotConfig, AutopilotMode};
use super::figures::AutopilotFigures;
use super::shared::Shared;
use super::status::AutopilotStatus;
use super::survey::Survey;
use crate::causes::internal;
use crate::measure::Measurements;
use crate::use_cases::Operator;

/// The autopilot of an operator's nodes: how it stands, and its switch. Clones share their state. [`AutopilotRun`](super::AutopilotRun) does the
/// work.
#[derive(Clone, Debug)]
pub struct Autopilot(pub(super) Arc<Shared>);

impl Autopilot {
    /// An autopilot that acts by these use cases. `chain` is what it reads epochs and prices from.
    pub fn new(
        operator: Operator,
        store: Arc<dyn AutopilotStore>,
        chain: Arc<dyn Chain>,
        config: AutopilotConfig,
    ) -> Self {
        let operator = operator.requiring_start();
        Self(Arc::new(Shared::new(operator, store, chain, config)))
    }

    /// Its settings.
    pub fn config(&self) -> &AutopilotConfig {
        &self.0.config
    }

    /// Begins as something that does not act: stacks take reservations that it had closed to them before, and nothing is
    /// wrong with it if it is off.
    pub(crate) async fn begin_idle(&self) {
        if self.0.config.mode == AutopilotMode::Off {
            self.0.report_off();
        }
        if self.0.config.mode != AutopilotMode::On
            && let Err(error) = self.0.store.end_draining().await
        {
            warn!(
                error = with_causes(&error),
                "stacks that were to be settled may refuse reservations"
            );
        }
    }

    /// What it does, or would do, now.
    ///
    /// # Errors
    /// When the chain or the database can't be read.
    pub async fn survey(&self) -> Result<Survey, Failure> {
        let info = self.0.epoch_info().await?;
        let moment = self.0.moment(Some(&info), None).await?;
        self.0.survey(&info, moment).await
    }

    /// What it has to do about a stack; empty if nothing: it is paid, unknown, or of somebody else.
    ///
    /// # Errors
    /// When the chain or the database can't be read.
    pub async fn explain(&self, stack: StackSmallId) -> Result<Vec<Duty>, Failure> {
        // Claims are weighed with the node's others.
        let mut duties = self.survey().await?.duties;
        duties.retain(|duty| duty.stack_small_id == Some(stack));
        Ok(duties)
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
            writes_stopped: shared.operator.stopped(),
            pause_file: shared.config.pause_file.clone(),
            is_paused_by_file: shared.by_file().await.is_some(),
            began_at: shared.began_at,
            latest: shared.latest().clone(),
            recent_failures: shared.setbacks().within(window, shared.elapsed()),
        })
    }

    /// Tells when it has looked, and when it is paused or resumed.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changed.watch()
    }

    /// Adds the autopilot in numbers, unless its state can't be read.
    pub async fn add_to(&self, measured: Measurements) -> Measurements {
        let status = self.status().await.ok();
        Measurements {
            autopilot: status.as_ref().map(AutopilotFigures::from),
            ..measured
        }
    }

    /// Pauses it, until somebody resumes it. A pause is stored, so it outlasts restarts. It adds to an earlier one, which never
    /// becomes narrower.
    ///
    /// # Errors
    /// [`Failure::InvalidRequest`] for a note longer than [`PauseReason::MAX_NOTE`] bytes, and when the database can't be
    /// written.
    pub async fn pause(&self, scope: PauseScope, note: Option<String>) -> Result<(), Failure> {
        let note = note.filter(|note| !note.is_empty());
        if note
            .as_ref()
            .is_some_and(|note| note.len() > PauseReason::MAX_NOTE)
        {
            return Err(Failure::InvalidRequest {
                message: format!("`note` is longer than {} bytes", PauseReason::MAX_NOTE),
            });
        }
        let since = self.0.operator.ports().clock.now();
        let reason = PauseReason::Requested { note };
        let paused = self.0.remember(|state| {
            state.pause = Some(match state.pause.take() {
                None => Pause::new(scope, reason, since),
                Some(pause) => pause.and(scope, reason),
            });
        });
        let state = paused.await?;
        if let Some(pause) = &state.pause {
            warn!(
                scope = pause.scope.name(),
                "the autopilot is paused: {pause}"
            );
        }
        Ok(())
    }

    /// Lets it go on. What it was paused for is known from now on: the disputes and failures that it has seen so far pause it
    /// no more. A pause by the file ends when the file is removed.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub async fn resume(&self) -> Result<(), Failure> {
        // First, so that a look in between finds nothing to pause for.
        self.0.setbacks().forget_failures();
        self.0.know_foreign_uses();
        // Those that came after the latest look are news to whoever resumes.
        let seen = self.0.seen_disputes().clone();
        self.0
            .remember(|state| {
                if let Some(pause) = &state.pause {
                    warn!("somebody lets the autopilot go on, and knows of this: {pause}");
                }
                let known = known_disputes(state, &seen);
                *state = AutopilotState {
                    pause: None,
                    known_disputes: known,
                }
            })
            .await?;
        Ok(())
    }
}

/// The disputes that a person knows of who resumes now: those known before, those of the pause, and those of the latest look
/// in this process. Resolved ones are forgotten with the next resumption after a look.
fn known_disputes(state: &AutopilotState, seen: &[StackSmallId]) -> Vec<StackSmallId> {
    let reasons = state.pause.iter().flat_map(|pause| &pause.reasons);
    let of_pause = reasons.filter_map(|reason| match reason {
        PauseReason::DisputeAgainst { stack_small_id } => Some(*stack_small_id),
        _ => None,
    });
    let before = state.known_disputes.iter().copied();
    let known: BTreeSet<_> = before
        .filter(|stack| seen.is_empty() || seen.binary_search(stack).is_ok())
        .chain(of_pause)
        .chain(seen.iter().copied())
        .collect();
    known.into_iter().collect()
}
