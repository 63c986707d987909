//! Short forms of the contract's functions.

use atoma_domain::ObjectId;
use atoma_domain::events::ContractEvent;

use super::chain::{
    MANAGER, NONE, NextDraws, PRICE, TestChain, UNITS, USER, address_of, pure, random,
};
use crate::contract::ResolvedArgument;
use crate::vm::{ExecutionResults, MoveError};

impl TestChain {
    pub(super) fn register(&mut self, node: u64) {
        let results = self
            .call(address_of(node), "register_node_entry", &[])
            .unwrap();
        let badge = self.created(&results, "NodeBadge");
        self.badges.insert(node, badge);
    }

    pub(super) fn set(&mut self, parameter: &str, value: u64) {
        self.manage(&format!("set_{parameter}"), &[pure(&value)])
            .unwrap();
    }

    /// Makes every settlement of a sampling-consensus stack draw `extra_nodes` attesters.
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
        let results = self
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
        let Some(ContractEvent::TaskRegistered(event)) = self.events.last() else {
            panic!("no event of the new task");
        };
        let task = event.task_small_id.get();
        let badge = self.created(&results, "TaskBadge");
        self.task_badges.insert(task, badge);
        task
    }

    /// Creates a public task with the given nodes subscribed at [`PRICE`].
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
    ) -> Result<ExecutionResults, MoveError> {
        self.as_node(node, "subscribe_node_to_task", &[pure(&task), pure(&price)])
    }

    pub(super) fn update(
        &mut self,
        node: u64,
        task: u64,
        price: u64,
    ) -> Result<ExecutionResults, MoveError> {
        self.as_node(
            node,
            "update_node_subscription",
            &[pure(&task), pure(&price)],
        )
    }

    pub(super) fn unsubscribe(
        &mut self,
        node: u64,
        task: u64,
    ) -> Result<ExecutionResults, MoveError> {
        self.as_node(node, "unsubscribe_node_from_task", &[pure(&task)])
    }

    pub(super) fn deprecate(&mut self, task: u64) -> Result<ExecutionResults, MoveError> {
        let badge = ResolvedArgument::Object(self.task_badges[&task]);
        self.call(MANAGER, "deprecate_task", &[badge])
    }

    pub(super) fn remove_task(&mut self, task: u64) -> Result<ExecutionResults, MoveError> {
        let badge = ResolvedArgument::Object(self.task_badges[&task]);
        self.call(MANAGER, "remove_deprecated_task", &[badge])
    }

    pub(super) fn remove_task_by_admin(
        &mut self,
        task: u64,
    ) -> Result<ExecutionResults, MoveError> {
        self.manage("remove_deprecated_task_by_admin", &[pure(&task)])
    }

    /// Deprecates a task and removes it two epochs later.
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
        let forced = NextDraws {
            node: selected,
            attesters: None,
        };
        let arguments = [
            ResolvedArgument::Object(wallet),
            pure(&task),
            pure(&units),
            pure(&price),
            random(),
        ];
        self.call_forced(USER, "acquire_new_stack_entry", &arguments, forced)?;
        let Some(ContractEvent::StackCreated(event)) = self.events.last() else {
            panic!("no event of the new stack");
        };
        Ok(event.stack_small_id.get())
    }

    /// Buys a stack of [`UNITS`] at [`PRICE`] from node 1.
    pub(super) fn stack(&mut self, task: u64) -> u64 {
        self.buy(self.wallet, task, UNITS, PRICE, Some(1)).unwrap()
    }

    /// Funds the treasury by buying a stack that is never settled.
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
        let forced = NextDraws {
            node: None,
            attesters: attesters.map(|attesters| (stack, attesters.to_vec())),
        };
        let arguments = [
            ResolvedArgument::Object(self.badges[&node]),
            pure(&stack),
            pure(&units),
            pure(&proof),
            pure(&leaf),
            random(),
        ];
        self.call_forced(address_of(node), "try_settle_stack", &arguments, forced)?;
        Ok(())
    }

    /// Settles a stack of node 1 with a forced draw.
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

    pub(super) fn claim(
        &mut self,
        node: u64,
        stacks: &[u64],
    ) -> Result<ExecutionResults, MoveError> {
        self.as_node(node, "claim_funds", &[pure(&stacks)])
    }

    pub(super) fn claim_confidential(
        &mut self,
        node: u64,
        stacks: &[u64],
        units: &[u64],
    ) -> Result<ExecutionResults, MoveError> {
        let arguments = [pure(&stacks), pure(&units)];
        self.as_node(node, "claim_funds_for_stacks", &arguments)
    }

    pub(super) fn withdraw(&mut self, node: u64) -> Result<ExecutionResults, MoveError> {
        self.as_node(node, "withdraw_fees", &[])
    }

    pub(super) fn disable(&mut self, node: u64) -> Result<ExecutionResults, MoveError> {
        self.as_node(node, "permanently_disable_node", &[])
    }

    pub(super) fn destroy(&mut self, node: u64) -> Result<ExecutionResults, MoveError> {
        self.as_node(node, "destroy_disabled_node", &[])
    }

    pub(super) fn rotate(
        &mut self,
        node: u64,
        key: &[u8],
        evidence: &[u8],
        counter: u64,
        device: u16,
    ) -> Result<ExecutionResults, MoveError> {
        let arguments = [pure(&key), pure(&evidence), pure(&counter), pure(&device)];
        self.as_node(node, "rotate_node_public_key", &arguments)
    }

    pub(super) fn rotate_network(&mut self) {
        self.manage("new_network_key_rotation", &[random()])
            .unwrap();
    }
}
