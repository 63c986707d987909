//! The execution of one transaction on a set of objects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use atoma_domain::{NodeSmallId, StackSmallId};
use sui_sdk_types::{Address, Digest, Event, Object, Owner, StructTag};

use crate::vm::{
    CodeLocation, ExecutionResults, Generator, MoveError, MoveErrorKind, ObjectState, ObjectType,
};
use atoma_domain::ObjectId;

/// The number of child objects that one transaction may access
/// (`object_runtime_max_num_cached_objects`).
const MAX_CHILD_OBJECTS: usize = 1_000;

/// Access to the current versions of all live objects.
pub trait ObjectReader {
    /// The object's current version; `None` when it does not exist or has been deleted.
    fn object(&self, id: &ObjectId) -> Option<Arc<Object>>;
}

/// `0x2::tx_context::TxContext`: what Move code knows about its transaction.
#[derive(Clone, Copy, Debug)]
pub struct TxContext {
    /// The transaction's digest, from which the ids of created objects are derived.
    pub digest: Digest,
    /// The sender.
    pub sender: Address,
    /// The epoch in which it executes.
    pub epoch: u64,
    /// The start of that epoch, in milliseconds since the Unix epoch.
    pub epoch_timestamp_ms: u64,
}

/// An object before the transaction and now.
struct TrackedObject {
    original: Option<ObjectState>,
    current: Option<ObjectState>,
}

/// Loads objects through the reader and collects all changes until [`Self::finish`]. After an error
/// it must be dropped, because nothing is rolled back and transactions are atomic.
pub struct Execution<'a> {
    reader: &'a dyn ObjectReader,
    context: TxContext,
    randomness: [u8; 32],
    next_id: u64,
    objects: BTreeMap<ObjectId, TrackedObject>,
    children: BTreeSet<ObjectId>,
    max_children: usize,
    events: Vec<Event>,
    forced_attesters: BTreeMap<StackSmallId, Vec<NodeSmallId>>,
    forced_node: Option<NodeSmallId>,
}

