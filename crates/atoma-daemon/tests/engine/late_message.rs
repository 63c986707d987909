//! A message that is recorded while a claim of its stack is being prepared is paid for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use atoma_domain::events::ContractEvent;
use atoma_domain::model::{
    Dispute, DueAttestation, NewMessage, NodeKey, OperatorNode, Settlement, SettlementInputs,
    Stack, Subscription, Task,
};
use atoma_domain::ports::{
    DisputeSide, Page, ServedWork, StackFilter, StackSnapshot, StateReader, StoreError,
};
use atoma_domain::{
    ComputeUnits, Epoch, Hash32, NodeSmallId, StackSmallId, TaskSmallId, TimestampMs,
};
use atoma_operator::{Applied, Ingestor, Operator, Ports, Readiness, StackStatus};
use tokio_util::sync::CancellationToken;

use crate::support::cases::FIRST;
use crate::support::generation::PATIENCE;
use crate::support::world::{CONFIDENTIAL, World, gas};

const LATE: ComputeUnits = ComputeUnits::new(7);

/// A mirror that records one more message on a stack after the stack is first read.
#[derive(Debug)]
struct LateMessage {
    inner: Arc<dyn StateReader>,
    work: Arc<dyn ServedWork>,
    is_recorded: AtomicBool,
}

#[async_trait]
impl StateReader for LateMessage {
    async fn snapshot_of(&self, ids: &[StackSmallId]) -> Result<StackSnapshot, StoreError> {
        let known = self.inner.snapshot_of(ids).await?;
        if !self.is_recorded.swap(true, Ordering::Relaxed) {
            let (hash, now) = (Hash32::of(&[b"late"]), TimestampMs::new(1));
            let late = NewMessage::new(ids[0], hash, LATE, now);
            self.work.record_message(&late).await.unwrap();
        }
        Ok(known)
    }

    async fn stacks_by_id(&self, ids: &[StackSmallId]) -> Result<Vec<Stack>, StoreError> {
        self.inner.stacks_by_id(ids).await
    }

    async fn operator_nodes(&self) -> Result<Vec<OperatorNode>, StoreError> {
        self.inner.operator_nodes().await
    }

    async fn tasks(&self, page: Page<TaskSmallId>) -> Result<Vec<Task>, StoreError> {
        self.inner.tasks(page).await
    }

    async fn task(&self, id: TaskSmallId) -> Result<Option<Task>, StoreError> {
        self.inner.task(id).await
    }

    async fn subscriptions(
        &self,
        nodes: &[NodeSmallId],
        page: Page<(NodeSmallId, TaskSmallId)>,
    ) -> Result<Vec<Subscription>, StoreError> {
        self.inner.subscriptions(nodes, page).await
    }

    async fn node_keys(
        &self,
        nodes: &[NodeSmallId],
        page: Page<NodeSmallId>,
    ) -> Result<Vec<NodeKey>, StoreError> {
        self.inner.node_keys(nodes, page).await
    }

    async fn stacks(
        &self,
        filter: StackFilter<'_>,
        page: Page<StackSmallId>,
    ) -> Result<Vec<Stack>, StoreError> {
        self.inner.stacks(filter, page).await
    }

    async fn settlement_inputs(
        &self,
        stack: StackSmallId,
    ) -> Result<Option<SettlementInputs>, StoreError> {
        self.inner.settlement_inputs(stack).await
    }

    async fn settlements(
        &self,
        nodes: &[NodeSmallId],
        page: Page<StackSmallId>,
    ) -> Result<Vec<Settlement>, StoreError> {
        self.inner.settlements(nodes, page).await
    }

    async fn settlements_by_id(&self, ids: &[StackSmallId]) -> Result<Vec<Settlement>, StoreError> {
        self.inner.settlements_by_id(ids).await
    }

    async fn due_attestations(
        &self,
        nodes: &[NodeSmallId],
        now: Epoch,
        page: Page<(Epoch, StackSmallId)>,
    ) -> Result<Vec<DueAttestation>, StoreError> {
        self.inner.due_attestations(nodes, now, page).await
    }

    async fn disputes(
        &self,
        nodes: &[NodeSmallId],
        side: DisputeSide,
        page: Page<StackSmallId>,
    ) -> Result<Vec<Dispute>, StoreError> {
        self.inner.disputes(nodes, side, page).await
    }
}

#[test]
fn a_message_recorded_while_a_confidential_stack_is_claimed_is_paid_for() {
    let world = World::start();
    let site = world.operator(1, 1);
    let stacks = world.buy(CONFIDENTIAL, FIRST, 1);
    let daemon = world.begin(&site);
    daemon.run(daemon.record(&stacks, None));
    let ports = Ports {
        state: Arc::new(LateMessage {
            inner: Arc::clone(&daemon.ports.state),
            work: Arc::clone(&daemon.ports.work),
            is_recorded: AtomicBool::new(false),
        }),
        ..daemon.ports.clone()
    };
    let applied = Applied::default();
    let readiness = Readiness::new(ports.clone(), applied.clone());
    let engine = daemon.engine.clone();
    let operator = Operator::new(ports, engine, applied.clone(), readiness, PATIENCE);
    let digest = daemon.run(async {
        // `claim` returns once the mirror has the claim.
        let ingestor = Ingestor::new(
            daemon.ports.source.clone(),
            daemon.ports.events.clone(),
            daemon.ports.signer.address(),
            applied,
        );
        tokio::spawn(ingestor.run(CancellationToken::new()));
        let results = operator.claim(&stacks, FIRST.into(), gas()).await.unwrap();
        assert_eq!(results[0].status, StackStatus::Succeeded, "{results:?}");
        results[0].tx_digest.unwrap()
    });
    let executed = daemon.run(daemon.ports.chain.lookup(digest)).unwrap();
    let claimed = executed
        .unwrap()
        .events
        .into_iter()
        .find_map(|event| match event {
            ContractEvent::ClaimedStack(claimed) => Some(claimed.num_claimed_compute_units),
            _ => None,
        });
    let record = daemon.run(daemon.ports.work.work_record(stacks[0], FIRST));
    let computed = record.unwrap().unwrap().computed_units;
    assert_eq!(claimed, Some(computed));
    assert_eq!(computed.get(), 900 + LATE.get());
}
