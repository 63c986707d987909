//! The context of a contract call: the `AtomaDb` and the runtime.

use atoma_domain::events::ContractEvent;
use atoma_domain::{NodeSmallId, ObjectId, TaskSmallId};
use sui_sdk_types::{Address, Event, Identifier, TypeTag};

use super::aborts::AbortCode;
use super::addresses::ContractAddresses;
use super::layout::{AtomaDb, NodeBadge, NodeEntry, Task};
use crate::vm::{CodeLocation, Execution, MoveError, TxContext, package_struct};

/// The module's name.
pub(super) const MODULE: &str = "db";

/// The `AtomaDb`, borrowed mutably for one call, with the runtime.
pub(super) struct Db<'e, 'a> {
    pub(super) vm: &'e mut Execution<'a>,
    /// The package that defines the module's types.
    pub(super) package: Address,
    /// The version of the package that was called.
    pub(super) called: Address,
    pub(super) usdc: TypeTag,
    pub(super) context: TxContext,
    pub(super) state: AtomaDb,
}

impl<'e, 'a> Db<'e, 'a> {
    pub(super) fn open(
        vm: &'e mut Execution<'a>,
        addresses: &ContractAddresses,
        called: Address,
        id: &ObjectId,
    ) -> Result<Self, MoveError> {
        Ok(Self {
            package: addresses.package,
            called,
            usdc: addresses.usdc(),
            context: *vm.context(),
            state: vm.read_object(id)?,
            vm,
        })
    }

    /// Writes the `AtomaDb` back.
    pub(super) fn close(self) -> Result<(), MoveError> {
        self.vm.write_object(&self.state)
    }

    /// A function of the module, as the location of an error.
    pub(super) const fn here(&self, function: &'static str) -> CodeLocation {
        CodeLocation {
            package: self.called,
            module: MODULE,
            function,
        }
    }

    /// Move's `assert!` in a function of the module.
    pub(super) fn ensure(
        &self,
        condition: bool,
        code: AbortCode,
        function: &'static str,
    ) -> Result<(), MoveError> {
        if condition {
            Ok(())
        } else {
            Err(code.at(self.here(function)))
        }
    }

    /// The result of an integer expression in a function of the module; an arithmetic error for
    /// `None`.
    pub(super) fn number(
        &self,
        result: Option<u64>,
        function: &'static str,
    ) -> Result<u64, MoveError> {
        result.ok_or_else(|| self.here(function).arithmetic())
    }

    /// Emits an event of the module.
    pub(super) fn emit(&mut self, event: impl Into<ContractEvent>) -> Result<(), MoveError> {
        let event = event.into();
        let contents = event
            .encode()
            .map_err(|error| MoveError::invariant(format!("an event can't be encoded: {error}")))?;
        self.vm.emit(Event {
            package_id: self.called,
            module: Identifier::from_static(MODULE),
            sender: self.context.sender,
            type_: package_struct(self.package, event.name()),
            contents,
        });
        Ok(())
    }

    /// The node whose badge the call received.
    pub(super) fn badge(&mut self, badge: &ObjectId) -> Result<NodeSmallId, MoveError> {
        Ok(self.vm.read_object::<NodeBadge>(badge)?.small_id)
    }

    pub(super) fn task(&mut self, task: TaskSmallId) -> Result<Task, MoveError> {
        self.state.tasks.borrow(self.vm, self.package, &task)
    }

    /// The task. A changed task must be [written](Execution::write_object) again.
    pub(super) fn task_mut(&mut self, task: TaskSmallId) -> Result<Task, MoveError> {
        self.state.tasks.borrow_mut(self.vm, self.package, &task)
    }

    pub(super) fn has_task(&mut self, task: TaskSmallId) -> Result<bool, MoveError> {
        self.state.tasks.contains(self.vm, self.package, &task)
    }

    pub(super) fn has_node(&mut self, node: NodeSmallId) -> Result<bool, MoveError> {
        self.state.nodes.contains(self.vm, self.package, &node)
    }

    pub(super) fn node(&mut self, node: NodeSmallId) -> Result<NodeEntry, MoveError> {
        self.state.nodes.borrow(self.vm, self.package, &node)
    }

    /// The node's entry. A changed entry must be [set](Self::set_node) again.
    pub(super) fn node_mut(&mut self, node: NodeSmallId) -> Result<NodeEntry, MoveError> {
        self.state.nodes.borrow_mut(self.vm, self.package, &node)
    }

    pub(super) fn set_node(
        &mut self,
        node: NodeSmallId,
        entry: &NodeEntry,
    ) -> Result<(), MoveError> {
        self.state.nodes.set(self.vm, self.package, &node, entry)
    }
}
