//! The work that a row says was done.

use atoma_domain::settlement::StackAccumulator;
use atoma_domain::{
    Address, ComputeUnits, Hash32, NodeSmallId, ObjectId, StackSmallId, TaskSmallId,
};

use super::refusal::NotTaken;
use super::row::{EarlierRow, MOST_HASH_BYTES};

/// The bytes of one hash.
const HASH: u64 = 32;

/// How the number of messages follows from the hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// It is their number.
    Exact,
    /// It may be one more. When a purchase was new to the node, it stored the stack for the first request with one
    /// message and no hash, and counted that message again with its hash. Number and hash are written by one statement
    /// otherwise, so they differ by nothing else.
    FirstTwice,
}

/// The work that the earlier node did for one stack.
#[derive(Clone, Debug)]
pub(super) struct EarlierWork {
    pub(super) stack: StackSmallId,
    pub(super) badge: ObjectId,
    pub(super) owner: Address,
    pub(super) task: TaskSmallId,
    pub(super) node: NodeSmallId,
    pub(super) size: ComputeUnits,
    pub(super) computed: ComputeUnits,
    /// Over the message hashes, in their order. Has at least one.
    pub(super) accumulator: StackAccumulator,
    pub(super) is_closed: bool,
}

impl EarlierWork {
    /// The units that the stack has room for. A request that took more than its estimate could count more.
    pub(super) fn covered(&self) -> ComputeUnits {
        self.computed.min(self.size)
    }

    /// The units beyond those.
    pub(super) fn uncovered(&self) -> ComputeUnits {
        let more = self.computed.checked_sub(self.covered());
        more.unwrap_or(ComputeUnits::ZERO)
    }

    /// Reads a row by the rules that need nothing else.
    pub(super) fn of(row: &EarlierRow, counting: Counting) -> Result<Self, NotTaken> {
        let stack = unsigned("stack_small_id", Some(row.stack_small_id))?;
        let task = unsigned("task_small_id", row.task_small_id)?;
        let node = unsigned("selected_node_id", row.selected_node_id)?;
        let size = unsigned("num_compute_units", row.num_compute_units)?;
        let computed = ComputeUnits::new(unsigned(
            "already_computed_units",
            row.already_computed_units,
        )?);
        let messages = unsigned("num_total_messages", row.num_total_messages)?;
        let accumulator = match hashes(row, messages, counting)? {
            [] if computed == ComputeUnits::ZERO => return Err(NotTaken::Empty),
            [] => return Err(NotTaken::UnitsWithoutMessages { units: computed }),
            hashes => accumulate(hashes)?,
        };
        Ok(Self {
            stack: StackSmallId::new(stack),
            badge: address("stack_id", row.stack_id.as_deref())?,
            owner: address("owner_address", row.owner_address.as_deref())?,
            task: TaskSmallId::new(task),
            node: NodeSmallId::new(node),
            size: ComputeUnits::new(size),
            computed,
            accumulator,
            is_closed: row.is_closed,
        })
    }
}

/// The concatenated hashes, which are as many as the messages.
fn hashes(row: &EarlierRow, messages: u64, counting: Counting) -> Result<&[u8], NotTaken> {
    let bytes = unsigned("total_hash", row.hash_bytes)?;
    if let (None, Ok(limit)) = (&row.total_hash, u64::try_from(MOST_HASH_BYTES)) {
        return Err(NotTaken::TooManyHashes { bytes, limit });
    }
    let hashes = row.total_hash.as_deref().unwrap_or_default();
    let fits = |messages: u64| messages.checked_mul(HASH) == Some(bytes);
    let fits_counting = match (counting, messages.checked_sub(1)) {
        (Counting::FirstTwice, Some(fewer)) => fits(messages) || fits(fewer),
        _ => fits(messages),
    };
    match fits_counting {
        true => Ok(hashes),
        false => Err(NotTaken::HashesDontFit { bytes, messages }),
    }
}

fn accumulate(hashes: &[u8]) -> Result<StackAccumulator, NotTaken> {
    const UNREADABLE: NotTaken = NotTaken::Unreadable {
        column: "total_hash",
    };
    let mut accumulator = StackAccumulator::new();
    for hash in hashes.chunks(32) {
        let hash = Hash32::try_from(hash).map_err(|_| UNREADABLE)?;
        accumulator.append(hash).map_err(|_| UNREADABLE)?;
    }
    Ok(accumulator)
}

/// A number that the chain's type has no sign for.
fn unsigned(column: &'static str, value: Option<i64>) -> Result<u64, NotTaken> {
    let value = value.ok_or(NotTaken::Unreadable { column })?;
    u64::try_from(value).map_err(|_| NotTaken::Negative { column, value })
}

/// An address or object id.
fn address(column: &'static str, text: Option<&str>) -> Result<Address, NotTaken> {
    text.and_then(|text| Address::from_hex(text).ok())
        .ok_or(NotTaken::Unreadable { column })
}

#[cfg(test)]
mod tests;
