//! A chain in memory with the contract published: every call is a transaction of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::events::ContractEvent;
use atoma_domain::{NodeSmallId, ObjectId, StackSmallId};
use serde::Serialize;
use sui_sdk_types::{Address, Digest, MoveStruct, Object, ObjectData, Owner};

use crate::contract::{
    CallArgument, ContractAddresses, ContractState, Publication, call, publish, read_state,
};
use crate::vm::{Execution, MoveError, ObjectReader, ObjectState, Outcome, TxContext};

/// Who owns everything that is no node's.
pub(super) const MANAGER: Address = Address::ZERO;
/// Who buys stacks.
pub(super) const USER: Address = Address::from_static("0xb0b");
/// What nodes ask for, and the user offers, unless told otherwise.
pub(super) const PRICE: u64 = 1_000;
/// What the user buys unless told otherwise.
pub(super) const UNITS: u64 = 1_000_000;

pub(super) const NONE: u16 = 0;
pub(super) const CONFIDENTIAL: u16 = 1;
pub(super) const SAMPLING: u16 = 2;

/// Current objects, by id.
#[derive(Default)]
pub(super) struct Store(pub(super) BTreeMap<ObjectId, Arc<Object>>);

impl ObjectReader for Store {
    fn object(&self, id: &ObjectId) -> Option<Arc<Object>> {
        self.0.get(id).cloned()
    }
}

/// What the next transaction's draws shall come out as.
#[derive(Clone, Debug, Default)]
pub(super) struct Forced {
    pub(super) node: Option<u64>,
    pub(super) attesters: Option<(u64, Vec<u64>)>,
}

pub(super) struct World {
    pub(super) store: Store,
    pub(super) addresses: ContractAddresses,
    pub(super) manager_badge: ObjectId,
    pub(super) wallet: ObjectId,
    pub(super) epoch: u64,
    pub(super) seed: u8,
    /// Badges by small id.
    pub(super) badges: BTreeMap<u64, ObjectId>,
    pub(super) task_badges: BTreeMap<u64, ObjectId>,
    /// All events so far.
    pub(super) events: Vec<ContractEvent>,
    transactions: u64,
}

impl World {
    /// The contract just published, nodes 1 to `nodes` registered, in epoch 1.
    pub(super) fn new(nodes: u64) -> Self {
        Self::seeded(nodes, 7)
    }

    pub(super) fn seeded(nodes: u64, seed: u8) -> Self {
        let mut world = Self {
            store: Store::default(),
            addresses: ContractAddresses {
                package: Address::from_static("0xa70a"),
                atoma_db: Address::ZERO,
                usdc_package: Address::from_static("0x5dc"),
            },
            manager_badge: Address::ZERO,
            wallet: Address::ZERO,
            epoch: 1,
            seed,
            badges: BTreeMap::new(),
            task_badges: BTreeMap::new(),
            events: Vec::new(),
            transactions: 0,
        };
        let addresses = world.addresses;
        let (_, published) = world
            .transact(MANAGER, |vm| publish(vm, &addresses, MANAGER))
            .unwrap();
        let Publication {
            atoma_db,
            manager_badge,
        } = published;
        world.addresses.atoma_db = atoma_db;
        world.manager_badge = manager_badge;
        world.wallet = world.coin(USER, u64::MAX / 2);
        for node in 1..=nodes {
            world.register(node);
        }
        world
    }

