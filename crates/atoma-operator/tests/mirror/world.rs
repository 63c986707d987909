//! A local network with operators, and mirrors of it.

use std::sync::Arc;

use atoma_domain::contract::ContractCall;
use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{
    Chain as _, ChainEvents as _, Clock, ContractState as _, EventSource as _, Executed,
    ExecutionOutcome, LedgerFrame, MirrorRepair as _, Repair, Signer as _, TransactionPlan,
    ViewQuery,
};
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{
    Address, CheckpointNumber, ComputeUnits, Hash32, HexBytes, Mist, NodeSmallId, ObjectId,
    PricePerMillion, StackSmallId, TaskSmallId, TimestampMs,
};
use atoma_localnet::{LocalNet, LocalNetConfig, NewTask, Parameters, Purchase};
use atoma_operator::{Applied, Ingestor, Reconciler};
use atoma_state::SqliteState;
use atoma_sui::{KeystoreSigner, SuiChain, SuiChainConfig, SuiEventSource};

use crate::state;

/// Keys of two signature schemes, from the test vectors.
const KEYS: [&str; 2] = [
    "suiprivkey1qqrswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswxzszc4",
    "suiprivkey1qyyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqstzfgf4",
];
pub(crate) const PRICE: PricePerMillion = PricePerMillion::new(1_000);

/// Always the same time.
#[derive(Debug)]
pub(crate) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> TimestampMs {
        TimestampMs::new(1_000)
    }
}

/// A local network with two operators.
pub(crate) struct World {
    pub(crate) localnet: LocalNet,
    pub(crate) chain: Arc<SuiChain>,
    pub(crate) operators: Vec<WorldOperator>,
}

/// An operator with a node.
pub(crate) struct WorldOperator {
    signer: Arc<KeystoreSigner>,
    pub(crate) node: NodeSmallId,
    badge: ObjectId,
}

/// A mirror of the network.
pub(crate) struct Mirror {
    pub(crate) store: SqliteState,
    pub(crate) reconciler: Reconciler,
    ingestor: Ingestor,
}

impl World {
    /// A network in which every settlement of a sampling-consensus task draws attesters.
    pub(crate) async fn start() -> Self {
        Self::start_with(LocalNetConfig::default()).await
    }

    /// The same on a network with these settings.
    pub(crate) async fn start_with(config: LocalNetConfig) -> Self {
        let localnet = LocalNet::start(config).await.unwrap();
        let parameters = Parameters {
            cross_validation_probability_permille: Some(1_000),
            ..Parameters::default()
        };
        localnet.set_parameters(&parameters).unwrap();
        let addresses = localnet.addresses();
        let config = SuiChainConfig::new(localnet.url(), addresses.package, addresses.atoma_db);
        let chain = SuiChain::connect(config).unwrap();
        let mut world = Self {
            localnet,
            chain,
            operators: Vec::new(),
        };
        for key in KEYS {
            let signer = KeystoreSigner::from_suiprivkey(key).unwrap();
            let coins = [1_000_000_000_000, 1_000_000_000];
            world
                .localnet
                .faucet_coins(signer.address(), &coins)
                .unwrap();
            let register = [ContractCall::RegisterNode];
            let executed = world.run(&signer, None, &register).await;
            let [ContractEvent::NodeRegistered(event)] = executed.events.as_slice() else {
                panic!("{:?}", executed.events);
            };
            world.operators.push(WorldOperator {
                signer: Arc::new(signer),
                node: event.node_small_id,
                badge: event.badge_id,
            });
        }
        world
    }

    /// An operator's address.
    pub(crate) fn address_of(&self, operator: usize) -> Address {
        self.operators[operator].signer.address()
    }

    /// The address whose nodes are the mirror's own.
    pub(crate) fn operator(&self) -> Address {
        self.operators[0].signer.address()
    }

    /// Signs for that address.
    pub(crate) fn signer(&self) -> Arc<KeystoreSigner> {
        Arc::clone(&self.operators[0].signer)
    }

    pub(crate) fn task(&self, security_level: u16) -> TaskSmallId {
        let task = NewTask {
            role: 0,
            model_name: Some("model".to_owned()),
            security_level,
            minimum_reputation_score: None,
            is_public: true,
        };
        self.localnet.create_task(&task).unwrap()
    }

    /// A stack of a task to which the node is subscribed.
    pub(crate) fn stack(&self, task: TaskSmallId, node: NodeSmallId) -> Option<StackSmallId> {
        let purchase = Purchase {
            task_small_id: task,
            num_compute_units: 1_000,
            price: PRICE.get(),
            count: 1,
            node_small_id: Some(node),
        };
        let bought = self.localnet.buy_stacks(&purchase).ok()?;
        bought.first().copied()
    }

    /// Calls the contract with an operator's badge, and returns whether the call succeeded.
    pub(crate) async fn call(&self, operator: usize, call: ContractCall) -> bool {
        let operator = &self.operators[operator];
        let calls = [call];
        let executed = self.run(&operator.signer, Some(operator.badge), &calls);
        executed.await.outcome == ExecutionOutcome::Success
    }

