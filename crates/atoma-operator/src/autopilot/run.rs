//! The loop.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::NodeSmallId;
use atoma_domain::autopilot::{Duty, DutyKind, Moment, PauseScope};
use atoma_domain::events::ContractEvent;
use atoma_domain::journal::Failure;
use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;
use tracing::{debug, error, info};

use super::config::AutopilotMode;
use super::errands::Errand;
use super::shared::Shared;
use super::survey::Survey;
use super::switch::Autopilot;
use crate::causes::internal;
use crate::ingest::{MirrorChange, MirrorChanges};

/// An autopilot at work. Dropping it leaves nothing half done: what it began belongs to the engine.
#[derive(Debug)]
pub struct AutopilotRun {
    autopilot: Autopilot,
    /// The requests that wait for their outcomes.
    errands: JoinSet<Errand>,
    /// How many settlements of each node are under way.
    settling: BTreeMap<NodeSmallId, usize>,
    /// The time of the latest survey, and what is paused since.
    known: Option<(Moment, Option<PauseScope>)>,
}

impl AutopilotRun {
    /// An autopilot that has not looked yet.
    pub fn new(autopilot: Autopilot) -> Self {
        Self {
            autopilot,
            errands: JoinSet::new(),
            settling: BTreeMap::new(),
            known: None,
        }
    }

    /// Looks at everything, and begins what is due. [`settled`](Self::settled) waits for what it began.
    ///
    /// # Errors
    /// When the chain or the database can't be read. Nothing was begun then.
    pub async fn step(&mut self) -> Result<(), Failure> {
        let shared = Arc::clone(&self.autopilot.0);
        let pause = shared.watch().await?;
        let survey = Arc::new(shared.survey().await?);
        *shared.latest() = Some(Arc::clone(&survey));
        shared.report(pause.as_ref(), &survey);
        shared.changed.note();
        let paused = pause.as_ref().map(|pause| pause.scope);
        self.known = Some((survey.moment, paused));
        if shared.config.mode != AutopilotMode::On {
            return Ok(());
        }
        shared
            .drain(&survey, Shared::stops_settlements(pause.as_ref()))
            .await?;
        self.begin(&survey.duties, paused);
        Ok(())
    }

    /// Begins the attestations that are due, in the epoch and under the pause of the latest [`step`](Self::step).
    ///
    /// # Errors
    /// When the database can't be read. Nothing was begun then.
    pub async fn step_attestations(&mut self) -> Result<(), Failure> {
        let Some((moment, paused)) = self.known else {
            return self.step().await;
        };
        if self.autopilot.0.config.mode == AutopilotMode::On {
            let duties = self.autopilot.0.survey_attestations(&moment).await?;
            self.begin(&duties, paused);
        }
        Ok(())
    }

    /// Waits until everything that was begun has an outcome, or is left to the engine.
    pub async fn settled(&mut self) {
        while let Some(ended) = self.errands.join_next().await {
            self.end(ended);
        }
    }

    /// Works until it is dropped. `changes` tell what the mirror applies.
    pub async fn run(mut self, mut changes: MirrorChanges) {
        let shared = Arc::clone(&self.autopilot.0);
        let mut ticks = tokio::time::interval(shared.config.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        info!(mode = shared.config.mode.name(), "the autopilot begins");
        loop {
            let stepped = tokio::select! {
                Some(ended) = self.errands.join_next() => {
                    self.end(ended);
                    continue;
                }
                change = changes.next() => match change {
                    Some(change) if asks_for_attestations(&change) => self.step_attestations().await,
                    Some(_) => continue,
                    // The mirror is no longer followed: the node stops.
                    None => return,
                },
                _ = ticks.tick() => self.step().await,
            };
            if let Err(failure) = stepped {
                debug!(%failure, "the autopilot can't look now; it tries again");
            }
        }
    }

    fn begin(&mut self, duties: &[Duty], paused: Option<PauseScope>) {
        let settling = &self.settling;
        let errands = Errand::of(duties, paused, |node| {
            settling.get(&node).copied().unwrap_or_default()
        });
        for errand in errands {
            if errand.kind == DutyKind::Settle {
                *self.settling.entry(errand.node).or_default() += errand.stacks.len();
            }
            let shared = Arc::clone(&self.autopilot.0);
            self.errands.spawn(async move {
                shared.run_errand(&errand).await;
                errand
            });
        }
    }

    fn end(&mut self, ended: Result<Errand, JoinError>) {
        match ended {
            Ok(errand) if errand.kind == DutyKind::Settle => {
                if let Some(count) = self.settling.get_mut(&errand.node) {
                    *count = count.saturating_sub(errand.stacks.len());
                }
            }
            Ok(_) => {}
            Err(error) => {
                // It panicked. What is under way is seen in the engine.
                error!(%error, "a request of the autopilot ended");
                self.settling.clear();
            }
        }
    }
}

impl Shared {
    /// Refuses reservations of stacks that are to be settled, and allows them again where that is over.
    async fn drain(&self, survey: &Survey, is_paused: bool) -> Result<(), Failure> {
        let mut draining = survey.draining.clone();
        if is_paused {
            draining.begin.clear();
        }
        for (stacks, is_draining) in [(draining.begin, true), (draining.end, false)] {
            if !stacks.is_empty() {
                self.store
                    .set_draining(&stacks, is_draining)
                    .await
                    .map_err(internal)?;
            }
        }
        Ok(())
    }
}

/// Whether attestations may be due since a change of the mirror.
fn asks_for_attestations(change: &MirrorChange) -> bool {
    match change {
        MirrorChange::Applied(transaction) => transaction.events.iter().any(|event| {
            matches!(event, ContractEvent::StackTrySettle(settled)
                if !settled.requested_attestation_nodes.is_empty())
        }),
        MirrorChange::Repaired | MirrorChange::Missed => true,
    }
}
