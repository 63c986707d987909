//! What the contract charges for sampling consensus, and when it charged what.

use serde::{Deserialize, Serialize};

use crate::Permille;

/// The parameters of the `AtomaDb` that prices and fees depend on. The manager can change them at any time, and the
/// contract uses those of the moment: a claim is paid at the charge of its own transaction, not at that of the purchase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Charges {
    /// The price of a sampling-consensus stack relative to the plain price (1,200 = 120 %).
    pub sampling_consensus: Permille,
    /// The surcharge for its extra nodes, which a purchase pays and a claim doesn't.
    pub extra_nodes: Permille,
    /// The number of attesters that a settlement draws: a share is the fee divided by it.
    pub extra_nodes_count: u64,
}

/// Versions of the `AtomaDb` between which every read gave the same charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargesRead {
    /// What was read.
    pub charges: Charges,
    /// The first version at which it was read.
    pub first: u64,
    /// The last version at which it was read.
    pub last: u64,
}

/// The charges as they were read now and then. No event tells a change, so between two reads that differ either of
/// them may have counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChargesHistory(Vec<ChargesRead>);

impl ChargesHistory {
    /// The history of these reads, in any order.
    pub fn new(mut reads: Vec<ChargesRead>) -> Self {
        reads.sort_unstable_by_key(|read| read.first);
        Self(reads)
    }

    /// The charges that a transaction may have used, by the version that it gave the `AtomaDb`: one, or two if they changed
    /// around it, the older first. Empty if they were never read.
    pub fn at(&self, version: u64) -> Vec<Charges> {
        let after = self.0.partition_point(|read| read.first <= version);
        let before = after.checked_sub(1).and_then(|index| self.0.get(index));
        let next = self.0.get(after);
        let is_within = before.is_some_and(|read| version <= read.last);
        let next = next.filter(|_| !is_within);
        let mut charges: Vec<_> = before.into_iter().chain(next).collect();
        charges.dedup_by_key(|read| read.charges);
        charges.into_iter().map(|read| read.charges).collect()
    }

    /// The last version at which they were read.
    pub fn last_read(&self) -> Option<u64> {
        self.0.last().map(|read| read.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(charge: u64, first: u64, last: u64) -> ChargesRead {
        ChargesRead {
            charges: Charges {
                sampling_consensus: Permille::new(charge),
                ..Charges::default()
            },
            first,
            last,
        }
    }

    #[test]
    fn between_two_reads_that_differ_either_may_have_counted() {
        let history = ChargesHistory::new(vec![read(1_100, 20, 30), read(1_200, 5, 10)]);
        let at = |version| -> Vec<u64> {
            let charges = history.at(version).into_iter();
            charges
                .map(|charges| charges.sampling_consensus.get())
                .collect()
        };
        assert_eq!(at(1), [1_200]);
        assert_eq!(at(5), [1_200]);
        assert_eq!(at(10), [1_200]);
        assert_eq!(at(11), [1_200, 1_100]);
        assert_eq!(at(20), [1_100]);
        assert_eq!(at(99), [1_100]);
        assert_eq!(history.last_read(), Some(30));
        assert!(ChargesHistory::default().at(7).is_empty());
    }
}
