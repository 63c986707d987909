//! Reasons to pause.

use std::sync::Arc;

use atoma_domain::autopilot::{
    AutopilotState, Pause, PauseReason, PauseScope, Watched, reason_to_pause,
};
use atoma_domain::journal::Failure;
use atoma_domain::ports::{DisputeSide, Page};
use atoma_domain::{NodeSmallId, StackSmallId};
use tracing::error;

use super::pause_file;
use super::shared::Shared;
use crate::causes::internal;

/// How many disputes are read at once.
const PAGE: u32 = 1_000;

impl Shared {
    /// Looks for a reason to pause, and returns what is paused now.
    pub(super) async fn watch(&self) -> Result<Option<Pause>, Failure> {
        let state = self.store.autopilot_state().await.map_err(internal)?;
        let policy = &self.config.policy.watch;
        let failures = self
            .setbacks()
            .within(policy.failure_window, self.elapsed());
        let watched = Watched {
            disputes_against: self.disputes_against().await?,
            badge_used_elsewhere: self.badge_used_elsewhere(),
            failures,
        };
        let now = self.operator.ports().clock.now();
        let Some(pause) = reason_to_pause(&state, &watched, policy, now) else {
            return Ok(self.pause(&state).await);
        };
        error!(
            scope = pause.scope.name(),
            "the autopilot pauses: {}", pause.reason
        );
        let state = self.remember(|state| state.pause = Some(pause)).await?;
        Ok(self.pause(&state).await)
    }

    /// What is paused: what is remembered, or what the file says, whichever stops more.
    pub(super) async fn pause(&self, state: &AutopilotState) -> Option<Pause> {
        let stored = state.pause.clone();
        let file = match &self.config.pause_file {
            Some(file) => pause_file::read(file).await.map(|scope| (file, scope)),
            None => None,
        };
        match (stored, file) {
            (Some(stored), Some((_, scope))) if stored.scope >= scope => Some(stored),
            (stored, None) => stored,
            (stored, Some((file, scope))) => Some(Pause {
                scope,
                reason: PauseReason::Requested {
                    note: Some(format!("the file {} exists", file.display())),
                },
                since: stored.map_or_else(|| self.operator.ports().clock.now(), |p| p.since),
            }),
        }
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

    /// A node whose badge other software was seen to use, which has stopped writes.
    fn badge_used_elsewhere(&self) -> Option<NodeSmallId> {
        match self.operator.stopped() {
            Some(Failure::BadgeUsedElsewhere { node_small_id, .. }) => Some(node_small_id),
            _ => None,
        }
    }

    /// Whether settlements are paused.
    pub(super) fn stops_settlements(pause: Option<&Pause>) -> bool {
        pause.is_some_and(|pause| pause.scope >= PauseScope::AllButAttestations)
    }
}
