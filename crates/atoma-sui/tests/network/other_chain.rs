//! A node of another chain behind the same address.

use std::sync::Arc;

use atoma_domain::Digest;
use atoma_domain::Epoch;
use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{
    Chain as _, ChainError, EventCursor, EventSource as _, LedgerFrame, LedgerStream, SimulatedGas,
    SubmitError, Until, ViewQuery,
};
use atoma_domain::{CheckpointNumber, TaskSmallId};
use atoma_localnet::{LocalNet, LocalNetConfig};
use atoma_sui::{SuiChain, SuiChainConfig, SuiEventSource};

use crate::fake_node::{FakeNode, OBJECT};
use crate::support::{NOBODY, TestNetwork, transactions};
use crate::switch::Switch;

/// Two networks, and an address that leads to the first one.
struct World {
    own: TestNetwork,
    other: LocalNet,
    switch: Switch,
    chain: Arc<SuiChain>,
}

impl World {
    async fn start() -> Self {
        let own = TestNetwork::start().await;
        let other = LocalNet::start(LocalNetConfig {
            seed: 77,
            ..LocalNetConfig::default()
        });
        let switch = Switch::to(&own.localnet.url()).await;
        let addresses = own.localnet.addresses();
        let config = SuiChainConfig::new(&switch.url, addresses.package, addresses.atoma_db);
        Self {
            chain: SuiChain::connect(config).unwrap(),
            other: other.await.unwrap(),
            switch,
            own,
        }
    }

    fn source(&self) -> SuiEventSource {
        SuiEventSource::new(self.chain.clone(), CheckpointNumber::new(0))
    }

    /// Leads the address to another node. Calls on the connections that this cuts fail.
    async fn switch_to(&self, url: &str) {
        self.switch.set(url);
        reconnect(&self.chain).await;
    }

    fn assert_other(&self, error: &ChainError) {
        let ChainError::OtherChain {
            node,
            expected,
            found,
        } = error
        else {
            panic!("{error:?}");
        };
        assert_eq!(*node, self.switch.url);
        assert_eq!(expected.to_string(), self.own.localnet.chain_id());
        assert_eq!(found.to_string(), self.other.chain_id());
    }
}

/// Calls the node until it answers again.
async fn reconnect(chain: &SuiChain) {
    while let Err(ChainError::Unavailable(_)) = chain.height().await {}
}

/// Reads until a transaction arrives, and returns the last frame.
async fn read_one(stream: &mut Box<dyn LedgerStream>) -> LedgerFrame {
    loop {
        let steps = stream.next_steps(1).await.unwrap();
        if transactions(&steps).next().is_some() {
            return steps.into_iter().next_back().unwrap();
        }
    }
}

#[tokio::test]
async fn the_ledger_of_another_chain_moves_nothing() {
    let world = World::start().await;
    world.own.task(0);
    let mut stream = world.source().follow(None).await.unwrap();
    let mut cursor: EventCursor = read_one(&mut stream).await.cursor;
    world.switch_to(&world.other.url()).await;
    // What the own network does meanwhile must not be missed.
    let missed: TaskSmallId = world.own.task(0);
    let error = loop {
        match stream.next_steps(64).await {
            Ok(steps) => cursor = steps.last().unwrap().cursor.clone(),
            Err(error) => break error,
        }
    };
    world.assert_other(&error);
    for _ in 0..2 {
        let error = world.source().follow(Some(cursor.clone())).await;
        world.assert_other(&error.err().unwrap());
    }
    world.assert_other(&world.chain.height().await.unwrap_err());
    world.assert_other(&world.chain.identity().await.unwrap_err());

    world.switch_to(&world.own.localnet.url()).await;
    let mut stream = world.source().follow(Some(cursor)).await.unwrap();
    let frame = read_one(&mut stream).await;
    let ContractEvent::TaskRegistered(task) = &frame.transaction.unwrap().events[0] else {
        panic!("not the task");
    };
    assert_eq!(task.task_small_id, missed);
}

#[tokio::test]
async fn another_chains_node_is_not_trusted_with_anything() {
    let world = World::start().await;
    let signer = world.own.funded(0);
    let plan = world
        .own
        .plan(
            &signer,
            None,
            &[atoma_domain::contract::ContractCall::RegisterNode],
        )
        .await;
    world.chain.view(&ViewQuery::default()).await.unwrap();
    let unsigned = world.chain.build(&plan).unwrap();
    let signed = atoma_domain::ports::Signer::sign(&signer, unsigned.clone())
        .await
        .unwrap();
    world.switch_to(&world.other.url()).await;

    let chain = &world.chain;
    world.assert_other(&chain.view(&ViewQuery::default()).await.unwrap_err());
    world.assert_other(&chain.epoch().await.unwrap_err());
    world.assert_other(&chain.lookup(signed.digest).await.unwrap_err());
    let absent = chain.is_absent(signed.digest, Epoch::new(0), Until::EpochEnd);
    world.assert_other(&absent.await.unwrap_err());
    world.assert_other(&chain.consumption(&plan.gas).await.unwrap_err());
    world.assert_other(&chain.gas_coins(signer.owner()).await.unwrap_err());
    let object = chain.object(*plan.gas[0].object_id());
    world.assert_other(&object.await.unwrap_err());
    let simulated = chain.simulate(&unsigned, SimulatedGas::AsPlanned).await;
    world.assert_other(&simulated.unwrap_err());
    let Err(SubmitError::Unknown(cause)) = chain.execute(&signed).await else {
        panic!("the submission must not be decided by another chain");
    };
    world.assert_other(cause.downcast_ref().unwrap());
}

#[tokio::test]
async fn nodes_that_send_no_headers_are_asked_for_their_chain() {
    let own = FakeNode::default().listen().await;
    let other = FakeNode {
        chain: Digest::new([9; 32]),
        ..FakeNode::default()
    };
    let switch = Switch::to(&own).await;
    let chain = SuiChain::connect(SuiChainConfig::new(&switch.url, NOBODY, NOBODY)).unwrap();
    chain.height().await.unwrap();
    chain.object(OBJECT).await.unwrap();
    switch.set(&other.listen().await);
    reconnect(&chain).await;
    for error in [
        chain.object(OBJECT).await.unwrap_err(),
        chain.height().await.unwrap_err(),
    ] {
        assert!(matches!(error, ChainError::OtherChain { .. }), "{error:?}");
    }
}
