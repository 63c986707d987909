//! How the descriptions of several modules begin.

use crate::lists::PAGING;
use crate::openapi::{Description, Tag, codes, describe};
use crate::query::SIMULATED;

/// A list of the mirrored state.
pub(super) fn state_list(id: &'static str, summary: &'static str) -> Description {
    describe(id, Tag::State, summary)
        .query(PAGING)
        .errors(codes::STATE)
}

/// A request that becomes transactions.
pub(super) fn transaction_request(id: &'static str, summary: &'static str) -> Description {
    describe(id, Tag::Transactions, summary)
        .query(SIMULATED)
        .takes_key()
        .errors(codes::TRANSACTION)
}
