//! The live version of each object, its owner, and its past versions.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use atoma_domain::ObjectId;
use bytes::Bytes;
use sui_sdk_types::{
    Address, ChangedObject, MovePackage, Object, ObjectData, ObjectIn, Owner, TypeTag,
};

use crate::vm::ObjectReader;

/// All objects: live versions decoded, superseded ones as BCS bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct ObjectStore {
    live: HashMap<ObjectId, Arc<Object>>,
    /// Ids by the address or parent object that owns the objects.
    owned: HashMap<Address, BTreeSet<ObjectId>>,
    superseded: HashMap<(ObjectId, u64), Bytes>,
    /// The last superseded version of each object, for reads that lag by one version.
    previous: HashMap<ObjectId, u64>,
    packages: BTreeSet<ObjectId>,
}

impl ObjectStore {
    /// The live version of an object.
    pub(crate) fn live(&self, id: &ObjectId) -> Option<&Arc<Object>> {
        self.live.get(id)
    }

    /// An object at `version`, live or superseded.
    pub(crate) fn at(&self, id: &ObjectId, version: u64) -> Option<Arc<Object>> {
        if let Some(object) = self.live.get(id)
            && object.version() == version
        {
            return Some(Arc::clone(object));
        }
        let bytes = self.superseded.get(&(*id, version))?;
        bcs::from_bytes(bytes).ok().map(Arc::new)
    }

    /// The version before the live one, or the live version if it is the first.
    pub(crate) fn stale(&self, id: &ObjectId) -> Option<Arc<Object>> {
        match self.previous.get(id) {
            Some(version) => self.at(id, *version),
            None => self.live.get(id).cloned(),
        }
    }

    /// All live objects, in no particular order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.live.values()
    }

    /// The live objects owned by an address, or the children of an object, in order of their ids.
    pub(crate) fn owned_by(&self, owner: &Address) -> impl Iterator<Item = &Arc<Object>> {
        self.owned
            .get(owner)
            .into_iter()
            .flatten()
            .filter_map(|id| self.live.get(id))
    }

    /// A live package.
    pub(crate) fn package(&self, id: &ObjectId) -> Option<&MovePackage> {
        match self.live(id)?.data() {
            ObjectData::Package(package) => Some(package),
            ObjectData::Struct(_) => None,
        }
    }

    /// All packages.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &MovePackage> {
        self.packages.iter().filter_map(|id| self.package(id))
    }

    /// Makes `object` the live version.
    pub(crate) fn write(&mut self, object: Object) {
        let id = object.object_id();
        if matches!(object.data(), ObjectData::Package(_)) {
            self.packages.insert(id);
        }
        let object = Arc::new(object);
        if let Some(old) = self.live.insert(id, Arc::clone(&object)) {
            self.supersede(id, &old);
            if owner_address(old.owner()) != owner_address(object.owner()) {
                self.disown(id, &old);
            }
        }
        if let Some(owner) = owner_address(object.owner()) {
            self.owned.entry(owner).or_default().insert(id);
        }
    }

    /// Deletes an object. Its past versions stay readable.
    pub(crate) fn delete(&mut self, id: ObjectId) {
        if let Some(old) = self.live.remove(&id) {
            self.supersede(id, &old);
            self.disown(id, &old);
        }
    }

    /// Makes the version before a change the live one again, as on a node that has not executed it.
    pub(super) fn undo(&mut self, change: &ChangedObject) {
        let id = change.object_id;
        let before = match change.input_state {
            ObjectIn::Exist { version, .. } => self.at(&id, version),
            _ => None,
        };
        if let Some(after) = self.live.remove(&id) {
            self.disown(id, &after);
            self.packages.remove(&id);
        }
        if let Some(before) = before {
            if let Some(owner) = owner_address(before.owner()) {
                self.owned.entry(owner).or_default().insert(id);
            }
            self.live.insert(id, before);
        }
    }

    fn supersede(&mut self, id: ObjectId, old: &Object) {
        match bcs::to_bytes(old) {
            Ok(bytes) => {
                self.superseded.insert((id, old.version()), bytes.into());
                self.previous.insert(id, old.version());
            }
            Err(error) => {
                tracing::error!(object = %id, %error, "can't encode a superseded object version");
            }
        }
    }

    fn disown(&mut self, id: ObjectId, old: &Object) {
        if let Some(owner) = owner_address(old.owner())
            && let Some(ids) = self.owned.get_mut(&owner)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.owned.remove(&owner);
            }
        }
    }
}

impl ObjectReader for ObjectStore {
    fn object(&self, id: &ObjectId) -> Option<Arc<Object>> {
        self.live.get(id).cloned()
    }
}

fn owner_address(owner: &Owner) -> Option<Address> {
    match owner {
        Owner::Address(address) | Owner::Object(address) => Some(*address),
        Owner::ConsensusAddress { owner, .. } => Some(*owner),
        _ => None,
    }
}

/// The coin type and balance of a `0x2::coin::Coin<T>` object.
pub(crate) fn coin_balance(object: &Object) -> Option<(TypeTag, u64)> {
    let ObjectData::Struct(value) = object.data() else {
        return None;
    };
    let coin_type = value.object_type().is_coin()?.clone();
    let balance = value.contents().get(32..40)?.try_into().ok()?;
    Some((coin_type, u64::from_le_bytes(balance)))
}
