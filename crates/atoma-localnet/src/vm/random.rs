//! Deterministic random numbers in place of `0x2::random`: the same seed gives the same numbers.

use atoma_domain::Hash32;

use atoma_domain::ObjectId;

/// `0x2::random::RandomGenerator`: a sequence of random numbers, seeded by the transaction's
/// randomness and a fresh id.
#[derive(Debug)]
pub(crate) struct Generator {
    seed: [u8; 32],
    id: ObjectId,
    drawn: u64,
}

impl Generator {
    pub(super) const fn new(seed: [u8; 32], id: ObjectId) -> Self {
        Self { seed, id, drawn: 0 }
    }

    /// A uniformly distributed number.
    pub(crate) fn next_u64(&mut self) -> u64 {
        let block = Hash32::of(&[&self.seed, self.id.as_ref(), &self.drawn.to_le_bytes()]);
        self.drawn = self.drawn.wrapping_add(1);
        block
            .as_bytes()
            .iter()
            .take(8)
            .fold(0, |value, byte| (value << 8) | u64::from(*byte))
    }

    /// A number below `bound`, computed as a remainder like the contract does; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }
}
