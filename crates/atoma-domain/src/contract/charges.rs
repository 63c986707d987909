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

/// The charges as they were read now and then. No event tells a change, so what counted outside of a read interval is known
/// only as far as the reads before and after it agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChargesHistory(Vec<ChargesRead>);

/// What is known of the charges that a transaction used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownCharges {
    /// The price of a sampling-consensus stack.
    pub sampling_consensus: Option<Permille>,
    /// The surcharge for its extra nodes.
    pub extra_nodes: Option<Permille>,
    /// The number of attesters that a settlement draws.
    pub extra_nodes_count: Option<u64>,
}

impl ChargesHistory {
    /// The history of these reads, in any order.
    pub fn new(mut reads: Vec<ChargesRead>) -> Self {
        reads.sort_unstable_by_key(|read| read.first);
        Self(reads)
    }

    /// What is known of the charges that a transaction used, by the version that it gave the `AtomaDb`. Before the first
    /// read and after the last nothing is known; between two reads that differ, what they have in common.
    pub fn at(&self, version: u64) -> KnownCharges {
        let after = self.0.partition_point(|read| read.first <= version);
        let before = after.checked_sub(1).and_then(|index| self.0.get(index));
        let Some(before) = before else {
            return KnownCharges::default();
        };
        let (one, other) = match self.0.get(after) {
            _ if version <= before.last => (before.charges, before.charges),
            Some(next) => (before.charges, next.charges),
            None => return KnownCharges::default(),
        };
        KnownCharges {
            sampling_consensus: Some(one.sampling_consensus)
                .filter(|charge| *charge == other.sampling_consensus),
            extra_nodes: Some(one.extra_nodes).filter(|charge| *charge == other.extra_nodes),
            extra_nodes_count: Some(one.extra_nodes_count)
                .filter(|count| *count == other.extra_nodes_count),
        }
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
    fn outside_of_the_reads_only_what_they_have_in_common_is_known() {
        let history = ChargesHistory::new(vec![read(1_100, 20, 30), read(1_200, 5, 10)]);
        let at = |version| {
            let charge = history.at(version).sampling_consensus;
            charge.map(Permille::get)
        };
        assert_eq!(at(1), None);
        assert_eq!(at(5), Some(1_200));
        assert_eq!(at(10), Some(1_200));
        assert_eq!(at(11), None);
        assert_eq!(history.at(11).extra_nodes_count, Some(0));
        assert_eq!(at(20), Some(1_100));
        assert_eq!(at(30), Some(1_100));
        assert_eq!(history.at(31), KnownCharges::default());
        assert_eq!(history.last_read(), Some(30));
        assert_eq!(ChargesHistory::default().at(7), KnownCharges::default());
    }
}
