//! The objects that one view is put together from.

use std::collections::{HashMap, HashSet};

use atoma_domain::ObjectId;

use crate::connection::ObjectRead;

/// The state of an object within one view.
#[derive(Clone, Debug)]
pub(super) enum Lookup {
    /// Not read yet; now on the list of objects to fetch.
    NotRead,
    /// It does not exist.
    Absent,
    /// Its latest version.
    Read(ObjectRead),
}

/// The objects read for one view, and those still to fetch, in the order they were looked up.
#[derive(Debug, Default)]
pub(super) struct ViewObjects {
    read: HashMap<ObjectId, Option<ObjectRead>>,
    missing: Vec<ObjectId>,
}

impl ViewObjects {
    /// Looks an object up; one not read yet is added to the objects to fetch.
    pub(super) fn lookup(&mut self, id: ObjectId) -> Lookup {
        match self.read.get(&id) {
            Some(Some(object)) => Lookup::Read(object.clone()),
            Some(None) => Lookup::Absent,
            None => {
                self.missing.push(id);
                Lookup::NotRead
            }
        }
    }

    /// Fetches an object along with the others because the next pass will probably need it.
    pub(super) fn prefetch(&mut self, id: ObjectId) {
        let _ = self.lookup(id);
    }

    /// Adds an object as a node returned it. When nodes disagree, the older version counts, and
    /// absence counts as older than any version.
    pub(super) fn insert(&mut self, id: ObjectId, object: Option<ObjectRead>) {
        let version =
            |object: &Option<ObjectRead>| object.as_ref().map(|read| read.reference.version());
        let known = self.read.entry(id).or_insert_with(|| object.clone());
        if version(&object) < version(known) {
            *known = object;
        }
    }

    /// Takes the list of objects to fetch, each id once.
    pub(super) fn take_missing(&mut self) -> Vec<ObjectId> {
        let mut seen = HashSet::new();
        let mut missing = std::mem::take(&mut self.missing);
        missing.retain(|id| seen.insert(*id));
        missing
    }
}

/// The result of one pass over the objects read so far.
#[derive(Debug)]
pub(super) enum Pass<T> {
    /// All objects were there.
    Done(T),
    /// Some objects have to be fetched first.
    Missing,
    /// The objects are inconsistent: they changed between two reads.
    Changed,
}

#[cfg(test)]
mod tests;
