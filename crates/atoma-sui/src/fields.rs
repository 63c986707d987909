//! Object ids of table entries, which are dynamic fields of their table.

use atoma_domain::ObjectId;
use sui_sdk_types::{Address, Identifier, StructTag, TypeTag};

/// The key types of the contract's tables, under the package that defined them. An upgrade of the
/// package changes the address to call, but not the address in these types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyTypes {
    node: TypeTag,
    stack: TypeTag,
    ticket_wrapper: TypeTag,
    task_wrapper: TypeTag,
}

impl KeyTypes {
    /// The key types under the package that defines the `AtomaDb`'s type.
    pub(crate) fn new(defining_package: Address) -> Self {
        let id_type = |name| -> TypeTag { contract_struct(defining_package, name).into() };
        Self {
            node: id_type("NodeSmallId"),
            stack: id_type("StackSmallId"),
            ticket_wrapper: wrapper(id_type("StackSmallId")),
            task_wrapper: wrapper(id_type("TaskSmallId")),
        }
    }

    /// An entry of a table keyed by node: `nodes` of the `AtomaDb`, `subscribed_nodes` of a task.
    pub(crate) fn by_node(&self, table: ObjectId, node: u64) -> ObjectId {
        field(table, &self.node, node)
    }

    /// An entry of `stacks`.
    pub(crate) fn stack(&self, table: ObjectId, stack: u64) -> ObjectId {
        field(table, &self.stack, stack)
    }

    /// The entry of `stack_settlement_tickets` that holds the ticket object's id.
    pub(crate) fn ticket(&self, table: ObjectId, stack: u64) -> ObjectId {
        field(table, &self.ticket_wrapper, stack)
    }

    /// The entry of `tasks` that holds the task object's id.
    pub(crate) fn task(&self, table: ObjectId, task: u64) -> ObjectId {
        field(table, &self.task_wrapper, task)
    }
}

/// An entry of a `TableVec`.
pub(crate) fn by_index(table: ObjectId, index: u64) -> ObjectId {
    field(table, &TypeTag::U64, index)
}

/// A struct of the contract's module.
pub(crate) fn contract_struct(package: Address, name: &'static str) -> StructTag {
    StructTag::new(
        package,
        Identifier::from_static(crate::abi::MODULE),
        Identifier::from_static(name),
        Vec::new(),
    )
}

/// `0x2::dynamic_object_field::Wrapper`: the key of an object table's entry.
fn wrapper(key: TypeTag) -> TypeTag {
    StructTag::new(
        Address::TWO,
        Identifier::from_static("dynamic_object_field"),
        Identifier::from_static("Wrapper"),
        vec![key],
    )
    .into()
}

/// Every key is a `u64`, wrapped in a struct or not: eight little-endian bytes in BCS.
fn field(parent: ObjectId, key_type: &TypeTag, key: u64) -> ObjectId {
    parent.derive_dynamic_child_id(key_type, &key.to_le_bytes())
}
