//! A Sui node that answers wrongly about attempts.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use async_trait::async_trait;
use atoma_domain::journal::{Action, Actor, Failure, GasOptions, IntentStatus, NewIntent};
use atoma_domain::ports::{
    Chain, RefusalKind, SignError, SignedTransaction, Signer, UnsignedTransaction,
};
use atoma_domain::{Address, StackSmallId};
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::{Engine, Submission, Waited};
use tokio_util::sync::CancellationToken;

use crate::support::audit::journal_agrees_with_ledger;
use crate::support::cases::FIRST;
use crate::support::faulty_node::FaultyNode;
use crate::support::generation::{Generation, PATIENCE};
use crate::support::world::{NONE, World};

/// A daemon with some stacks in its mirror. Tests start an engine over its database and a faulty
/// node.
fn begin(stacks: usize) -> (World, Generation, Vec<StackSmallId>) {
    let world = World::start();
    let site = world.operator(1, 1);
    let stacks = world.buy(NONE, FIRST, stacks);
    let daemon = world.begin(&site);
    daemon.run(daemon.record(&stacks, None));
    daemon.run(daemon.catch_up());
    (world, daemon, stacks)
}

async fn settle(daemon: &Generation, stack: StackSmallId, gas: GasOptions) -> NewIntent {
    let nodes = daemon.operator.nodes().await.unwrap();
    let node = nodes.iter().find(|own| own.node_small_id == FIRST).unwrap();
    NewIntent {
        action: Action::SettleStack {
            stack_small_id: stack,
            num_claimed_compute_units: None,
        },
        actor: Actor::Node {
            node_small_id: node.node_small_id,
            node_badge_id: node.node_badge_id,
            address: node.address,
        },
        gas,
    }
}

fn engine_over(
    daemon: &Generation,
    chain: &Arc<FaultyNode>,
    stopping: &CancellationToken,
) -> Engine {
    let chain: Arc<dyn Chain> = chain.clone();
    let ports = atoma_operator::Ports {
        chain,
        ..daemon.ports.clone()
    };
    Engine::new(
        ports,
        crate::support::faulty_node::config(),
        stopping.clone(),
    )
}

async fn outcome(engine: &Engine, intent: NewIntent) -> Waited {
    let submitted = engine.submit(vec![intent]).await.unwrap();
    let [Submission::Accepted(id)] = submitted[..] else {
        panic!("{submitted:?}");
    };
    engine.wait(&[id], PATIENCE).await.remove(0)
}

async fn assert_settles(
    engine: &Engine,
    daemon: &Generation,
    stack: StackSmallId,
    gas: GasOptions,
) {
    let waited = outcome(engine, settle(daemon, stack, gas).await).await;
    assert_eq!(waited.status, IntentStatus::Succeeded, "{waited:?}");
}

/// Settles a stack, and checks that nothing is on chain twice.
async fn assert_settles_once(
    engine: &Engine,
    daemon: &Generation,
    stack: StackSmallId,
    gas: GasOptions,
) {
    assert_settles(engine, daemon, stack, gas).await;
    let ledger = journal_agrees_with_ledger(daemon).await;
    ledger.assert_nothing_twice();
}

/// A node refuses, for a reason that would last, what the network executes.
#[test]
fn a_refusal_by_word_fails_no_request() {
    let (_world, daemon, stacks) = begin(2);
    daemon.run(async {
        let chain = FaultyNode::over(&daemon.ports.chain);
        let engine = engine_over(&daemon, &chain, &CancellationToken::new());
        let address = daemon.ports.signer.address();
        let coins = chain.as_ref().coins(address).await;
        let coin = *coins[0].reference.object_id();
        let not_usable = RefusalKind::ObjectNotUsable { object: Some(coin) };
        let named = GasOptions {
            coin: Some(coin),
            ..GasOptions::default()
        };
        for (stack, gas) in stacks.into_iter().zip([GasOptions::default(), named]) {
            chain.refuse_next(not_usable.clone());
            assert_settles_once(&engine, &daemon, stack, gas).await;
        }
    });
}

/// The node answers `INVALID_ARGUMENT` after it has executed a settlement, and for a while does not find
/// the transaction.
#[test]
fn a_settlement_that_is_refused_by_word_and_executed_in_fact_succeeds() {
    let (world, daemon, stacks) = begin(1);
    let network = world.network.clone();
    daemon.points.before("chain.execute", move || {
        network.inject_fault(Fault::once(FaultKind::ExecuteRefusedAfter));
        network.inject_fault(Fault {
            count: 12,
            ..Fault::once(FaultKind::TransactionsHidden)
        });
    });
    daemon.run(async {
        let chain = FaultyNode::over(&daemon.ports.chain);
        let engine = engine_over(&daemon, &chain, &CancellationToken::new());
        assert_settles_once(&engine, &daemon, stacks[0], GasOptions::default()).await;
    });
}

