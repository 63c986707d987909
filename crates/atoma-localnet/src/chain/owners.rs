//! The objects of each owner, in the order in which they are listed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use atoma_domain::ObjectId;
use sui_sdk_types::{Address, MoveStruct, Object, Owner, StructTag, TypeTag};

use super::coins::coin_balance;

/// A type of objects, which many share.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectKind {
    /// The type as text, by which kinds are ordered.
    pub(crate) name: String,
    pub(crate) tag: StructTag,
}

impl ObjectKind {
    fn of(tag: &StructTag) -> Self {
        Self {
            name: tag.to_string(),
            tag: tag.clone(),
        }
    }

    /// The currency, for coins.
    pub(crate) fn coin_type(&self) -> Option<&TypeTag> {
        self.tag.is_coin()
    }

    /// Whether these are dynamic fields.
    fn is_field(&self) -> bool {
        self.tag.module().as_str() == "dynamic_field" && self.tag.name().as_str() == "Field"
    }
}

/// An object among those of one owner and type: coins by descending balance, then by id.
pub(super) type Rank = (u64, ObjectId);

/// The objects of one owner.
pub(super) type Kinds = BTreeMap<Arc<ObjectKind>, BTreeSet<Rank>>;

/// The ids of all objects that are owned by an address or an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Owners {
    owned: HashMap<Address, Kinds>,
    kinds: HashMap<StructTag, Arc<ObjectKind>>,
}

impl Owners {
    /// Replaces a version of an object by the next. Either may be none.
    pub(super) fn replace(&mut self, old: Option<&Object>, new: Option<&Object>) {
        let is_same = |(old, new): (&Object, &Object)| {
            owner_address(old.owner()) == owner_address(new.owner())
                && rank(old) == rank(new)
                && old.as_struct().map(MoveStruct::object_type)
                    == new.as_struct().map(MoveStruct::object_type)
        };
        if old.zip(new).is_some_and(is_same) {
            return;
        }
        if let Some(old) = old {
            self.remove(old);
        }
        if let Some(new) = new {
            self.add(new);
        }
    }

    /// Adds an object, unless nobody owns it.
    fn add(&mut self, object: &Object) {
        let (Some(owner), Some(data)) = (owner_address(object.owner()), object.as_struct()) else {
            return;
        };
        let kind = self.kind(data.object_type());
        let kinds = self.owned.entry(owner).or_default();
        kinds.entry(kind).or_default().insert(rank(object));
    }

    /// Adds all objects of one owner and type.
    pub(super) fn add_all(
        &mut self,
        owner: Address,
        tag: &StructTag,
        ranks: impl Iterator<Item = Rank>,
    ) {
        let kind = self.kind(tag);
        let kinds = self.owned.entry(owner).or_default();
        kinds.insert(kind, ranks.collect());
    }

    /// Removes an object as it was added.
    fn remove(&mut self, object: &Object) {
        let (Some(owner), Some(data)) = (owner_address(object.owner()), object.as_struct()) else {
            return;
        };
        let (Some(kind), Some(kinds)) = (
            self.kinds.get(data.object_type()),
            self.owned.get_mut(&owner),
        ) else {
            return;
        };
        if let Some(ranks) = kinds.get_mut(kind) {
            ranks.remove(&rank(object));
            if ranks.is_empty() {
                kinds.remove(kind);
            }
        }
        if kinds.is_empty() {
            self.owned.remove(&owner);
        }
    }

    fn kind(&mut self, tag: &StructTag) -> Arc<ObjectKind> {
        if let Some(kind) = self.kinds.get(tag) {
            return Arc::clone(kind);
        }
        let kind = Arc::new(ObjectKind::of(tag));
        self.kinds.insert(tag.clone(), Arc::clone(&kind));
        kind
    }

    /// All owners, in no particular order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Address, &Kinds)> {
        self.owned.iter()
    }

    /// The objects of an owner whose type `is_wanted`, by type.
    pub(super) fn of<'a>(
        &'a self,
        owner: &Address,
        is_wanted: impl Fn(&ObjectKind) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a ObjectKind, &'a BTreeSet<Rank>)> {
        self.owned
            .get(owner)
            .into_iter()
            .flatten()
            .filter(move |(kind, _)| is_wanted(kind))
            .map(|(kind, ranks)| (&**kind, ranks))
    }

    /// The objects of an owner after a position in the order of types, balances and ids.
    pub(super) fn after<'a>(
        &'a self,
        owner: &Address,
        after: Option<&'a (String, u64, ObjectId)>,
        is_wanted: impl Fn(&ObjectKind) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a ObjectKind, Rank)> {
        self.of(owner, is_wanted)
            .filter(move |(kind, _)| after.is_none_or(|(name, ..)| kind.name >= *name))
            .flat_map(move |(kind, ranks)| {
                let from = match after {
                    Some((name, balance, id)) if kind.name == *name => {
                        Bound::Excluded((*balance, *id))
                    }
                    _ => Bound::Unbounded,
                };
                let rest = ranks.range((from, Bound::Unbounded));
                rest.map(move |rank| (kind, *rank))
            })
    }

    /// The first `count` dynamic fields of an object after an id, in order of their ids.
    pub(super) fn fields(
        &self,
        parent: &Address,
        after: Option<ObjectId>,
        count: usize,
    ) -> Vec<ObjectId> {
        let from = after.map_or(Bound::Unbounded, |id| Bound::Excluded((0, id)));
        let mut found: Vec<ObjectId> = self
            .of(parent, ObjectKind::is_field)
            .flat_map(|(_, ranks)| ranks.range((from, Bound::Unbounded)).take(count))
            .map(|(_, id)| *id)
            .collect();
        found.sort_unstable();
        found.truncate(count);
        found
    }
}

/// The address or object that owns an object.
fn owner_address(owner: &Owner) -> Option<Address> {
    match owner {
        Owner::Address(address) | Owner::Object(address) => Some(*address),
        Owner::ConsensusAddress { owner, .. } => Some(*owner),
        _ => None,
    }
}

fn rank(object: &Object) -> Rank {
    let inverted = coin_balance(object).map_or(0, |(_, balance)| u64::MAX - balance);
    (inverted, object.object_id())
}