    /// Runs one transaction and keeps what it changed, if it goes through.
    pub(super) fn transact<T>(
        &mut self,
        sender: Address,
        run: impl FnOnce(&mut Execution<'_>) -> Result<T, MoveError>,
    ) -> Result<(Outcome, T), MoveError> {
        self.transactions += 1;
        let mut digest = [self.seed; 32];
        digest[..8].copy_from_slice(&self.transactions.to_le_bytes());
        let context = TxContext {
            digest: Digest::new(digest),
            sender,
            epoch: self.epoch,
            epoch_timestamp_ms: 0,
        };
        let randomness = digest.map(|byte| byte.wrapping_add(1));
        let mut execution = Execution::new(&self.store, context, randomness);
        let value = run(&mut execution)?;
        let outcome = execution.finish();
        self.apply(&outcome);
        Ok((outcome, value))
    }

    fn apply(&mut self, outcome: &Outcome) {
        assert_eq!(outcome.ownerless, Vec::<ObjectId>::new());
        for (id, state) in &outcome.written {
            let object = MoveStruct::new(
                state.object_type.clone(),
                state.has_public_transfer,
                self.transactions,
                state.contents.clone(),
            )
            .unwrap();
            let object = Object::new(
                ObjectData::Struct(object),
                state.owner.unwrap(),
                Digest::ZERO,
                0,
            );
            assert_eq!(object.object_id(), *id);
            self.store.0.insert(*id, Arc::new(object));
        }
        for id in &outcome.deleted {
            self.store.0.remove(id).unwrap();
        }
        for event in &outcome.events {
            let event = ContractEvent::decode(event.type_.name().as_str(), &event.contents);
            self.events.push(event.unwrap());
        }
    }

    /// Calls a function of the contract, the `AtomaDb` put before the arguments.
    pub(super) fn call(
        &mut self,
        sender: Address,
        function: &str,
        arguments: &[CallArgument],
    ) -> Result<Outcome, MoveError> {
        self.call_forced(sender, function, arguments, Forced::default())
    }

    pub(super) fn call_forced(
        &mut self,
        sender: Address,
        function: &str,
        arguments: &[CallArgument],
        forced: Forced,
    ) -> Result<Outcome, MoveError> {
        let addresses = self.addresses;
        let mut all = vec![CallArgument::Object(addresses.atoma_db)];
        all.extend_from_slice(arguments);
        let (outcome, ()) = self.transact(sender, |vm| {
            if let Some(node) = forced.node {
                vm.force_selected_node(NodeSmallId::new(node));
            }
            if let Some((stack, attesters)) = forced.attesters {
                let attesters = attesters.into_iter().map(NodeSmallId::new).collect();
                vm.force_attesters(StackSmallId::new(stack), attesters);
            }
            call(vm, &addresses, function, &[], &all)
        })?;
        Ok(outcome)
    }

    /// A call as the manager, with its badge.
    pub(super) fn manage(
        &mut self,
        function: &str,
        arguments: &[CallArgument],
    ) -> Result<Outcome, MoveError> {
        let mut all = vec![CallArgument::Object(self.manager_badge)];
        all.extend_from_slice(arguments);
        self.call(MANAGER, function, &all)
    }

    /// A call as a node, with its badge.
    pub(super) fn as_node(
        &mut self,
        node: u64,
        function: &str,
        arguments: &[CallArgument],
    ) -> Result<Outcome, MoveError> {
        let mut all = vec![CallArgument::Object(self.badges[&node])];
        all.extend_from_slice(arguments);
        self.call(address_of(node), function, &all)
    }

    /// Makes a coin of test USDC.
    pub(super) fn coin(&mut self, owner: Address, amount: u64) -> ObjectId {
        let coin_type = crate::vm::coin_type(self.addresses.usdc());
        self.transact(owner, |vm| {
            let id = vm.fresh_id();
            let mut contents = id.as_bytes().to_vec();
            contents.extend_from_slice(&amount.to_le_bytes());
            vm.create(coin_type, true, Some(Owner::Address(owner)), contents)
        })
        .unwrap()
        .1
    }

    pub(super) fn coin_value(&self, coin: &ObjectId) -> u64 {
        ObjectState::of(&self.store.0[coin])
            .unwrap()
            .coin_value()
            .unwrap()
    }

    pub(super) fn register(&mut self, node: u64) {
        let outcome = self
            .call(address_of(node), "register_node_entry", &[])
            .unwrap();
        let badge = self.created(&outcome, "NodeBadge");
        self.badges.insert(node, badge);
    }

    /// The one created object of that type.
    pub(super) fn created(&self, outcome: &Outcome, name: &str) -> ObjectId {
        let mut found = outcome
            .created
            .iter()
            .filter(|id| outcome.written[id].object_type.name().as_str() == name);
        let id = found.next().unwrap();
        assert!(found.next().is_none(), "several created objects of {name}");
        *id
    }

    pub(super) fn set(&mut self, parameter: &str, value: u64) {
        self.manage(&format!("set_{parameter}"), &[pure(&value)])
            .unwrap();
    }

    /// All settlements of sampling-consensus stacks are attested by `extra_nodes` nodes.
    pub(super) fn always_sample(&mut self, extra_nodes: u64) {
        self.set("cross_validation_probability_permille", 1000);
        self.set("cross_validation_extra_nodes_count", extra_nodes);
    }

    pub(super) fn create_task(
        &mut self,
        level: u16,
        minimum_reputation_score: Option<u8>,
        is_public: bool,
    ) -> u64 {
        let task = self.state().parameters.next_task_small_id.get();
        let outcome = self
            .manage(
                "create_task_entry",
                &[
                    pure(&0_u16),
                    pure(&Some("a-model")),
                    pure(&Some(level)),
                    pure(&minimum_reputation_score),
                    pure(&is_public),
                ],
            )
            .unwrap();
        let badge = self.created(&outcome, "TaskBadge");
        self.task_badges.insert(task, badge);
        task
    }

    /// A public task with the given nodes subscribed at [`PRICE`].
    pub(super) fn task(&mut self, level: u16, nodes: &[u64]) -> u64 {
        let task = self.create_task(level, None, true);
        for node in nodes {
            self.subscribe(*node, task, PRICE).unwrap();
        }
        task
    }

    pub(super) fn subscribe(
        &mut self,
        node: u64,
        task: u64,
        price: u64,
    ) -> Result<Outcome, MoveError> {
        self.as_node(node, "subscribe_node_to_task", &[pure(&task), pure(&price)])
    }

    pub(super) fn update(
        &mut self,
        node: u64,
        task: u64,
        price: u64,
    ) -> Result<Outcome, MoveError> {
        self.as_node(
            node,
            "update_node_subscription",
            &[pure(&task), pure(&price)],
        )
    }

    pub(super) fn unsubscribe(&mut self, node: u64, task: u64) -> Result<Outcome, MoveError> {
        self.as_node(node, "unsubscribe_node_from_task", &[pure(&task)])
    }

    pub(super) fn deprecate(&mut self, task: u64) -> Result<Outcome, MoveError> {
        let badge = CallArgument::Object(self.task_badges[&task]);
        self.call(MANAGER, "deprecate_task", &[badge])
    }

    pub(super) fn remove_task(&mut self, task: u64) -> Result<Outcome, MoveError> {
        let badge = CallArgument::Object(self.task_badges[&task]);
        self.call(MANAGER, "remove_deprecated_task", &[badge])
    }

    pub(super) fn remove_task_by_admin(&mut self, task: u64) -> Result<Outcome, MoveError> {
        self.manage("remove_deprecated_task_by_admin", &[pure(&task)])
    }

    /// Deprecates and removes a task, however long that takes.
    pub(super) fn retire(&mut self, task: u64) {
        self.deprecate(task).unwrap();
        self.epoch += 2;
        self.remove_task(task).unwrap();
    }

    pub(super) fn buy(
        &mut self,
        wallet: ObjectId,
        task: u64,
        units: u64,
        price: u64,
        selected: Option<u64>,
    ) -> Result<u64, MoveError> {
        let stack = self.state().parameters.next_stack_small_id.get();
        let forced = Forced {
            node: selected,
            attesters: None,
        };
        let arguments = [
            CallArgument::Object(wallet),
            pure(&task),
            pure(&units),
            pure(&price),
            random(),
        ];
        self.call_forced(USER, "acquire_new_stack_entry", &arguments, forced)?;
        Ok(stack)
    }

    /// A stack of [`UNITS`] at [`PRICE`], served by node 1.
    pub(super) fn stack(&mut self, task: u64) -> u64 {
        self.buy(self.wallet, task, UNITS, PRICE, Some(1)).unwrap()
    }

    /// Puts money into the treasury by buying a stack that nobody ever settles.
    pub(super) fn top_up(&mut self, amount: u64) {
        let task = self.task(NONE, &[1]);
        let stack = self.buy(self.wallet, task, UNITS, amount.max(PRICE), Some(1));
        stack.unwrap();
    }

    pub(super) fn settle(&mut self, node: u64, stack: u64, units: u64) -> Result<(), MoveError> {
        self.settle_with(node, stack, units, &[1; 32], &[2; 32], None)
    }

    pub(super) fn settle_with(
        &mut self,
        node: u64,
        stack: u64,
        units: u64,
        proof: &[u8],
        leaf: &[u8],
        attesters: Option<&[u64]>,
    ) -> Result<(), MoveError> {
        let forced = Forced {
            node: None,
            attesters: attesters.map(|attesters| (stack, attesters.to_vec())),
        };
        let arguments = [
            CallArgument::Object(self.badges[&node]),
            pure(&stack),
            pure(&units),
            pure(&proof),
            pure(&leaf),
            random(),
        ];
        self.call_forced(address_of(node), "try_settle_stack", &arguments, forced)?;
        Ok(())
    }

    /// Settles a stack of node 1 with the draw forced.
    pub(super) fn settle_drawn(&mut self, stack: u64, attesters: &[u64]) {
        self.settle_with(1, stack, UNITS, &[1; 32], &[2; 32], Some(attesters))
            .unwrap();
    }

    pub(super) fn attest(&mut self, node: u64, stack: u64) -> Result<(), MoveError> {
        self.attest_with(node, stack, &[1; 32], &[3; 32])
    }

    pub(super) fn attest_with(
        &mut self,
        node: u64,
        stack: u64,
        proof: &[u8],
        leaf: &[u8],
    ) -> Result<(), MoveError> {
        let arguments = [pure(&stack), pure(&proof), pure(&leaf)];
        self.as_node(node, "submit_stack_settlement_attestation", &arguments)?;
        Ok(())
    }

    pub(super) fn dispute(&mut self, node: u64, stack: u64) -> Result<(), MoveError> {
        let arguments = [pure(&stack), pure(&Vec::<u8>::new())];
        self.as_node(node, "start_attestation_dispute", &arguments)?;
        Ok(())
    }

    pub(super) fn claim(&mut self, node: u64, stacks: &[u64]) -> Result<Outcome, MoveError> {
        self.as_node(node, "claim_funds", &[pure(&stacks)])
    }

    pub(super) fn claim_confidential(
        &mut self,
        node: u64,
        stacks: &[u64],
        units: &[u64],
    ) -> Result<Outcome, MoveError> {
        let arguments = [pure(&stacks), pure(&units)];
        self.as_node(node, "claim_funds_for_stacks", &arguments)
    }

    pub(super) fn withdraw(&mut self, node: u64) -> Result<Outcome, MoveError> {
        self.as_node(node, "withdraw_fees", &[])
    }

    pub(super) fn disable(&mut self, node: u64) -> Result<Outcome, MoveError> {
        self.as_node(node, "permanently_disable_node", &[])
    }

    pub(super) fn destroy(&mut self, node: u64) -> Result<Outcome, MoveError> {
        self.as_node(node, "destroy_disabled_node", &[])
    }

    pub(super) fn rotate(
        &mut self,
        node: u64,
        key: &[u8],
        evidence: &[u8],
        counter: u64,
        device: u16,
    ) -> Result<Outcome, MoveError> {
        let arguments = [pure(&key), pure(&evidence), pure(&counter), pure(&device)];
        self.as_node(node, "rotate_node_public_key", &arguments)
    }

    pub(super) fn rotate_network(&mut self) {
        self.manage("new_network_key_rotation", &[random()])
            .unwrap();
    }

    pub(super) fn state(&self) -> ContractState {
        read_state(&self.store, &self.addresses).unwrap()
    }
}

/// The address that node `node` belongs to.
pub(super) fn address_of(node: u64) -> Address {
    Address::from_hex(format!("0x{:x}", 0x100 + node)).unwrap()
}

pub(super) fn pure<T: Serialize + ?Sized>(value: &T) -> CallArgument {
    CallArgument::Pure(bcs::to_bytes(value).unwrap())
}

pub(super) fn random() -> CallArgument {
    CallArgument::Object(Address::from_static("0x8"))
}