/// The node has lost the effects of a transaction. Its badge and its coins have newer versions.
#[test]
fn a_transaction_with_unknown_effects_blocks_only_its_own_intent() {
    let (_world, daemon, stacks) = begin(3);
    daemon.run(async {
        let chain = FaultyNode::over(&daemon.ports.chain);
        let stopping = CancellationToken::new();
        let engine = engine_over(&daemon, &chain, &stopping);
        chain.lose_next_outcome();
        let first = settle(&daemon, stacks[0], GasOptions::default()).await;
        let unresolved = outcome(&engine, first).await;
        assert_awaits_effects(&unresolved);
        assert_settles(&engine, &daemon, stacks[1], GasOptions::default()).await;
        let again = engine.wait(&[unresolved.id], PATIENCE).await.remove(0);
        assert_awaits_effects(&again);
        // The same after a restart.
        stopping.cancel();
        engine.stopped().await;
        let started = engine_over(&daemon, &chain, &CancellationToken::new());
        started.recover().await.unwrap();
        let again = started.wait(&[unresolved.id], PATIENCE).await.remove(0);
        assert_awaits_effects(&again);
        assert_settles(&started, &daemon, stacks[2], GasOptions::default()).await;

        chain.restore_outcomes();
        loop {
            let resolved = started.wait(&[unresolved.id], PATIENCE).await.remove(0);
            if resolved.status.is_final() {
                assert_eq!(resolved.status, IntentStatus::Succeeded, "{resolved:?}");
                assert_eq!(resolved.tx_digest, unresolved.tx_digest);
                break;
            }
            tokio::task::yield_now().await;
        }
    });
}

/// The next daemon learns the outcome of an old attempt, over a badge version that later transactions of
/// the same operator have replaced since.
#[test]
fn an_old_attempt_that_is_resolved_late_blames_no_other_daemon() {
    let (_world, daemon, stacks) = begin(3);
    daemon.run(async {
        let chain = FaultyNode::over(&daemon.ports.chain);
        let stopping = CancellationToken::new();
        let engine = engine_over(&daemon, &chain, &stopping);
        chain.lose_next_outcome();
        let first = settle(&daemon, stacks[0], GasOptions::default()).await;
        assert_awaits_effects(&outcome(&engine, first).await);
        assert_settles(&engine, &daemon, stacks[1], GasOptions::default()).await;
        stopping.cancel();
        engine.stopped().await;

        chain.restore_outcomes();
        let started = engine_over(&daemon, &chain, &CancellationToken::new());
        started.recover().await.unwrap();
        assert!(started.resolved(PATIENCE).await);
        assert_settles(&started, &daemon, stacks[2], GasOptions::default()).await;
        assert_eq!(started.warnings(), Vec::<String>::new());
    });
}

#[track_caller]
fn assert_awaits_effects(waited: &Waited) {
    assert_eq!(waited.status, IntentStatus::Submitted, "{waited:?}");
    assert!(waited.tx_digest.is_some(), "{waited:?}");
    assert!(
        matches!(&waited.failure, Some(Failure::SuiNodeError { reason }) if reason.contains("has executed")),
        "{waited:?}"
    );
}

/// A signer that fails a few times: its device was unplugged.
#[derive(Debug)]
struct FlakySigner {
    inner: Arc<dyn Signer>,
    failures: AtomicUsize,
}

#[async_trait]
impl Signer for FlakySigner {
    fn address(&self) -> Address {
        self.inner.address()
    }

    async fn sign(&self, unsigned: UnsignedTransaction) -> Result<SignedTransaction, SignError> {
        let left = |left: usize| left.checked_sub(1);
        match self.failures.fetch_update(Relaxed, Relaxed, left) {
            Ok(_) => Err(SignError::Failed("unplugged (injected)".into())),
            Err(_) => self.inner.sign(unsigned).await,
        }
    }
}

#[test]
fn a_signer_that_fails_pauses_its_lane() {
    let (_world, daemon, stacks) = begin(1);
    daemon.run(async {
        let signer = Arc::new(FlakySigner {
            inner: Arc::clone(&daemon.ports.signer),
            failures: AtomicUsize::new(usize::MAX),
        });
        let ports = atoma_operator::Ports {
            signer: signer.clone(),
            ..daemon.ports.clone()
        };
        let config = crate::support::faulty_node::config();
        let engine = Engine::new(ports, config, CancellationToken::new());
        let intent = settle(&daemon, stacks[0], GasOptions::default()).await;
        let mut waited = outcome(&engine, intent).await;
        assert!(
            matches!(&waited.failure, Some(Failure::Internal { reason }) if reason.contains("unplugged")),
            "{waited:?}"
        );
        signer.failures.store(0, Relaxed);
        while !waited.status.is_final() {
            tokio::task::yield_now().await;
            waited = engine.wait(&[waited.id], PATIENCE).await.remove(0);
        }
        assert_eq!(waited.status, IntentStatus::Succeeded, "{waited:?}");
    });
}
