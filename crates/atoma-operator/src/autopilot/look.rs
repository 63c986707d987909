//! A look at everything that the operator's nodes have to do.

use std::collections::{BTreeMap, HashSet};

use atoma_domain::autopilot::{
    Circumstances, Duty, DutyKind, Moment, Standing, WaitsFor, attestation_duties, stack_duty,
    weigh, withdrawal_duties,
};
use atoma_domain::journal::{Action, Failure};
use atoma_domain::model::{OperatorNode, Task};
use atoma_domain::ports::{EpochInfo, Page};
use atoma_domain::{Epoch, NodeSmallId, StackSmallId, TaskSmallId, TimestampMs};

use super::estimates::Prices;
use super::setbacks::DutyKey;
use super::shared::Shared;
use super::survey::{Draining, Survey};
use crate::causes::internal;

/// How many rows are read at once.
const PAGE: u32 = 5_000;

impl Shared {
    /// Looks at everything.
    pub(super) async fn survey(&self, info: &EpochInfo, moment: Moment) -> Result<Survey, Failure> {
        let ports = self.operator.ports();
        let nodes = self.own_nodes().await?;
        let ids = ids(&nodes);
        let (journal, elapsed) = (ports.journal.as_ref(), ports.clock.elapsed());
        let prices = self
            .estimates
            .prices(self.chain.as_ref(), journal, &ids, info, elapsed);
        let Prices {
            gas,
            charge,
            shares,
        } = prices.await?;
        let policy = &self.config.policy;
        let reserve = policy.gas.reserve;
        let at = Circumstances {
            policy,
            moment: &moment,
            own_nodes: &ids,
            charge,
            gas,
            balance: self.operator.gas_balance_of_at_least(reserve).await,
            daily_cap: self.operator.daily_cap().await.map_err(internal)?,
        };
        let mut duties = self.attestations(&ids, &moment).await?;
        let tasks = self.tasks().await?;
        let mut draining = HashSet::new();
        for node in &ids {
            let mut page = Page::first(PAGE);
            loop {
                let stacks = self.store.unpaid_stacks(*node, page).await;
                let stacks = stacks.map_err(internal)?;
                page.after = stacks.last().map(|stack| stack.stack_small_id);
                for stack in &stacks {
                    duties.push(stack_duty(stack, tasks.get(&stack.task_small_id), &at));
                    if stack.is_draining {
                        draining.insert(stack.stack_small_id);
                    }
                }
                if page.after.is_none() {
                    break;
                }
            }
        }
        duties.extend(withdrawal_duties(&shares, &at));
        // Only what would be sent is weighed.
        self.hold_back(&mut duties, &nodes);
        weigh(&mut duties, &at);
        let draining = Draining::of(&duties, &draining);
        duties.sort_by_key(|duty| {
            let deadline = duty.deadline.unwrap_or(TimestampMs::new(u64::MAX));
            (duty.kind, deadline, duty.stack_small_id, duty.node_small_id)
        });
        Ok(Survey {
            taken_at: moment.clock(),
            moment,
            duties,
            draining,
        })
    }

    /// The attestations alone: quick, and without a call of the chain.
    pub(super) async fn survey_attestations(
        &self,
        nodes: &[OperatorNode],
        moment: &Moment,
    ) -> Result<Vec<Duty>, Failure> {
        let mut duties = self.attestations(&ids(nodes), moment).await?;
        self.hold_back(&mut duties, nodes);
        Ok(duties)
    }

    async fn attestations(
        &self,
        nodes: &[NodeSmallId],
        moment: &Moment,
    ) -> Result<Vec<Duty>, Failure> {
        let state = &self.operator.ports().state;
        let mut page: Page<(Epoch, StackSmallId)> = Page::first(PAGE);
        let mut duties = Vec::new();
        loop {
            let due = state.due_attestations(nodes, moment.epoch(), page).await;
            let due = due.map_err(internal)?;
            let last = due.last();
            page.after = last.map(|due| (due.claimable_from_epoch, due.stack_small_id));
            for due in &due {
                duties.extend(attestation_duties(due, &self.config.policy, moment));
            }
            if page.after.is_none() {
                return Ok(duties);
            }
        }
    }

    async fn tasks(&self) -> Result<BTreeMap<TaskSmallId, Task>, Failure> {
        let mut page = Page::first(PAGE);
        let mut tasks = BTreeMap::new();
        loop {
            let listed = self.operator.ports().state.tasks(page).await;
            let listed = listed.map_err(internal)?;
            page.after = listed.last().map(|task| task.task_small_id);
            tasks.extend(listed.into_iter().map(|task| (task.task_small_id, task)));
            if page.after.is_none() {
                return Ok(tasks);
            }
        }
    }

    /// The nodes whose badges the daemon's key owns.
    pub(super) async fn own_nodes(&self) -> Result<Vec<OperatorNode>, Failure> {
        let ports = self.operator.ports();
        let mut nodes = ports.state.operator_nodes().await.map_err(internal)?;
        nodes.retain(|node| node.address == ports.signer.address());
        Ok(nodes)
    }

    /// Holds back what is under way already, and what failed a short time ago.
    fn hold_back(&self, duties: &mut [Duty], nodes: &[OperatorNode]) {
        let now = self.elapsed();
        let clock = self.operator.ports().clock.now();
        let setbacks = self.setbacks();
        for duty in duties {
            if !matches!(duty.standing, Standing::Due(_)) {
                continue;
            }
            let node = nodes
                .iter()
                .find(|node| node.node_small_id == duty.node_small_id);
            if let Some((_, held)) = node
                .zip(action(duty))
                .and_then(|(node, action)| self.operator.under_way(&action, *node))
            {
                duty.standing = Standing::waiting(held.map_or(WaitsFor::UnderWay, held_by));
            } else if let Some(pause) = setbacks.pause_of(DutyKey::of(duty), now) {
                let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                duty.standing = Standing::Waiting {
                    waits_for: WaitsFor::Retry,
                    until: Some(TimestampMs::new(clock.get().saturating_add(pause))),
                };
            }
        }
    }
}

pub(super) fn ids(nodes: &[OperatorNode]) -> Vec<NodeSmallId> {
    nodes.iter().map(|node| node.node_small_id).collect()
}

/// What a transaction waits for that is held.
fn held_by(reason: Failure) -> WaitsFor {
    match reason {
        Failure::TreasuryShort {} => WaitsFor::Treasury,
        Failure::SpendCapReached { .. } => WaitsFor::SpendCap,
        Failure::BreakerOpen { .. } => WaitsFor::BreakerOpen,
        Failure::BadgeUsedElsewhere { .. } => WaitsFor::WritesStopped,
        _ => WaitsFor::Held,
    }
}

/// The action that does a duty, to find out whether it is under way.
const fn action(duty: &Duty) -> Option<Action> {
    Some(match (duty.kind, duty.stack_small_id) {
        (DutyKind::Withdraw, _) => Action::WithdrawFees {},
        // Only a withdrawal is about no stack.
        (_, None) => return None,
        (DutyKind::Attest, Some(stack_small_id)) => Action::AttestSettlement {
            stack_small_id,
            allow_dispute: false,
        },
        (DutyKind::Settle, Some(stack_small_id)) => Action::SettleStack {
            stack_small_id,
            num_claimed_compute_units: None,
        },
        // Both claims of a stack have one key.
        (DutyKind::Claim, Some(stack_small_id)) => Action::ClaimStack { stack_small_id },
    })
}
