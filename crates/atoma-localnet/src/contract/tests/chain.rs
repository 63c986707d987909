//! An in-memory chain with the contract published. Each call is a transaction of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::events::ContractEvent;
use atoma_domain::{NodeSmallId, ObjectId, StackSmallId};
use serde::Serialize;
use sui_sdk_types::{Address, Digest, MoveStruct, Object, ObjectData, Owner};

use crate::contract::state::read_newest;
use crate::contract::{
    ContractAddresses, ContractState, Publication, ResolvedArgument, call, publish, read_state,
};
use crate::vm::{Execution, ExecutionResults, MoveError, ObjectReader, ObjectState, TxContext};

/// The owner of the manager's badge and the task badges.
pub(super) const MANAGER: Address = Address::ZERO;
/// The buyer of stacks.
pub(super) const USER: Address = Address::from_static("0xb0b");
/// The default price that nodes ask and the user pays.
pub(super) const PRICE: u64 = 1_000;
/// The default compute units of a stack.
pub(super) const UNITS: u64 = 1_000_000;

pub(super) const NONE: u16 = 0;
pub(super) const CONFIDENTIAL: u16 = 1;
pub(super) const SAMPLING: u16 = 2;

/// The live objects, by id.
#[derive(Default)]
pub(super) struct MemoryStore(pub(super) BTreeMap<ObjectId, Arc<Object>>);

impl ObjectReader for MemoryStore {
    fn object(&self, id: &ObjectId) -> Option<Arc<Object>> {
        self.0.get(id).cloned()
    }
}

/// The forced results of the next transaction's draws.
#[derive(Clone, Debug, Default)]
pub(super) struct NextDraws {
    pub(super) node: Option<u64>,
    pub(super) attesters: Option<(u64, Vec<u64>)>,
}

/// The chain.
pub(super) struct TestChain {
    pub(super) store: MemoryStore,
    pub(super) addresses: ContractAddresses,
    pub(super) manager_badge: ObjectId,
    pub(super) wallet: ObjectId,
    pub(super) epoch: u64,
    pub(super) seed: u8,
    /// Node badges by small id.
    pub(super) badges: BTreeMap<u64, ObjectId>,
    pub(super) task_badges: BTreeMap<u64, ObjectId>,
    /// All events so far.
    pub(super) events: Vec<ContractEvent>,
    transactions: u64,
    /// The last transaction's digest.
    pub(super) digest: Digest,
}

impl TestChain {
    /// A chain in epoch 1 with the contract published and nodes 1 to `nodes` registered.
    pub(super) fn new(nodes: u64) -> Self {
        Self::seeded(nodes, 7)
    }

    pub(super) fn seeded(nodes: u64, seed: u8) -> Self {
        let mut chain = Self {
            store: MemoryStore::default(),
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
            digest: Digest::ZERO,
        };
        let addresses = chain.addresses;
        let (_, published) = chain
            .transact(MANAGER, |vm| publish(vm, &addresses, MANAGER))
            .unwrap();
        let Publication {
            atoma_db,
            manager_badge,
        } = published;
        chain.addresses.atoma_db = atoma_db;
        chain.manager_badge = manager_badge;
        chain.wallet = chain.coin(USER, u64::MAX / 2);
        for node in 1..=nodes {
            chain.register(node);
        }
        chain
    }

