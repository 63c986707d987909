//! The loop.

use std::sync::Arc;

use atoma_domain::NodeSmallId;
use atoma_domain::autopilot::{Duty, DutyKind, Moment};
use atoma_domain::events::ContractEvent;
use atoma_domain::journal::Failure;
use atoma_domain::ports::EpochInfo;
use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;
use tracing::{debug, error, info, warn};

use super::config::AutopilotMode;
use super::errands::Errand;
use super::look::ids;
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
    errands: JoinSet<()>,
    /// The time of the latest look.
    moment: Option<Moment>,
    /// The operator's nodes at the latest look.
    nodes: Vec<NodeSmallId>,
    /// Whether the latest look failed.
    is_blind: bool,
}

impl AutopilotRun {
    /// An autopilot that has not looked yet.
    pub fn new(autopilot: Autopilot) -> Self {
        Self {
            autopilot,
            errands: JoinSet::new(),
            moment: None,
            nodes: Vec::new(),
            is_blind: false,
        }
    }

    /// Looks at everything, and begins what is due: attestations first, whatever hinders the rest.
    /// [`settled`](Self::settled) waits for what it began.
    ///
    /// # Errors
    /// When the chain or the database can't be read. What depends on that was not begun then.
    pub async fn step(&mut self) -> Result<(), Failure> {
        let shared = Arc::clone(&self.autopilot.0);
        let info = shared.epoch_info().await;
        let attended = self.attend(info.as_ref().ok()).await;
        let looked = match (info, self.moment) {
            (Ok(info), Some(moment)) => self.look(&info, moment).await,
            (Err(failure), _) => Err(failure),
            // No time is known: `attended` says why.
            (Ok(_), None) => Ok(()),
        };
        let done = attended.and(looked);
        shared.report_sight(done.as_ref().err());
        done
    }

    /// Begins the attestations that are due, without a call of the chain.
    ///
    /// # Errors
    /// When the database can't be read. Nothing was begun then.
    pub async fn step_attestations(&mut self) -> Result<(), Failure> {
        self.attend(None).await
    }

    /// Waits until everything that was begun has an outcome, or is left to the engine.
    pub async fn settled(&mut self) {
        while let Some(ended) = self.errands.join_next().await {
            note_panic(ended);
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
                    note_panic(ended);
                    continue;
                }
                change = changes.next() => match change {
                    Some(change) if asks_for_attestations(&change, &self.nodes) => self.step_attestations().await,
                    Some(_) => continue,
                    // The mirror is no longer followed: the node stops.
                    None => return,
                },
                _ = ticks.tick() => self.step().await,
            };
            self.tell(stepped.err());
        }
    }

    /// Begins the attestations that are due.
    async fn attend(&mut self, info: Option<&EpochInfo>) -> Result<(), Failure> {
        let shared = Arc::clone(&self.autopilot.0);
        let moment = shared.moment(info, self.moment.as_ref()).await?;
        self.moment = Some(moment);
        let nodes = shared.own_nodes().await?;
        self.nodes = ids(&nodes);
        if shared.config.mode == AutopilotMode::On {
            let duties = shared.survey_attestations(&nodes, &moment).await?;
            self.begin(&duties).await?;
        }
        Ok(())
    }

    /// Looks at everything, and begins what is due but attestations.
    async fn look(&mut self, info: &EpochInfo, moment: Moment) -> Result<(), Failure> {
        let shared = Arc::clone(&self.autopilot.0);
        shared.follow_up().await?;
        let pause = shared.watch().await?;
        let survey = Arc::new(shared.survey(info, moment).await?);
        *shared.latest() = Some(Arc::clone(&survey));
        shared.report(pause.as_ref(), &survey);
        shared.changed.note();
        if shared.config.mode != AutopilotMode::On {
            return Ok(());
        }
        shared.drain(&survey).await?;
        let duties = survey.duties.iter();
        let others = duties.filter(|duty| duty.kind != DutyKind::Attest);
        self.begin(&others.cloned().collect::<Vec<_>>()).await
    }

    /// Begins what is due, unless it is paused by now.
    async fn begin(&mut self, duties: &[Duty]) -> Result<(), Failure> {
        let paused = self.autopilot.0.paused().await?;
        for errand in Errand::of(duties, paused) {
            let shared = Arc::clone(&self.autopilot.0);
            self.errands
                .spawn(async move { shared.run_errand(&errand).await });
        }
        Ok(())
    }

    /// Tells when looks begin and cease to fail.
    fn tell(&mut self, failure: Option<Failure>) {
        match &failure {
            Some(failure) if self.is_blind => {
                debug!(%failure, "the autopilot still can't see all that is due");
            }
            Some(failure) => {
                warn!(%failure, "the autopilot can't see all that is due; it tries again")
            }
            None if self.is_blind => info!("the autopilot sees again what is due"),
            None => {}
        }
        self.is_blind = failure.is_some();
    }
}

/// What a request began is seen in the engine, even if the request panicked.
fn note_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        error!(%error, "a request of the autopilot ended");
    }
}

impl Shared {
    /// Refuses reservations of stacks that are to be settled, and allows them again where that is over.
    async fn drain(&self, survey: &Survey) -> Result<(), Failure> {
        let draining = match self.paused().await? {
            None => survey.draining.clone(),
            Some(_) => survey.draining.clone().paused(),
        };
        for (stacks, is_draining) in [(draining.begin, true), (draining.end, false)] {
            if !stacks.is_empty() {
                let set = self.store.set_draining(&stacks, is_draining).await;
                set.map_err(internal)?;
            }
        }
        Ok(())
    }
}

/// Whether attestations of the operator's nodes may be due since a change of the mirror. `nodes` may lack new ones: the next
/// look finds theirs.
fn asks_for_attestations(change: &MirrorChange, nodes: &[NodeSmallId]) -> bool {
    match change {
        MirrorChange::Applied(transaction) => transaction.events.iter().any(|event| match event {
            ContractEvent::StackTrySettle(settled) => {
                let mut drawn = settled.requested_attestation_nodes.iter();
                drawn.any(|node| nodes.contains(node))
            }
            _ => false,
        }),
        MirrorChange::Repaired | MirrorChange::Missed => true,
    }
}
