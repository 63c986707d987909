//! The live version of each object, its owner, and its past versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use atoma_domain::ObjectId;
use sui_sdk_types::{
    Address, ChangedObject, MovePackage, Object, ObjectData, ObjectIn, StructTag, TypeTag,
};

use super::archive::Archive;
use super::owners::{Kinds, ObjectKind, Owners, Rank};
use super::stored::{Extent, Stored};
use crate::vm::ObjectReader;

/// A live object: its version, and where it is.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) version: u64,
    pub(super) place: Stored<Object>,
}

/// All objects. With a log, only their places in it are in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct ObjectStore {
    pub(super) live: BTreeMap<ObjectId, Live>,
    pub(super) superseded: BTreeMap<(ObjectId, u64), Stored<Object>>,
    pub(super) owners: Owners,
    /// Few, so they are always in memory.
    pub(super) packages: BTreeMap<ObjectId, Arc<Object>>,
    /// Reads what is in the log.
    pub(super) archive: Option<Arc<Archive>>,
}

impl ObjectStore {
    /// The live version of an object.
    pub(crate) fn live(&self, id: &ObjectId) -> Option<Arc<Object>> {
        self.read(&self.live.get(id)?.place)
    }

    /// An object at `version`, live or superseded.
    pub(crate) fn at(&self, id: &ObjectId, version: u64) -> Option<Arc<Object>> {
        match self.live.get(id) {
            Some(live) if live.version == version => self.read(&live.place),
            _ => self.read(self.superseded.get(&(*id, version))?),
        }
    }

    /// The version before the live one, or the live version if it is the first.
    pub(crate) fn stale(&self, id: &ObjectId) -> Option<Arc<Object>> {
        let live = self.live.get(id).map_or(u64::MAX, |live| live.version);
        let mut before = self.superseded.range((*id, 0)..(*id, live));
        match before.next_back() {
            Some(((_, version), _)) => self.at(id, *version),
            None => self.live(id),
        }
    }

