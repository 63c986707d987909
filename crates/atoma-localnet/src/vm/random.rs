//! Random numbers as `0x2::random` gives them: good enough to look at, and the same again for
//! the same seed.

use atoma_domain::Hash32;

use atoma_domain::ObjectId;

/// A stream of random numbers (`0x2::random::RandomGenerator`), seeded by the transaction's
/// randomness and an id of its own.
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

    /// Any 64 bits, each value as likely as any other.
    pub(crate) fn next_u64(&mut self) -> u64 {
        let block = Hash32::of(&[&self.seed, self.id.as_ref(), &self.drawn.to_le_bytes()]);
        self.drawn = self.drawn.wrapping_add(1);
        block
            .as_bytes()
            .iter()
            .take(8)
            .fold(0, |value, byte| (value << 8) | u64::from(*byte))
    }

    /// A number below `bound` as the contract takes one, by the remainder; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }
}