    pub(crate) async fn subscribe(&self, operator: usize, task: TaskSmallId) {
        let price = PRICE;
        let subscribe = ContractCall::SubscribeToTask { task, price };
        assert!(self.call(operator, subscribe).await);
    }

    /// Settles a stack with one message.
    pub(crate) async fn settle(&self, operator: usize, stack: StackSmallId) -> bool {
        let settle = ContractCall::TrySettleStack {
            stack,
            claimed: ComputeUnits::new(600),
            proof: SettlementProof::of_selected_node(&root(), 1, 1).unwrap(),
        };
        self.call(operator, settle).await
    }

    async fn run(
        &self,
        signer: &KeystoreSigner,
        badge: Option<ObjectId>,
        calls: &[ContractCall],
    ) -> Executed {
        let query = ViewQuery {
            badge,
            ..ViewQuery::default()
        };
        let view = self.chain.view(&query).await.unwrap();
        let coins = self.chain.gas_coins(signer.address()).await.unwrap();
        let plan = TransactionPlan {
            split: Vec::new(),
            sender: signer.address(),
            badge: view.badge,
            calls: calls.to_vec(),
            gas: vec![coins[0].reference.clone()],
            gas_price: view.epoch.reference_gas_price,
            gas_budget: Mist::new(100_000_000),
            expires_after: view.epoch.epoch,
        };
        let unsigned = self.chain.build(&plan).unwrap();
        let signed = signer.sign(unsigned).await.unwrap();
        self.chain.execute(&signed).await.unwrap()
    }

    /// Commits to a node's key, as the service on its machine does. Returns whether the call succeeded.
    pub(crate) async fn rotate_key(&self, operator: usize, device_type: u16) -> bool {
        let state = self.localnet.state().unwrap();
        let rotate = ContractCall::RotateNodePublicKey {
            commitment: HexBytes(vec![7; 4]),
            evidence: HexBytes(vec![1]),
            key_rotation_counter: state["parameters"]["key_rotation_counter"]
                .as_u64()
                .unwrap(),
            device_type,
        };
        self.call(operator, rotate).await
    }

    /// Whether an operator still has its badge.
    pub(crate) async fn has_badge(&self, operator: usize) -> bool {
        let badge = self.operators[operator].badge;
        self.chain.object(badge).await.unwrap().is_some()
    }

    /// All of the ledger's steps so far.
    pub(crate) async fn ledger(&self) -> Vec<LedgerFrame> {
        let version = self.chain.counters().await.unwrap().version;
        let mut stream = self.source().follow(None).await.unwrap();
        let mut frames = Vec::new();
        loop {
            frames.extend(stream.next_steps(64).await.unwrap());
            let versions = frames.iter().map(|frame| frame.transaction.as_ref());
            if versions
                .flatten()
                .any(|transaction| transaction.contract_version >= Some(version))
            {
                return frames;
            }
        }
    }

    pub(crate) fn source(&self) -> SuiEventSource {
        SuiEventSource::new(self.chain.clone(), CheckpointNumber::new(0))
    }

    pub(crate) async fn mirror(&self) -> Mirror {
        self.mirror_in(SqliteState::open_temporary().await.unwrap())
    }

    pub(crate) fn mirror_in(&self, store: SqliteState) -> Mirror {
        let applied = Applied::default();
        let reconciler = Reconciler::new(
            self.chain.clone(),
            Arc::new(store.clone()),
            Arc::new(StoppedClock),
            applied.clone(),
        );
        let ingestor = Ingestor::new(
            Arc::new(self.source()),
            Arc::new(store.clone()),
            self.operator(),
            applied,
        );
        Mirror {
            ingestor: ingestor.rebuilding_with(reconciler.clone()),
            store,
            reconciler,
        }
    }

    /// Follows the ledger up to the contract's present version.
    pub(crate) async fn follow(&self, mirror: &mut Mirror) {
        let version = self.chain.counters().await.unwrap().version;
        while mirror.store.progress().await.unwrap().contract_version < Some(version) {
            mirror.ingestor.step_once().await.unwrap();
        }
    }

    /// The differences between the mirror and the network's own state, by name.
    pub(crate) async fn differences(&self, mirror: &Mirror) -> Vec<&'static str> {
        let version = mirror.store.progress().await.unwrap().contract_version;
        assert_eq!(version, Some(self.chain.counters().await.unwrap().version));
        let state = state::of(&self.localnet.state().unwrap(), version.unwrap());
        let now = TimestampMs::new(1_000);
        let compared = mirror
            .store
            .reconcile(&state, Repair::Nothing, &[], now)
            .await
            .unwrap();
        assert_eq!(compared.open, []);
        let kinds = compared.differences.iter();
        kinds.map(|difference| difference.kind.name()).collect()
    }
}

/// The root of a stack with one message.
pub(crate) fn root() -> Hash32 {
    Hash32::of(&[b"a request and its response"])
}
