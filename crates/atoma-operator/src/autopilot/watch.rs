//! Reasons to pause.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use atoma_domain::autopilot::{
    AutopilotState, Pause, PauseReason, PauseScope, Watched, reason_to_pause,
};
use atoma_domain::journal::Failure;
use atoma_domain::ports::{DisputeSide, Page};
use atoma_domain::{NodeSmallId, StackSmallId, TimestampMs};
use tracing::error;

use super::pause_file;
use super::shared::Shared;
use crate::causes::internal;

/// How many disputes are read at once.
const PAGE: u32 = 1_000;

impl Shared {
    /// Looks for a reason to pause, and returns what is paused now.
    pub(super) async fn watch(&self) -> Result<Option<Pause>, Failure> {
        let policy = &self.config.policy.watch;
        let failures = self
            .setbacks()
            .within(policy.failure_window, self.elapsed());
        let disputes_against = self.disputes_against().await?;
        self.seen_disputes().clone_from(&disputes_against);
        let watched = Watched {
            disputes_against,
            badge_used_elsewhere: self.badge_used_elsewhere().await?,
            failures,
        };
        let now = self.operator.ports().clock.now();
        let state = self.store.autopilot_state().await.map_err(internal)?;
        if reason_to_pause(&state, &watched, policy, now).is_none() {
            return Ok(self.pause(&state).await);
        }
        // Somebody may have paused or resumed it since.
        let state = self.remember(|state| {
            if let Some(pause) = reason_to_pause(state, &watched, policy, now) {
                error!(scope = pause.scope.name(), "the autopilot pauses: {pause}");
                state.pause = Some(pause);
            }
        });
        let state = state.await?;
        Ok(self.pause(&state).await)
    }

    /// What is paused now.
    pub(super) async fn paused(&self) -> Result<Option<PauseScope>, Failure> {
        let state = self.store.autopilot_state().await.map_err(internal)?;
        Ok(self.pause(&state).await.map(|pause| pause.scope))
    }

    /// What is paused: what is remembered, or what the file says, whichever stops more.
    pub(super) async fn pause(&self, state: &AutopilotState) -> Option<Pause> {
        let stored = state.pause.clone();
        let Some((note, scope, since)) = self.by_file().await else {
            return stored;
        };
        let note = Some(note);
        let reason = PauseReason::Requested { note };
        Some(match stored {
            Some(pause) => pause.and(scope, reason),
            None => {
                let now = self.operator.ports().clock.now();
                Pause::new(scope, reason, since.unwrap_or(now))
            }
        })
    }

    /// What the file pauses and since when, and that it does; `None` without a file.
    pub(super) async fn by_file(&self) -> Option<(String, PauseScope, Option<TimestampMs>)> {
        let file = self.config.pause_file.as_ref()?;
        let (scope, since) = pause_file::read(file).await?;
        Some((format!("the file {} exists", file.display()), scope, since))
    }

    /// The stacks whose settlements by the operator's nodes are disputed, ascending.
    pub(super) async fn disputes_against(&self) -> Result<Vec<StackSmallId>, Failure> {
        let state = Arc::clone(&self.operator.ports().state);
        let nodes = state.operator_nodes().await.map_err(internal)?;
        let nodes: Vec<NodeSmallId> = nodes.iter().map(|node| node.node_small_id).collect();
        let mut page = Page::first(PAGE);
        let mut stacks = Vec::new();
        loop {
            let disputes = state.disputes(&nodes, DisputeSide::Defendant, page).await;
            let disputes = disputes.map_err(internal)?;
            page.after = disputes.last().map(|dispute| dispute.stack_small_id);
            let open = disputes.iter().filter(|d| d.resolved_at_epoch.is_none());
            stacks.extend(open.map(|dispute| dispute.stack_small_id));
            if page.after.is_none() {
                stacks.sort_unstable();
                return Ok(stacks);
            }
        }
    }

    /// A node whose badge other software was seen to use, unless a person knows of it.
    async fn badge_used_elsewhere(&self) -> Result<Option<NodeSmallId>, Failure> {
        let known = self.known_foreign_uses.load(Ordering::Relaxed);
        let (seen, badge) = self.operator.foreign_uses_seen();
        // A stop of writes lasts until the next start, whoever resumes the autopilot.
        if let Some(Failure::BadgeUsedElsewhere { node_small_id, .. }) = self.operator.stopped() {
            let is_known = self.is_stop_known.load(Ordering::Relaxed);
            return Ok((!is_known).then_some(node_small_id));
        }
        let Some(badge) = badge.filter(|_| seen > known) else {
            return Ok(None);
        };
        let nodes = self.operator.ports().state.operator_nodes().await;
        let nodes = nodes.map_err(internal)?;
        let node = nodes.iter().find(|node| node.node_badge_id == badge);
        Ok(node.map(|node| node.node_small_id))
    }

    /// Notes that a person knows of all foreign uses so far.
    pub(super) fn know_foreign_uses(&self) {
        let (seen, _) = self.operator.foreign_uses_seen();
        self.known_foreign_uses.store(seen, Ordering::Relaxed);
        let is_stopped = matches!(
            self.operator.stopped(),
            Some(Failure::BadgeUsedElsewhere { .. })
        );
        self.is_stop_known.store(is_stopped, Ordering::Relaxed);
    }
}
