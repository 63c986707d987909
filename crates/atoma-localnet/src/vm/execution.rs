//! One transaction's view of the objects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use atoma_domain::{NodeSmallId, StackSmallId};
use sui_sdk_types::{Address, Digest, Event, Object, Owner, StructTag};

use crate::vm::{
    CodeLocation, Generator, MoveError, MoveErrorKind, ObjectState, ObjectType, Outcome,
};
use atoma_domain::ObjectId;

/// Child objects that one transaction may touch (`object_runtime_max_num_cached_objects`).
const MAX_CHILD_OBJECTS: usize = 1_000;

/// Current versions of all live objects.
pub trait ObjectReader {
    /// The object's current version; `None` when it never existed or is gone.
    fn object(&self, id: &ObjectId) -> Option<Arc<Object>>;
}

/// What Move code can ask about its transaction.
#[derive(Clone, Copy, Debug)]
pub struct TxContext {
    /// The transaction's digest, from which created ids derive.
    pub digest: Digest,
    /// Who signed it.
    pub sender: Address,
    /// The epoch it executes in.
    pub epoch: u64,
    /// When that epoch began, in milliseconds since the Unix epoch.
    pub epoch_timestamp_ms: u64,
}

/// An object before and after.
struct Slot {
    original: Option<ObjectState>,
    current: Option<ObjectState>,
}

/// Loads objects through the reader and keeps all changes to itself until [`Self::finish`]. After
/// an error it must be dropped: transactions are atomic, and nothing is rolled back here.
pub struct Execution<'a> {
    reader: &'a dyn ObjectReader,
    context: TxContext,
    randomness: [u8; 32],
    next_id: u64,
    slots: BTreeMap<ObjectId, Slot>,
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
            .field("objects", &self.slots.len())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Execution<'a> {
    /// Begins a transaction; `randomness` seeds all its draws.
    pub fn new(reader: &'a dyn ObjectReader, context: TxContext, randomness: [u8; 32]) -> Self {
        Self {
            reader,
            context,
            randomness,
            next_id: 0,
            slots: BTreeMap::new(),
            children: BTreeSet::new(),
            max_children: MAX_CHILD_OBJECTS,
            events: Vec::new(),
            forced_attesters: BTreeMap::new(),
            forced_node: None,
        }
    }

    /// A view that is no transaction: for reading as much as one likes.
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

    /// The next id that derives from the transaction's digest (`tx_context::fresh_object_address`).
    pub fn fresh_id(&mut self) -> ObjectId {
        let id = Address::derive_id(self.context.digest, self.next_id);
        self.next_id += 1;
        id
    }

    /// The object as this transaction sees it, its own writes first.
    pub fn object(&mut self, id: &ObjectId) -> Option<&ObjectState> {
        self.slot(*id).current.as_ref()
    }

    /// Adds a new object, whose id the first 32 bytes of its contents are. Without an owner it
    /// must be [transferred](Self::transfer) before the end.
    ///
    /// # Errors
    /// When the contents are no object's, or the object exists.
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
        let slot = self.slot(id);
        if slot.current.is_some() {
            return Err(MoveError::invariant(format!("object {id} exists already")));
        }
        slot.current = Some(ObjectState {
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
    /// When it does not exist.
    pub fn update(&mut self, id: &ObjectId, contents: Vec<u8>) -> Result<(), MoveError> {
        self.existing(id)?.contents = contents;
        Ok(())
    }

    /// Deletes an object, whoever owns it.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn delete(&mut self, id: &ObjectId) -> Result<(), MoveError> {
        self.existing(id)?;
        self.slot(*id).current = None;
        Ok(())
    }

    /// Gives an object to an address (the command `TransferObjects`).
    ///
    /// # Errors
    /// When it does not exist, or its type does not allow it.
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

    /// Forces the attesters of the stack's settlement in this transaction: exactly these are
    /// drawn, in this order, whatever the probability; none for an empty list. At most as many as
    /// the contract's `cross_validation_extra_nodes_count` are taken, since a ticket has no room
    /// for more.
    pub fn force_attesters(&mut self, stack: StackSmallId, attesters: Vec<NodeSmallId>) {
        self.forced_attesters.insert(stack, attesters);
    }

    /// Forces the node that the next purchase in this transaction selects. A node that is not
    /// eligible fails the purchase as if no node were.
    pub fn force_selected_node(&mut self, node: NodeSmallId) {
        self.forced_node = Some(node);
    }

    /// Ends the transaction: what it changed.
    pub fn finish(self) -> Outcome {
        let mut outcome = Outcome {
            events: self.events,
            ..Outcome::default()
        };
        for (id, slot) in self.slots {
            if slot.original.is_some() {
                outcome.read.insert(id);
            }
            match (slot.original, slot.current) {
                (Some(before), Some(after)) if before != after => {
                    outcome.mutated.insert(id);
                    outcome.written.insert(id, after);
                }
                (None, Some(after)) => {
                    if after.owner.is_none() {
                        outcome.ownerless.push(id);
                    }
                    outcome.created.insert(id);
                    outcome.written.insert(id, after);
                }
                (Some(_), None) => {
                    outcome.deleted.insert(id);
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        outcome
    }

    /// A new stream of random numbers. Like `0x2::random::new_generator` it uses up a fresh id.
    pub(crate) fn generator(&mut self) -> Generator {
        let id = self.fresh_id();
        Generator::new(self.randomness, id)
    }

    /// Takes the attesters forced for the stack, if any are.
    pub(crate) fn take_forced_attesters(
        &mut self,
        stack: StackSmallId,
    ) -> Option<Vec<NodeSmallId>> {
        self.forced_attesters.remove(&stack)
    }

    /// Takes the node forced for the next purchase, if one is.
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

    /// An existing object.
    pub(crate) fn existing(&mut self, id: &ObjectId) -> Result<&mut ObjectState, MoveError> {
        self.slot(*id)
            .current
            .as_mut()
            .ok_or_else(|| MoveError::invariant(format!("object {id} does not exist")))
    }

    /// Counts a child object as touched, whether it exists or not.
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

    fn slot(&mut self, id: ObjectId) -> &mut Slot {
        let reader = self.reader;
        self.slots.entry(id).or_insert_with(|| {
            let original = reader
                .object(&id)
                .and_then(|object| ObjectState::of(&object));
            Slot {
                current: original.clone(),
                original,
            }
        })
    }
}

/// BCS bytes of a native value.
pub(super) fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, MoveError> {
    bcs::to_bytes(value).map_err(|error| MoveError::invariant(format!("value too long: {error}")))
}

/// A native value from an object's or field's bytes.
pub(super) fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, MoveError> {
    bcs::from_bytes(bytes).map_err(|error| {
        MoveError::invariant(format!("no {}: {error}", std::any::type_name::<T>()))
    })
}
