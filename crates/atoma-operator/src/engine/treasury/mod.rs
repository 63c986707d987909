//! Claims that the contract's treasury can't pay yet: which of a batch it can pay, and those that
//! wait for it to grow.

mod shortage;
mod waiting_claims;

pub(super) use shortage::{Division, costs, divide};
pub(super) use waiting_claims::WaitingClaims;
