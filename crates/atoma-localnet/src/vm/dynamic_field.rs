//! Dynamic fields (`0x2::dynamic_field`, `0x2::dynamic_object_field`). Each is an object owned by
//! its parent, with an id derived from parent and key.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sui_sdk_types::{Address, Owner, StructTag, TypeTag};

use crate::vm::execution::{decode, encode};
use crate::vm::{CodeLocation, Execution, MoveError, MoveType, ObjectType, framework_struct};
use atoma_domain::ObjectId;

/// `EFieldAlreadyExists` of `0x2::dynamic_field`.
const FIELD_ALREADY_EXISTS: u64 = 0;
/// `EFieldDoesNotExist` of `0x2::dynamic_field`.
const FIELD_DOES_NOT_EXIST: u64 = 1;

/// The native function of `0x2::dynamic_field` that accesses a child. Aborts name it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ChildAccess {
    Borrow,
    BorrowMut,
    Remove,
}

impl ChildAccess {
    const fn location(self) -> CodeLocation {
        CodeLocation::framework(
            "dynamic_field",
            match self {
                Self::Borrow => "borrow_child_object",
                Self::BorrowMut => "borrow_child_object_mut",
                Self::Remove => "remove_child_object",
            },
        )
    }
}

const HAS_CHILD: CodeLocation = CodeLocation::framework("dynamic_field", "has_child_object");
const ADD: CodeLocation = CodeLocation::framework("dynamic_field", "add");

/// A dynamic field's id, parent and key, and the types of key and value.
#[derive(Debug)]
pub(crate) struct FieldAddress {
    id: ObjectId,
    parent: ObjectId,
    key_tag: TypeTag,
    value_tag: TypeTag,
    key: Vec<u8>,
}

impl FieldAddress {
    /// The field of `parent` under `key`, with a value stored in the field itself.
    pub(crate) fn of_value<K: MoveType, V: MoveType>(
        package: Address,
        parent: ObjectId,
        key: &K,
    ) -> Result<Self, MoveError> {
        Self::new(parent, K::tag(package), V::tag(package), encode(key)?)
    }

    /// The field of `parent` under `key` that points to a child object.
    pub(crate) fn of_object<K: MoveType>(
        package: Address,
        parent: ObjectId,
        key: &K,
    ) -> Result<Self, MoveError> {
        let wrapper = framework_struct("dynamic_object_field", "Wrapper", vec![K::tag(package)]);
        let id = framework_struct("object", "ID", Vec::new());
        Self::new(parent, wrapper.into(), id.into(), encode(key)?)
    }

    fn new(
        parent: ObjectId,
        key_tag: TypeTag,
        value_tag: TypeTag,
        key: Vec<u8>,
    ) -> Result<Self, MoveError> {
        Ok(Self {
            id: parent.derive_dynamic_child_id(&key_tag, &key),
            parent,
            key_tag,
            value_tag,
            key,
        })
    }

    fn field_type(&self) -> StructTag {
        framework_struct(
            "dynamic_field",
            "Field",
            vec![self.key_tag.clone(), self.value_tag.clone()],
        )
    }

    /// Whether the field exists.
    pub(crate) fn exists(&self, vm: &mut Execution<'_>) -> Result<bool, MoveError> {
        vm.touch_child(&self.id, HAS_CHILD)?;
        Ok(vm.object(&self.id).is_some())
    }

    /// The field's value.
    pub(crate) fn borrow<V: DeserializeOwned>(
        &self,
        vm: &mut Execution<'_>,
        access: ChildAccess,
    ) -> Result<V, MoveError> {
        vm.touch_child(&self.id, access.location())?;
        let Some(state) = vm.object(&self.id) else {
            return Err(access.location().abort(FIELD_DOES_NOT_EXIST));
        };
        // The value follows the id and the key.
        let value = state
            .contents
            .get(Address::LENGTH + self.key.len()..)
            .ok_or_else(|| MoveError::invariant(format!("field {} is too short", self.id)))?;
        decode(value)
    }

    /// Adds the field.
    pub(crate) fn add<V: Serialize>(
        &self,
        vm: &mut Execution<'_>,
        value: &V,
    ) -> Result<(), MoveError> {
        if self.exists(vm)? {
            return Err(ADD.abort(FIELD_ALREADY_EXISTS));
        }
        let contents = self.contents(value)?;
        vm.create(
            self.field_type(),
            false,
            Some(Owner::Object(self.parent)),
            contents,
        )?;
        Ok(())
    }

    /// Replaces the value of a field that has been borrowed mutably.
    pub(crate) fn set<V: Serialize>(
        &self,
        vm: &mut Execution<'_>,
        value: &V,
    ) -> Result<(), MoveError> {
        let contents = self.contents(value)?;
        vm.update(&self.id, contents)
    }

    /// Removes the field and returns its value.
    pub(crate) fn remove<V: DeserializeOwned>(
        &self,
        vm: &mut Execution<'_>,
    ) -> Result<V, MoveError> {
        let value = self.borrow(vm, ChildAccess::Remove)?;
        vm.delete(&self.id)?;
        Ok(value)
    }

    fn contents<V: Serialize>(&self, value: &V) -> Result<Vec<u8>, MoveError> {
        let mut contents = self.id.as_bytes().to_vec();
        contents.extend_from_slice(&self.key);
        contents.extend(encode(value)?);
        Ok(contents)
    }

    /// The child object that the field points to.
    pub(crate) fn borrow_object<T: ObjectType>(
        &self,
        vm: &mut Execution<'_>,
        access: ChildAccess,
    ) -> Result<T, MoveError> {
        let child: ObjectId = self.borrow(vm, access)?;
        vm.touch_child(&child, access.location())?;
        vm.read_object(&child)
    }

    /// Adds the field, with a new object as its child.
    pub(crate) fn add_object<T: ObjectType>(
        &self,
        vm: &mut Execution<'_>,
        package: Address,
        object: &T,
    ) -> Result<(), MoveError> {
        self.add(vm, &object.id())?;
        vm.touch_child(&object.id(), ADD)?;
        vm.create_object(package, object, Owner::Object(self.id))?;
        Ok(())
    }

    /// Removes the field and deletes its child object; no caller keeps a removed one.
    pub(crate) fn remove_object<T: ObjectType>(
        &self,
        vm: &mut Execution<'_>,
    ) -> Result<T, MoveError> {
        // The framework first reads the child's id by an immutable borrow.
        let object: T = self.borrow_object(vm, ChildAccess::Borrow)?;
        vm.delete(&object.id())?;
        vm.delete(&self.id)?;
        Ok(object)
    }
}
