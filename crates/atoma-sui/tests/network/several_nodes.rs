//! Several nodes of one network, of which one fails, lags or contradicts.

use std::sync::Arc;

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{
    AsideReason, Chain, ChainError, EventSource as _, SubmitError, Until, ViewQuery,
};
use atoma_domain::{CheckpointNumber, Epoch};
use atoma_localnet::{Fault, FaultKind, LocalNet, LocalNetConfig, LocalNode};
use atoma_sui::{RequestLimit, SuiChainConfig, SuiNodes, SuiNodesSource};

use crate::support::{TestNetwork, transactions};

/// A network with a second node, and both of them behind one port.
struct Pair {
    network: TestNetwork,
    second: LocalNode,
    nodes: SuiNodes,
}

impl Pair {
    async fn start() -> Self {
        let network = TestNetwork::start().await;
        let second = network.localnet.start_node().await.unwrap();
        let nodes = nodes(&network.localnet, &[network.localnet.url(), second.url()]);
        let chain = network.localnet.chain_id().parse().unwrap();
        nodes.expect_chain(chain).unwrap();
        Self {
            network,
            second,
            nodes,
        }
    }

    /// Why each of them is left aside.
    fn aside(&self) -> Vec<Option<AsideReason>> {
        aside(&self.nodes)
    }

    /// A fault of the first node that hits all its calls.
    fn first(&self, kind: FaultKind, checkpoints: u64) {
        self.network
            .localnet
            .inject_fault(lasting(kind, checkpoints));
    }

    fn second(&self, kind: FaultKind, checkpoints: u64) {
        self.second.inject_fault(lasting(kind, checkpoints));
    }
}

fn nodes(network: &LocalNet, urls: &[String]) -> SuiNodes {
    let addresses = network.addresses();
    let configs = urls
        .iter()
        .map(|url| SuiChainConfig::new(url, addresses.package, addresses.atoma_db));
    SuiNodes::connect(configs).unwrap()
}

fn aside(nodes: &SuiNodes) -> Vec<Option<AsideReason>> {
    let reports = nodes.sui_nodes().into_iter();
    reports
        .map(|report| report.left_aside.map(|aside| aside.reason))
        .collect()
}

/// A fault of all calls.
fn lasting(kind: FaultKind, checkpoints: u64) -> Fault {
    Fault {
        count: u64::MAX,
        ms: 3_600_000,
        checkpoints,
        ..Fault::once(kind)
    }
}

#[tokio::test]
async fn reads_go_to_the_next_node_and_back_once_the_first_is_well() {
    let pair = Pair::start().await;
    let identity = pair.nodes.identity().await.unwrap();
    assert_eq!(pair.aside(), [None, None]);
    pair.first(FaultKind::Unavailable, 1);
    assert_eq!(pair.nodes.identity().await.unwrap(), identity);
    assert_eq!(pair.aside(), [Some(AsideReason::Unreachable), None]);
    // The second alone answers: the first is not asked before it is looked at.
    pair.network.localnet.clear_faults();
    pair.nodes.epoch().await.unwrap();
    assert_eq!(pair.aside(), [Some(AsideReason::Unreachable), None]);
    pair.nodes.look_once().await;
    assert_eq!(pair.aside(), [None, None]);
    let heights = pair.nodes.sui_nodes();
    assert!(heights.iter().all(|report| report.height.is_some()));
}

#[tokio::test]
async fn while_all_are_aside_all_are_asked() {
    let pair = Pair::start().await;
    pair.first(FaultKind::Unavailable, 1);
    pair.second(FaultKind::Unavailable, 1);
    let error = pair.nodes.epoch().await.unwrap_err();
    assert!(matches!(error, ChainError::Unavailable(_)), "{error:?}");
    pair.second.clear_faults();
    pair.nodes.epoch().await.unwrap();
    assert_eq!(pair.aside(), [Some(AsideReason::Unreachable), None]);
}