    /// Runs one transaction, and applies its changes if it succeeds.
    pub(super) fn transact<T>(
        &mut self,
        sender: Address,
        run: impl FnOnce(&mut Execution<'_>) -> Result<T, MoveError>,
    ) -> Result<(ExecutionResults, T), MoveError> {
        self.transactions += 1;
        let mut digest = [self.seed; 32];
        digest[..8].copy_from_slice(&self.transactions.to_le_bytes());
        self.digest = Digest::new(digest);
        let context = TxContext {
            digest: self.digest,
            sender,
            epoch: self.epoch,
            epoch_timestamp_ms: 0,
        };
        let randomness = digest.map(|byte| byte.wrapping_add(1));
        let mut execution = Execution::new(&self.store, context, randomness);
        let value = run(&mut execution)?;
        let results = execution.finish();
        self.apply(&results);
        Ok((results, value))
    }

    fn apply(&mut self, results: &ExecutionResults) {
        assert_eq!(results.ownerless, Vec::<ObjectId>::new());
        for (id, state) in &results.written {
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
        for id in &results.deleted {
            self.store.0.remove(id).unwrap();
        }
        for event in &results.events {
            let event = ContractEvent::decode(event.type_.name().as_str(), &event.contents);
            self.events.push(event.unwrap());
        }
    }

    /// Calls a function of the contract with the `AtomaDb` followed by the arguments.
    pub(super) fn call(
        &mut self,
        sender: Address,
        function: &str,
        arguments: &[ResolvedArgument],
    ) -> Result<ExecutionResults, MoveError> {
        self.call_forced(sender, function, arguments, NextDraws::default())
    }

    pub(super) fn call_forced(
        &mut self,
        sender: Address,
        function: &str,
        arguments: &[ResolvedArgument],
        forced: NextDraws,
    ) -> Result<ExecutionResults, MoveError> {
        let addresses = self.addresses;
        let mut all = vec![ResolvedArgument::Object(addresses.atoma_db)];
        all.extend_from_slice(arguments);
        let (results, ()) = self.transact(sender, |vm| {
            if let Some(node) = forced.node {
                vm.force_selected_node(NodeSmallId::new(node));
            }
            if let Some((stack, attesters)) = forced.attesters {
                let attesters = attesters.into_iter().map(NodeSmallId::new).collect();
                vm.force_attesters(StackSmallId::new(stack), attesters);
            }
            call(vm, &addresses, addresses.package, function, &[], &all)
        })?;
        Ok(results)
    }

    /// Calls a function as the manager, with the manager's badge.
    pub(super) fn manage(
        &mut self,
        function: &str,
        arguments: &[ResolvedArgument],
    ) -> Result<ExecutionResults, MoveError> {
        let mut all = vec![ResolvedArgument::Object(self.manager_badge)];
        all.extend_from_slice(arguments);
        self.call(MANAGER, function, &all)
    }

    /// Calls a function as a node, with the node's badge.
    pub(super) fn as_node(
        &mut self,
        node: u64,
        function: &str,
        arguments: &[ResolvedArgument],
    ) -> Result<ExecutionResults, MoveError> {
        let mut all = vec![ResolvedArgument::Object(self.badges[&node])];
        all.extend_from_slice(arguments);
        self.call(address_of(node), function, &all)
    }

    /// Creates a coin of test USDC.
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

    /// The only created object of that type.
    pub(super) fn created(&self, results: &ExecutionResults, name: &str) -> ObjectId {
        let mut found = results
            .created
            .iter()
            .filter(|id| results.written[id].object_type.name().as_str() == name);
        let id = found.next().unwrap();
        assert!(found.next().is_none(), "several created objects of {name}");
        *id
    }

    pub(super) fn state(&self) -> ContractState {
        read_state(&self.store, &self.addresses).unwrap()
    }

    /// The state with the newest stacks only.
    pub(super) fn newest(&self, stacks: u64) -> ContractState {
        read_newest(&self.store, &self.addresses, stacks).unwrap()
    }
}

/// The address that owns a node.
pub(super) fn address_of(node: u64) -> Address {
    Address::from_hex(format!("0x{:x}", 0x100 + node)).unwrap()
}

pub(super) fn pure<T: Serialize + ?Sized>(value: &T) -> ResolvedArgument {
    ResolvedArgument::Pure(bcs::to_bytes(value).unwrap())
}

pub(super) fn random() -> ResolvedArgument {
    ResolvedArgument::Object(Address::from_static("0x8"))
}
