//! Alarms: what the operator must look at.

use std::sync::Arc;

use atoma_domain::alarms::{Alarm, AlarmChange, AlarmState};
use atoma_domain::journal::Failure;
use atoma_domain::ports::{DisputeSide, Page, StoreError};
use atoma_domain::{AlarmId, with_causes};
use tracing::warn;

use super::operator::Operator;
use crate::alarms::{AlarmReports, Alarms, Facts, MOST_STACKS, Told, judge};
use crate::causes::internal;

/// One in so many looks checks the books: one an hour, unless the configuration says otherwise.
const LOOKS_PER_CHECK: u32 = 120;
/// How many disputes are looked through for those that are not resolved.
const MOST_DISPUTES: u32 = 1_000;

impl Operator {
    /// The alarms, or those in one state, newest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn alarms(
        &self,
        state: Option<AlarmState>,
        page: Page<AlarmId>,
    ) -> Result<Vec<Alarm>, StoreError> {
        match &self.alarms {
            Some(alarms) => alarms.list(state, page).await,
            None => Ok(Vec::new()),
        }
    }

    /// Acknowledges an alarm: no reminders of it are sent. Repeating it does nothing.
    ///
    /// # Errors
    /// [`Failure::UnknownAlarm`] if there is none with this number.
    pub async fn acknowledge_alarm(&self, id: AlarmId) -> Result<Alarm, Failure> {
        let alarm = match &self.alarms {
            Some(alarms) => alarms.acknowledge(id).await.map_err(internal)?,
            None => None,
        };
        alarm.ok_or(Failure::UnknownAlarm { alarm_id: id })
    }

    /// Sends a test message to every receiver of alarms, and says how each took it.
    pub async fn test_alarms(&self) -> Vec<Told> {
        match &self.alarms {
            Some(alarms) => alarms.test().await,
            None => Vec::new(),
        }
    }

    /// Where other parts of the daemon say what is wrong.
    pub fn alarm_reports(&self) -> AlarmReports {
        let alarms = self.alarms.as_ref();
        alarms.map(Alarms::reports).unwrap_or_default()
    }

    /// Looks for what is wrong once, and brings the alarms up to date. Returns what has changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look_for_alarms(&self) -> Result<Vec<AlarmChange>, StoreError> {
        let Some(alarms) = &self.alarms else {
            return Ok(Vec::new());
        };
        let facts = self.alarm_facts(alarms).await;
        alarms.step(judge(&facts, alarms.thresholds())).await
    }

    /// Looks for what is wrong at an interval, for ever.
    pub(crate) async fn watch_for_alarms(self) {
        let Some(interval) = self.alarms.as_ref().map(Alarms::interval) else {
            return;
        };
        for looks in (0..LOOKS_PER_CHECK).cycle() {
            tokio::time::sleep(interval).await;
            // Reading all books takes longer than the rest.
            if looks == 0 {
                self.report_books().await;
            }
            if let Err(error) = self.look_for_alarms().await {
                warn!(
                    error = with_causes(&error),
                    "can't bring the alarms up to date; retrying"
                );
            }
        }
    }

    async fn alarm_facts(&self, alarms: &Alarms) -> Facts {
        let measured = self.measure().await;
        let epoch = alarms.last_epoch(measured.sample.epoch);
        let state = Arc::clone(&self.ports.state);
        let nodes = state.operator_nodes().await.ok();
        let nodes: Option<Vec<_>> =
            nodes.map(|nodes| nodes.iter().map(|node| node.node_small_id).collect());
        let one_more = u32::try_from(MOST_STACKS + 1).unwrap_or(u32::MAX);
        let due = match (&nodes, epoch) {
            (Some(nodes), Some(epoch)) => {
                let page = Page::first(one_more);
                state.due_attestations(nodes, epoch.epoch, page).await.ok()
            }
            _ => None,
        };
        let disputes = match &nodes {
            Some(nodes) => {
                let page = Page::first(MOST_DISPUTES);
                let side = DisputeSide::Defendant;
                state.disputes(nodes, side, page).await.ok()
            }
            None => None,
        };
        Facts {
            disk_problem: self.readiness.disk_problem().await,
            measured,
            epoch,
            due,
            disputes: disputes.map(|mut disputes| {
                disputes.retain(|dispute| dispute.resolved_at_epoch.is_none());
                disputes
            }),
        }
    }
}