#[tokio::test]
async fn too_many_requests_are_told_from_other_failures() {
    let pair = Pair::start().await;
    pair.first(FaultKind::RateLimit, 1);
    pair.nodes.epoch().await.unwrap();
    assert_eq!(pair.aside(), [Some(AsideReason::RateLimited), None]);
}

#[tokio::test]
async fn a_node_that_names_a_checkpoint_it_does_not_have_is_left_aside() {
    let pair = Pair::start().await;
    pair.second(FaultKind::HeightTooHigh, 1_000_000);
    pair.nodes.look_once().await;
    assert_eq!(pair.aside(), [None, Some(AsideReason::Height)]);
    // Its height makes nobody else look late, and is not believed later.
    pair.second.clear_faults();
    pair.nodes.look_once().await;
    assert_eq!(pair.aside(), [None, None]);
}

#[tokio::test]
async fn a_node_that_is_far_behind_is_left_aside() {
    let pair = Pair::start().await;
    for _ in 0..3 {
        pair.network.localnet.advance_clock(20_000);
        pair.network.localnet.step().unwrap();
    }
    pair.nodes.look_once().await;
    assert_eq!(pair.aside(), [None, None]);
    pair.first(FaultKind::NodeLags, 2);
    pair.nodes.look_once().await;
    assert_eq!(pair.aside(), [Some(AsideReason::Lags), None]);
}

#[tokio::test]
async fn a_height_that_goes_back_is_a_contradiction() {
    let pair = Pair::start().await;
    for _ in 0..120 {
        pair.network.localnet.step().unwrap();
    }
    pair.nodes.look_once().await;
    pair.second(FaultKind::NodeLags, 110);
    pair.nodes.look_once().await;
    assert_eq!(pair.aside(), [None, Some(AsideReason::Height)]);
}

#[tokio::test]
async fn most_nodes_decide_which_checkpoint_is_right() {
    let network = TestNetwork::start().await;
    let (second, third) = (
        network.localnet.start_node().await.unwrap(),
        network.localnet.start_node().await.unwrap(),
    );
    let urls = [network.localnet.url(), second.url(), third.url()];
    let nodes = nodes(&network.localnet, &urls);
    nodes.identity().await.unwrap();
    network
        .localnet
        .inject_fault(lasting(FaultKind::OtherCheckpoints, 1));
    nodes.look_once().await;
    assert_eq!(aside(&nodes), [Some(AsideReason::Checkpoint), None, None]);
    // Of two, the preferred one is believed.
    network.localnet.clear_faults();
    second.stop();
    third.inject_fault(lasting(FaultKind::OtherCheckpoints, 1));
    nodes.look_once().await;
    let found = aside(&nodes);
    assert_eq!((found[0], found[2]), (None, Some(AsideReason::Checkpoint)));
    assert_eq!(found[1], Some(AsideReason::Unreachable));
}

#[tokio::test]
async fn a_node_of_another_chain_is_never_read() {
    let network = TestNetwork::start().await;
    let config = LocalNetConfig {
        seed: 77,
        ..LocalNetConfig::default()
    };
    let other = LocalNet::start(config).await.unwrap();
    let nodes = nodes(&network.localnet, &[other.url(), network.localnet.url()]);
    nodes
        .expect_chain(network.localnet.chain_id().parse().unwrap())
        .unwrap();
    let identity = nodes.identity().await.unwrap();
    assert_eq!(identity.chain_id.to_string(), network.localnet.chain_id());
    assert_eq!(aside(&nodes), [Some(AsideReason::OtherChain), None]);
    nodes.look_once().await;
    assert_eq!(aside(&nodes), [Some(AsideReason::OtherChain), None]);
}

