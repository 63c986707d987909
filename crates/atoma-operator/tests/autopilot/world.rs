//! A local network with tasks, whose clock the tests move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atoma_domain::ports::{Clock, ContractState as _};
use atoma_domain::{Address, NodeSmallId, StackSmallId, TaskSmallId, TimestampMs};
use atoma_localnet::{LocalNet, LocalNetConfig, NewTask, Parameters, Purchase};
use atoma_operator::SystemClock;
use atoma_sui::{SuiChain, SuiChainConfig};

/// The units of each stack, and their price per million: a full stack is worth 1 USDC.
pub(crate) const UNITS: u64 = 1_000_000;
pub(crate) const PRICE: u64 = 1_000_000;
pub(crate) const HOUR_MS: u64 = 3_600_000;

/// The system's clock, set ahead together with the network's.
#[derive(Debug, Default)]
pub(crate) struct TestClock {
    ahead_ms: AtomicU64,
}

impl Clock for TestClock {
    fn now(&self) -> TimestampMs {
        let ahead = self.ahead_ms.load(Ordering::Relaxed);
        TimestampMs::new(SystemClock.now().get() + ahead)
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed() + Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }
}

/// A local network.
pub(crate) struct World {
    pub(crate) network: LocalNet,
    pub(crate) chain: Arc<SuiChain>,
    pub(crate) clock: Arc<TestClock>,
}

impl World {
    /// A network in which every settlement of a sampling-consensus task draws an attester.
    pub(crate) async fn start(seed: u64) -> Self {
        let config = LocalNetConfig {
            seed,
            ..LocalNetConfig::default()
        };
        let network = LocalNet::start(config).await.unwrap();
        let parameters = Parameters {
            cross_validation_probability_permille: Some(1_000),
            ..Parameters::default()
        };
        network.set_parameters(&parameters).unwrap();
        let addresses = network.addresses();
        let config = SuiChainConfig::new(network.url(), addresses.package, addresses.atoma_db);
        let world = Self {
            chain: SuiChain::connect(config).unwrap(),
            network,
            clock: Arc::default(),
        };
        // The first epoch began at genesis, long ago.
        world.network.advance_epoch().unwrap();
        world
    }

    /// A task of that security level.
    pub(crate) fn task(&self, security_level: u16) -> TaskSmallId {
        let task = NewTask {
            role: 0,
            model_name: Some(String::from("model")),
            security_level,
            minimum_reputation_score: None,
            is_public: true,
        };
        self.network.create_task(&task).unwrap()
    }

    /// Buys stacks of a node.
    pub(crate) fn buy(
        &self,
        task: TaskSmallId,
        node: NodeSmallId,
        count: u64,
    ) -> Vec<StackSmallId> {
        let purchase = Purchase {
            task_small_id: task,
            num_compute_units: UNITS,
            price: PRICE,
            count,
            node_small_id: Some(node),
        };
        self.network.buy_stacks(&purchase).unwrap()
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, ms: u64) {
        self.network.advance_clock(ms);
        self.clock.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Ends the epoch.
    pub(crate) fn end_epoch(&self) {
        self.network.advance_epoch().unwrap();
    }

    /// What the operator's address holds, in micro-USDC.
    pub(crate) fn usdc_of(&self, address: Address) -> u64 {
        self.balance_of(address, "::USDC")
    }

    /// What an address holds of the coin whose type ends so, in its smallest unit.
    pub(crate) fn balance_of(&self, address: Address, coin_type: &str) -> u64 {
        let state = self.network.state().unwrap();
        let coins = state["balances"][address.to_string()].as_object().unwrap();
        let held = coins.iter().find(|(coin, _)| coin.ends_with(coin_type));
        held.map_or(0, |(_, balance)| balance.as_u64().unwrap())
    }

    /// The shares that the contract owes a node, in micro-USDC.
    pub(crate) fn owed(&self, node: NodeSmallId) -> u64 {
        let state = self.network.state().unwrap();
        let entry = &state["nodes"][node.to_string()];
        entry["available_fee_amount"].as_u64().unwrap()
    }

    /// The version of the contract's state.
    pub(crate) async fn version(&self) -> u64 {
        // A fault that is injected counts calls, so it ends.
        loop {
            if let Ok(counters) = self.chain.counters().await {
                return counters.version;
            }
        }
    }
}