    /// The live objects of a type that an address or object owns, coins by descending balance, others in
    /// order of their ids.
    pub(crate) fn owned_by<'a>(
        &'a self,
        owner: &Address,
        is_wanted: impl Fn(&StructTag) -> bool + 'a,
    ) -> impl Iterator<Item = Arc<Object>> {
        let kinds = self.owners.of(owner, move |kind| is_wanted(&kind.tag));
        kinds
            .flat_map(|(_, ranks)| ranks)
            .filter_map(|(_, id)| self.live(id))
    }

    /// The live objects of a type that anyone owns.
    pub(crate) fn owned_by_anyone<'a>(
        &'a self,
        is_wanted: impl Fn(&StructTag) -> bool + 'a,
    ) -> impl Iterator<Item = Arc<Object>> {
        self.owners
            .all()
            .flat_map(|(_, kinds)| kinds)
            .filter(move |(kind, _)| is_wanted(&kind.tag))
            .flat_map(|(_, ranks)| ranks)
            .filter_map(|(_, id)| self.live(id))
    }

    /// An owner's objects after a position in the order of types, balances and ids.
    pub(crate) fn owned_after<'a>(
        &'a self,
        owner: &Address,
        after: Option<&'a (String, u64, ObjectId)>,
        is_wanted: impl Fn(&StructTag) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a ObjectKind, Rank)> {
        self.owners
            .after(owner, after, move |kind| is_wanted(&kind.tag))
    }

    /// The first `count` dynamic fields of an object after an id, in order of their ids.
    pub(crate) fn fields(
        &self,
        parent: &Address,
        after: Option<ObjectId>,
        count: usize,
    ) -> Vec<Arc<Object>> {
        let ids = self.owners.fields(parent, after, count);
        ids.iter().filter_map(|id| self.live(id)).collect()
    }

    /// An owner's coins of a currency with their balances, the largest first.
    pub(crate) fn coins<'a>(
        &'a self,
        owner: &Address,
        coin_type: &'a TypeTag,
    ) -> impl Iterator<Item = (u64, ObjectId)> {
        self.owners
            .of(owner, move |kind| kind.coin_type() == Some(coin_type))
            .flat_map(|(_, ranks)| ranks)
            .map(|(inverted, id)| (u64::MAX - inverted, *id))
    }

    /// The total balance of each currency of which an owner has coins.
    pub(crate) fn balances(&self, owner: &Address) -> BTreeMap<String, u64> {
        sums(self.owners.of(owner, |_| true))
    }

    /// The balances of everyone who has coins.
    pub(crate) fn all_balances(&self) -> impl Iterator<Item = (&Address, BTreeMap<String, u64>)> {
        let of = |kinds: &Kinds| sums(kinds.iter().map(|(kind, ranks)| (&**kind, ranks)));
        self.owners
            .all()
            .map(move |(owner, kinds)| (owner, of(kinds)))
            .filter(|(_, balances)| !balances.is_empty())
    }

    /// A live package.
    pub(crate) fn package(&self, id: &ObjectId) -> Option<&MovePackage> {
        match self.packages.get(id)?.data() {
            ObjectData::Package(package) => Some(package),
            ObjectData::Struct(_) => None,
        }
    }

    /// All packages.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &MovePackage> {
        self.packages.keys().filter_map(|id| self.package(id))
    }

    /// Makes `object` the live version. With an extent, it is in the log there.
    pub(super) fn write(&mut self, object: Object, extent: Option<Extent>) {
        let id = object.object_id();
        let object = Arc::new(object);
        let old = self.supersede(id);
        self.owners.replace(old.as_deref(), Some(&object));
        if matches!(object.data(), ObjectData::Package(_)) {
            self.packages.insert(id, Arc::clone(&object));
        }
        let version = object.version();
        let place = match (extent, &self.archive) {
            (Some(extent), Some(archive)) => {
                archive.keep_object(extent, object);
                Stored::Log(extent)
            }
            _ => Stored::Memory(object),
        };
        self.live.insert(id, Live { version, place });
    }

    /// Deletes an object. Its past versions stay readable.
    pub(super) fn delete(&mut self, id: ObjectId) {
        let old = self.supersede(id);
        self.owners.replace(old.as_deref(), None);
        self.live.remove(&id);
    }

    /// Makes the version before a change the live one again, as on a node that has not executed it.
    pub(super) fn undo(&mut self, change: &ChangedObject) {
        let id = change.object_id;
        if let Some(after) = self.live(&id) {
            self.owners.replace(Some(&after), None);
            self.packages.remove(&id);
            self.live.remove(&id);
        }
        if let ObjectIn::Exist { version, .. } = change.input_state
            && let Some(place) = self.superseded.get(&(id, version)).cloned()
            && let Some(before) = self.read(&place)
        {
            self.owners.replace(None, Some(&before));
            self.live.insert(id, Live { version, place });
        }
    }

    /// Keeps the live version, which will be replaced, as a past one, and returns it.
    fn supersede(&mut self, id: ObjectId) -> Option<Arc<Object>> {
        let live = self.live.get(&id)?;
        let old = self.read(&live.place)?;
        let place = live.place.clone();
        self.superseded.insert((id, live.version), place);
        Some(old)
    }

    fn read(&self, place: &Stored<Object>) -> Option<Arc<Object>> {
        match place {
            Stored::Memory(object) => Some(Arc::clone(object)),
            Stored::Log(extent) => self.archive.as_ref()?.object(*extent),
        }
    }
}

impl ObjectReader for ObjectStore {
    fn object(&self, id: &ObjectId) -> Option<Arc<Object>> {
        self.live(id)
    }
}

/// The total balances of coins, by currency.
fn sums<'a>(
    kinds: impl Iterator<Item = (&'a ObjectKind, &'a BTreeSet<Rank>)>,
) -> BTreeMap<String, u64> {
    kinds
        .filter_map(|(kind, ranks)| {
            let coin_type = kind.coin_type()?.to_string();
            let balances = ranks.iter().map(|(inverted, _)| u64::MAX - inverted);
            Some((coin_type, balances.fold(0_u64, u64::saturating_add)))
        })
        .collect()
}