/// A look may reach the wrong node first.
#[tokio::test]
async fn a_look_does_not_decide_which_chain_it_is() {
    let network = TestNetwork::start().await;
    let second = network.localnet.start_node().await.unwrap();
    second.inject_fault(lasting(FaultKind::OtherChain, 1));
    let nodes = nodes(&network.localnet, &[network.localnet.url(), second.url()]);
    nodes.look_once().await;
    let identity = nodes.identity().await.unwrap();
    assert_eq!(identity.chain_id.to_string(), network.localnet.chain_id());
    nodes.look_once().await;
    assert_eq!(aside(&nodes), [None, Some(AsideReason::OtherChain)]);
}

/// What an attempt reads first binds the rest to that node, and another attempt may go elsewhere.
#[tokio::test]
async fn an_attempt_stays_with_the_node_that_answered_first() {
    let pair = Pair::start().await;
    let signer = pair.network.funded(0);
    let one = pair.nodes.through_one_node().unwrap();
    pair.first(FaultKind::Unavailable, 1);
    one.view(&ViewQuery::default()).await.unwrap();
    // The first is well again, but the attempt has begun at the second.
    pair.network.localnet.clear_faults();
    pair.nodes.look_once().await;
    let plan = pair
        .network
        .plan(&signer, None, &[ContractCall::RegisterNode])
        .await;
    let unsigned = one.build(&plan).unwrap();
    let signed = atoma_domain::ports::Signer::sign(&signer, unsigned)
        .await
        .unwrap();
    pair.second(FaultKind::Unavailable, 1);
    let lost = one.execute(&signed).await;
    assert!(matches!(lost, Err(SubmitError::Unknown(_))), "{lost:?}");
    assert!(one.epoch().await.is_err());
    assert_eq!(pair.aside(), [None, Some(AsideReason::Unreachable)]);
    // The same bytes by way of the other node, for the next look for the outcome.
    let next = pair.nodes.through_one_node().unwrap();
    assert_eq!(next.lookup(signed.digest).await.unwrap(), None);
    next.execute(&signed).await.unwrap();
    // Executed is executed, whichever node shows it.
    assert!(one.lookup(signed.digest).await.unwrap().is_some());
}

/// A mirror is rebuilt from a cursor and a state. From two nodes, the cursor could be ahead of the state.
#[tokio::test]
async fn a_cursor_and_the_state_after_it_come_from_one_node() {
    use atoma_domain::ports::ContractState;

    let pair = Pair::start().await;
    let one = ContractState::through_one_node(&pair.nodes).unwrap();
    one.newest_cursor().await.unwrap();
    pair.first(FaultKind::Unavailable, 1);
    assert!(one.counters().await.is_err());
    pair.network.localnet.clear_faults();
    // Without it, the other node answers.
    pair.first(FaultKind::Unavailable, 1);
    ContractState::counters(&pair.nodes).await.unwrap();
}

/// One node hides what it has executed and has the whole epoch: alone it would prove that the transaction is dead.
#[tokio::test]
async fn nothing_is_absent_that_another_node_shows() {
    let pair = Pair::start().await;
    let signer = pair.network.funded(0);
    let plan = pair
        .network
        .plan(&signer, None, &[ContractCall::RegisterNode])
        .await;
    let executed = pair.network.run(&signer, &plan).await;
    let epoch = executed.epoch;
    pair.network.localnet.advance_epoch().unwrap();
    for _ in 0..30 {
        pair.network.localnet.step().unwrap();
    }
    let absent = |nodes: SuiNodes, digest| async move {
        nodes.is_absent(digest, epoch, Until::EpochEnd).await
    };
    let unknown = atoma_domain::Digest::new([9; 32]);
    assert!(absent(pair.nodes.clone(), unknown).await.unwrap());
    assert!(!absent(pair.nodes.clone(), executed.digest).await.unwrap());
    // A node that lags proves nothing, and one that is left aside is not asked.
    pair.first(FaultKind::NodeLags, 40);
    pair.second(FaultKind::NodeLags, 40);
    assert!(!absent(pair.nodes.clone(), unknown).await.unwrap_or(false));
    pair.second.clear_faults();
    assert!(absent(pair.nodes.clone(), unknown).await.unwrap());
    pair.second(FaultKind::HeightTooHigh, 1_000);
    pair.nodes.look_once().await;
    assert!(!absent(pair.nodes.clone(), unknown).await.unwrap_or(false));
    let later = Epoch::new(epoch.get() + 5);
    assert!(
        !pair
            .nodes
            .is_absent(unknown, later, Until::EpochEnd)
            .await
            .unwrap_or(false)
    );
}