impl fmt::Debug for Execution<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("context", &self.context)
            .field("objects", &self.objects.len())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Execution<'a> {
    /// Begins a transaction. `randomness` seeds all its random numbers.
    pub fn new(reader: &'a dyn ObjectReader, context: TxContext, randomness: [u8; 32]) -> Self {
        Self {
            reader,
            context,
            randomness,
            next_id: 0,
            objects: BTreeMap::new(),
            children: BTreeSet::new(),
            max_children: MAX_CHILD_OBJECTS,
            events: Vec::new(),
            forced_attesters: BTreeMap::new(),
            forced_node: None,
        }
    }

    /// An execution for reading only, without a transaction and without the limit on child objects.
    pub(crate) fn reading(reader: &'a dyn ObjectReader) -> Self {
        let context = TxContext {
            digest: Digest::ZERO,
            sender: Address::ZERO,
            epoch: 0,
            epoch_timestamp_ms: 0,
        };
        Self {
            max_children: usize::MAX,
            ..Self::new(reader, context, [0; 32])
        }
    }

    /// The transaction's context.
    pub const fn context(&self) -> &TxContext {
        &self.context
    }

    /// The next id derived from the transaction's digest (`tx_context::fresh_object_address`).
    pub fn fresh_id(&mut self) -> ObjectId {
        let id = Address::derive_id(self.context.digest, self.next_id);
        self.next_id += 1;
        id
    }

    /// The object, including this transaction's own changes.
    pub fn object(&mut self, id: &ObjectId) -> Option<&ObjectState> {
        self.track(*id).current.as_ref()
    }

    /// Adds a new object, whose contents begin with its id. An object without an owner must be
    /// [transferred](Self::transfer) before the end.
    ///
    /// # Errors
    /// When the contents have no id, or the object exists.
    pub fn create(
        &mut self,
        object_type: StructTag,
        has_public_transfer: bool,
        owner: Option<Owner>,
        contents: Vec<u8>,
    ) -> Result<ObjectId, MoveError> {
        let id = contents
            .first_chunk::<32>()
            .copied()
            .map(Address::new)
            .ok_or_else(|| MoveError::invariant(format!("a {object_type} without an id")))?;
        let object = self.track(id);
        if object.current.is_some() {
            return Err(MoveError::invariant(format!("object {id} already exists")));
        }
        object.current = Some(ObjectState {
            object_type,
            has_public_transfer,
            owner,
            contents,
        });
        Ok(id)
    }

    /// Replaces an object's contents.
    ///
    /// # Errors
    /// When the object does not exist.
    pub fn update(&mut self, id: &ObjectId, contents: Vec<u8>) -> Result<(), MoveError> {
        self.existing(id)?.contents = contents;
        Ok(())
    }

    /// Deletes an object, whoever owns it.
    ///
    /// # Errors
    /// When the object does not exist.
    pub fn delete(&mut self, id: &ObjectId) -> Result<(), MoveError> {
        self.existing(id)?;
        self.track(*id).current = None;
        Ok(())
    }

    /// The command `TransferObjects`: transfers an object to an address.
    ///
    /// # Errors
    /// When the object does not exist, or its type lacks the `store` ability.
    pub fn transfer(&mut self, object: &ObjectId, to: Address) -> Result<(), MoveError> {
        let state = self.existing(object)?;
        if !state.has_public_transfer {
            return Err(MoveErrorKind::InvalidTransferObject { object: *object }.into());
        }
        state.owner = Some(Owner::Address(to));
        Ok(())
    }

    /// Adds an event.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Forces the attesters of a stack's settlement in this transaction. They are drawn in this
    /// order, whatever the probability; an empty list draws none. Only the first
    /// `cross_validation_extra_nodes_count` of them count, because a ticket has room for no more.
    pub fn force_attesters(&mut self, stack: StackSmallId, attesters: Vec<NodeSmallId>) {
        self.forced_attesters.insert(stack, attesters);
    }

    /// Forces the node that the next purchase in this transaction selects. If it is not eligible,
    /// the purchase fails as if no node were.
    pub fn force_selected_node(&mut self, node: NodeSmallId) {
        self.forced_node = Some(node);
    }

    /// Ends the transaction and returns what it changed.
    pub fn finish(self) -> ExecutionResults {
        let mut results = ExecutionResults {
            events: self.events,
            ..ExecutionResults::default()
        };
        for (id, object) in self.objects {
            if object.original.is_some() {
                results.read.insert(id);
            }
            match (object.original, object.current) {
                (Some(before), Some(after)) if before != after => {
                    results.mutated.insert(id);
                    results.written.insert(id, after);
                }
                (None, Some(after)) => {
                    if after.owner.is_none() {
                        results.ownerless.push(id);
                    }
                    results.created.insert(id);
                    results.written.insert(id, after);
                }
                (Some(_), None) => {
                    results.deleted.insert(id);
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        results
    }

    /// A new random number generator. Like `0x2::random::new_generator`, it uses a fresh id.
    pub(crate) fn generator(&mut self) -> Generator {
        let id = self.fresh_id();
        Generator::new(self.randomness, id)
    }

    /// Takes the attesters forced for the stack, if any.
    pub(crate) fn take_forced_attesters(
        &mut self,
        stack: StackSmallId,
    ) -> Option<Vec<NodeSmallId>> {
        self.forced_attesters.remove(&stack)
    }

    /// Takes the node forced for the next purchase, if any.
    pub(crate) const fn take_forced_node(&mut self) -> Option<NodeSmallId> {
        self.forced_node.take()
    }

    /// Adds a new object of a native type.
    pub(crate) fn create_object<T: ObjectType>(
        &mut self,
        package: Address,
        object: &T,
        owner: Owner,
    ) -> Result<ObjectId, MoveError> {
        self.create(
            T::object_type(package),
            T::HAS_STORE,
            Some(owner),
            encode(object)?,
        )
    }

    /// An existing object's contents as a native type.
    pub(crate) fn read_object<T: ObjectType>(&mut self, id: &ObjectId) -> Result<T, MoveError> {
        decode(&self.existing(id)?.contents)
    }

    /// Writes an existing object back.
    pub(crate) fn write_object<T: ObjectType>(&mut self, object: &T) -> Result<(), MoveError> {
        self.update(&object.id(), encode(object)?)
    }

    /// An object that must exist.
    pub(crate) fn existing(&mut self, id: &ObjectId) -> Result<&mut ObjectState, MoveError> {
        self.track(*id)
            .current
            .as_mut()
            .ok_or_else(|| MoveError::invariant(format!("object {id} does not exist")))
    }

    /// Counts a child object as accessed, whether it exists or not.
    pub(crate) fn touch_child(
        &mut self,
        id: &ObjectId,
        location: CodeLocation,
    ) -> Result<(), MoveError> {
        if self.children.insert(*id) && self.children.len() > self.max_children {
            return Err(location.too_many_child_objects(self.max_children));
        }
        Ok(())
    }

    /// The object's entry, loaded on first access.
    fn track(&mut self, id: ObjectId) -> &mut TrackedObject {
        let reader = self.reader;
        self.objects.entry(id).or_insert_with(|| {
            let original = reader
                .object(&id)
                .and_then(|object| ObjectState::of(&object));
            TrackedObject {
                current: original.clone(),
                original,
            }
        })
    }
}

/// Encodes a native value in BCS.
pub(super) fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, MoveError> {
    bcs::to_bytes(value)
        .map_err(|error| MoveError::invariant(format!("a value can't be encoded: {error}")))
}

/// Decodes a native value from an object's or field's bytes.
pub(super) fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, MoveError> {
    bcs::from_bytes(bytes).map_err(|error| {
        let type_name = std::any::type_name::<T>();
        MoveError::invariant(format!("a {type_name} can't be decoded: {error}"))
    })
}
