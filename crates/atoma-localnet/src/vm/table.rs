//! The framework's collections over dynamic fields: `0x2::table`, `0x2::object_table`,
//! `0x2::table_vec`.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use sui_sdk_types::Address;

use crate::vm::dynamic_field::{ChildAccess, FieldAddress};
use crate::vm::{CodeLocation, Execution, MoveError, MoveType, ObjectType};
use atoma_domain::ObjectId;

/// `EIndexOutOfBound` of `0x2::table_vec`.
const INDEX_OUT_OF_BOUND: u64 = 0;

/// `0x2::table::Table<K, V>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Table<K, V> {
    id: ObjectId,
    size: u64,
    #[serde(skip)]
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: MoveType, V: MoveType> Table<K, V> {
    pub(crate) fn new(vm: &mut Execution<'_>) -> Self {
        Self {
            id: vm.fresh_id(),
            size: 0,
            types: PhantomData,
        }
    }

    fn field(&self, package: Address, key: &K) -> Result<FieldAddress, MoveError> {
        FieldAddress::of_value::<K, V>(package, self.id, key)
    }

    pub(crate) fn contains(
        &self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
    ) -> Result<bool, MoveError> {
        self.field(package, key)?.exists(vm)
    }

    pub(crate) fn borrow(
        &self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
    ) -> Result<V, MoveError> {
        self.field(package, key)?.borrow(vm, ChildAccess::Borrow)
    }

    /// The value. A changed value must be [set](Self::set) again.
    pub(crate) fn borrow_mut(
        &self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
    ) -> Result<V, MoveError> {
        self.field(package, key)?.borrow(vm, ChildAccess::BorrowMut)
    }

    pub(crate) fn set(
        &self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
        value: &V,
    ) -> Result<(), MoveError> {
        self.field(package, key)?.set(vm, value)
    }

    pub(crate) fn add(
        &mut self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
        value: &V,
    ) -> Result<(), MoveError> {
        self.field(package, key)?.add(vm, value)?;
        self.size = self.size.saturating_add(1);
        Ok(())
    }

    pub(crate) fn remove(
        &mut self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
    ) -> Result<V, MoveError> {
        let value = self.field(package, key)?.remove(vm)?;
        self.size = self.size.saturating_sub(1);
        Ok(value)
    }
}

/// `0x2::object_table::ObjectTable<K, V>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct ObjectTable<K, V> {
    id: ObjectId,
    size: u64,
    #[serde(skip)]
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: MoveType, V: ObjectType> ObjectTable<K, V> {
    pub(crate) fn new(vm: &mut Execution<'_>) -> Self {
        Self {
            id: vm.fresh_id(),
            size: 0,
            types: PhantomData,
        }
    }

    fn field(&self, package: Address, key: &K) -> Result<FieldAddress, MoveError> {
        FieldAddress::of_object(package, self.id, key)
    }

    pub(crate) fn contains(
        &self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
    ) -> Result<bool, MoveError> {
        self.field(package, key)?.exists(vm)
    }

    pub(crate) fn borrow(
        &self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
    ) -> Result<V, MoveError> {
        self.field(package, key)?
            .borrow_object(vm, ChildAccess::Borrow)
    }

    /// The object. A changed object must be [written](Execution::write_object) again.
    pub(crate) fn borrow_mut(
        &self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
    ) -> Result<V, MoveError> {
        self.field(package, key)?
            .borrow_object(vm, ChildAccess::BorrowMut)
    }

    pub(crate) fn add(
        &mut self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
        object: &V,
    ) -> Result<(), MoveError> {
        self.field(package, key)?.add_object(vm, package, object)?;
        self.size = self.size.saturating_add(1);
        Ok(())
    }

    /// Removes and deletes the object.
    pub(crate) fn remove(
        &mut self,
        vm: &mut Execution<'_>,
        package: Address,
        key: &K,
    ) -> Result<V, MoveError> {
        let object = self.field(package, key)?.remove_object(vm)?;
        self.size = self.size.saturating_sub(1);
        Ok(object)
    }
}

/// `0x2::table_vec::TableVec<V>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub(crate) struct TableVec<V> {
    contents: Table<u64, V>,
}

impl<V: MoveType> TableVec<V> {
    pub(crate) fn new(vm: &mut Execution<'_>) -> Self {
        Self {
            contents: Table::new(vm),
        }
    }

    pub(crate) const fn len(&self) -> u64 {
        self.contents.size
    }

    pub(crate) fn borrow(
        &self,
        vm: &mut Execution<'_>,
        package: Address,
        index: u64,
    ) -> Result<V, MoveError> {
        self.check(index, "borrow")?;
        self.contents.borrow(vm, package, &index)
    }

    pub(crate) fn push_back(
        &mut self,
        vm: &mut Execution<'_>,
        package: Address,
        value: &V,
    ) -> Result<(), MoveError> {
        let index = self.len();
        self.contents.add(vm, package, &index, value)
    }

    /// Removes an element and moves the last one into its place.
    pub(crate) fn swap_remove(
        &mut self,
        vm: &mut Execution<'_>,
        package: Address,
        index: u64,
    ) -> Result<V, MoveError> {
        self.check(index, "swap_remove")?;
        let last_index = self.len().saturating_sub(1);
        let removed = self.contents.remove(vm, package, &index)?;
        if index != last_index {
            let last = self.contents.remove(vm, package, &last_index)?;
            self.contents.add(vm, package, &index, &last)?;
        }
        Ok(removed)
    }

    fn check(&self, index: u64, function: &'static str) -> Result<(), MoveError> {
        if index < self.len() {
            Ok(())
        } else {
            Err(CodeLocation::framework("table_vec", function).abort(INDEX_OUT_OF_BOUND))
        }
    }
}