/// The cursor of one node means the same at the other one.
#[tokio::test]
async fn the_ledger_is_followed_on_at_the_other_node() {
    let pair = Pair::start().await;
    let operator = pair.network.operator(0, &[]).await;
    let source = SuiNodesSource::new(pair.nodes.clone(), CheckpointNumber::new(0));
    let mut stream = source.follow(None).await.unwrap();
    let mut cursor = None;
    let mut seen = Vec::new();
    let mut sent = Vec::new();
    for round in 0..4 {
        match round {
            1 => pair.first(FaultKind::Unavailable, 1),
            2 => pair.network.localnet.clear_faults(),
            3 => pair.second.stop(),
            _ => {}
        }
        if round > 0 {
            pair.nodes.look_once().await;
            stream = source.follow(cursor.clone()).await.unwrap();
        }
        let executed = match round {
            1 => None,
            _ => Some(
                pair.network
                    .act(&operator, ContractCall::WithdrawFees)
                    .await,
            ),
        };
        let Some(executed) = executed else { continue };
        sent.push(executed.digest);
        while !seen.contains(&executed.digest) {
            let frames = stream.next_steps(64).await.unwrap();
            seen.extend(transactions(&frames).map(|read| read.digest));
            cursor = frames.last().map(|frame| frame.cursor.clone());
        }
    }
    seen.retain(|digest| sent.contains(digest));
    assert_eq!(seen, sent);
}

/// A stream that waits for a node's next checkpoint ends when the node is left aside.
#[tokio::test]
async fn a_stream_of_a_node_that_is_left_aside_ends() {
    let pair = Pair::start().await;
    let source = SuiNodesSource::new(pair.nodes.clone(), CheckpointNumber::new(0));
    let mut stream = source.follow(None).await.unwrap();
    stream.next_steps(64).await.unwrap();
    let nodes = Arc::new(pair.nodes.clone());
    let waits = tokio::spawn(async move {
        loop {
            if let Err(error) = stream.next_steps(64).await {
                return error;
            }
        }
    });
    pair.first(FaultKind::HeightTooHigh, 1_000_000);
    nodes.look_once().await;
    let error = atoma_domain::with_causes(&waits.await.unwrap());
    assert!(error.contains("is left aside"), "{error}");
    source.follow(None).await.unwrap();
}

/// A request that finds the first node's limit used up waits there, and the next one goes to the other node.
#[tokio::test]
async fn a_limit_holds_requests_back_and_others_go_to_the_next_node() {
    let network = TestNetwork::start().await;
    let second = network.localnet.start_node().await.unwrap();
    let addresses = network.localnet.addresses();
    let configs = [network.localnet.url(), second.url()].map(|url| SuiChainConfig {
        limit: RequestLimit::in_30_s(1),
        ..SuiChainConfig::new(url, addresses.package, addresses.atoma_db)
    });
    let nodes = SuiNodes::connect(configs).unwrap();
    let waiting = |nodes: &SuiNodes| -> Vec<usize> {
        let reports = nodes.sui_nodes().into_iter();
        reports.map(|report| report.waiting).collect()
    };
    nodes.epoch().await.unwrap();
    let held = {
        let nodes = nodes.clone();
        tokio::spawn(async move { nodes.epoch().await })
    };
    while waiting(&nodes) != [1, 0] {
        tokio::task::yield_now().await;
    }
    nodes.epoch().await.unwrap();
    assert_eq!(aside(&nodes), [None, None]);
    held.abort();
    assert!(held.await.is_err());
    assert_eq!(waiting(&nodes), [0, 0]);
}
