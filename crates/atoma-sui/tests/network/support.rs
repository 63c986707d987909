//! A local network with operators, and the steps that all tests share.

use std::sync::Arc;

use atoma_domain::contract::ContractCall;
use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{
    Chain, EventCursor, EventSource, Executed, ExecutionOutcome, LedgerFrame, LedgerTransaction,
    Signer, SimulatedGas, TransactionPlan, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Hash32, Mist, NodeSmallId, ObjectId, ObjectReference,
    PricePerMillion, StackSmallId, TaskSmallId,
};
use atoma_localnet::{LocalNet, LocalNetConfig, NewTask, Purchase};
use atoma_sui::{KeystoreSigner, SuiChain, SuiChainConfig, SuiEventSource};

/// Keys of all three signature schemes, from the test vectors.
const KEYS: [&str; 3] = [
    "suiprivkey1qqrswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswxzszc4",
    "suiprivkey1qyyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqstzfgf4",
    "suiprivkey1qgysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysj948evh",
];

pub(crate) const SUI: u64 = 1_000_000_000;
pub(crate) const PRICE: PricePerMillion = PricePerMillion::new(1_000);
pub(crate) const BUDGET: Mist = Mist::new(100_000_000);

/// A local network and a connection to it.
pub(crate) struct TestNetwork {
    pub(crate) localnet: LocalNet,
    pub(crate) chain: Arc<SuiChain>,
}

/// An operator with one node.
pub(crate) struct TestOperator {
    pub(crate) signer: KeystoreSigner,
    pub(crate) node: NodeSmallId,
    pub(crate) badge: ObjectId,
}

impl TestNetwork {
    pub(crate) async fn start() -> Self {
        Self::start_with(LocalNetConfig::default()).await
    }

    pub(crate) async fn start_with(config: LocalNetConfig) -> Self {
        let localnet = LocalNet::start(config).await.unwrap();
        let addresses = localnet.addresses();
        let config = SuiChainConfig::new(localnet.url(), addresses.package, addresses.atoma_db);
        let chain = SuiChain::connect(config).unwrap();
        Self { localnet, chain }
    }

    /// The key with that index, its address funded with two SUI coins.
    pub(crate) fn funded(&self, key: usize) -> KeystoreSigner {
        let signer = KeystoreSigner::from_suiprivkey(KEYS[key]).unwrap();
        self.localnet
            .faucet_coins(signer.address(), &[5 * SUI, 2 * SUI])
            .unwrap();
        signer
    }

    /// An operator with a registered node that is subscribed to the tasks.
    pub(crate) async fn operator(&self, key: usize, tasks: &[TaskSmallId]) -> TestOperator {
        let signer = self.funded(key);
        let register = [ContractCall::RegisterNode];
        let executed = self.succeed(&signer, None, &register).await;
        let [ContractEvent::NodeRegistered(event)] = executed.events.as_slice() else {
            panic!("{:?}", executed.events);
        };
        let operator = TestOperator {
            signer,
            node: event.node_small_id,
            badge: event.badge_id,
        };
        for &task in tasks {
            let price = PRICE;
            self.act(&operator, ContractCall::SubscribeToTask { task, price })
                .await;
        }
        operator
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

    pub(crate) fn stack(&self, task: TaskSmallId, node: NodeSmallId) -> StackSmallId {
        let purchase = Purchase {
            task_small_id: task,
            num_compute_units: 1_000,
            price: PRICE.get(),
            count: 1,
            node_small_id: Some(node),
        };
        self.localnet.buy_stacks(&purchase).unwrap()[0]
    }

    /// A plan with the badge's current version, paid by the largest coin.
    pub(crate) async fn plan(
        &self,
        signer: &KeystoreSigner,
        badge: Option<ObjectId>,
        calls: &[ContractCall],
    ) -> TransactionPlan {
        let query = ViewQuery {
            badge,
            ..ViewQuery::default()
        };
        let view = self.chain.view(&query).await.unwrap();
        let coins = self.chain.gas_coins(signer.address()).await.unwrap();
        TransactionPlan {
            split: Vec::new(),
            sender: signer.address(),
            badge: view.badge,
            calls: calls.to_vec(),
            gas: vec![coins[0].reference.clone()],
            gas_price: view.epoch.reference_gas_price,
            gas_budget: BUDGET,
            expires_after: view.epoch.epoch,
        }
    }

    /// Builds, simulates, signs and submits a transaction. The outcome must be the simulated one.
    pub(crate) async fn run(&self, signer: &KeystoreSigner, plan: &TransactionPlan) -> Executed {
        let unsigned = self.chain.build(plan).unwrap();
        let simulated = self
            .chain
            .simulate(&unsigned, SimulatedGas::Ample)
            .await
            .unwrap();
        assert!(simulated.gas_needed > Mist::ZERO);
        let signed = signer.sign(unsigned).await.unwrap();
        let executed = self.chain.execute(&signed).await.unwrap();
        assert_eq!(executed.outcome, simulated.outcome);
        assert!(executed.gas_used <= simulated.gas_needed);
        executed
    }

    pub(crate) async fn succeed(
        &self,
        signer: &KeystoreSigner,
        badge: Option<ObjectId>,
        calls: &[ContractCall],
    ) -> Executed {
        let plan = self.plan(signer, badge, calls).await;
        let executed = self.run(signer, &plan).await;
        assert_eq!(executed.outcome, ExecutionOutcome::Success);
        executed
    }

    pub(crate) async fn act(&self, operator: &TestOperator, call: ContractCall) -> Executed {
        self.succeed(&operator.signer, Some(operator.badge), &[call])
            .await
    }

    pub(crate) fn source(&self) -> SuiEventSource {
        SuiEventSource::new(self.chain.clone(), CheckpointNumber::new(0))
    }

    /// Follows the ledger until it reaches that transaction.
    pub(crate) async fn follow_until(
        &self,
        after: Option<EventCursor>,
        last: &Executed,
    ) -> Vec<LedgerFrame> {
        let mut stream = self.source().follow(after).await.unwrap();
        let mut frames = Vec::new();
        loop {
            let steps = stream.next_steps(64).await.unwrap();
            assert!(!steps.is_empty() && steps.len() <= 64);
            frames.extend(steps);
            if transactions(&frames).any(|step| step.digest == last.digest) {
                return frames;
            }
        }
    }
}

pub(crate) fn transactions(frames: &[LedgerFrame]) -> impl Iterator<Item = &LedgerTransaction> {
    frames.iter().filter_map(|frame| frame.transaction.as_ref())
}

/// The version of an object that the transaction wrote.
pub(crate) fn written(executed: &Executed, id: ObjectId) -> ObjectReference {
    executed.written[&id].clone()
}

/// The root of a stack with one message.
pub(crate) fn root() -> Hash32 {
    Hash32::of(&[b"a request and its response"])
}

/// An address without objects, which is no object's id either.
pub(crate) const NOBODY: Address = Address::new([0xee; 32]);
