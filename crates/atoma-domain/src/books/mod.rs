//! The books: what each stack cost, what its claim paid to whom, and what the contract still owes.
//!
//! [`split_claim`] has the contract's rules. A [`Ledger`] applies them to the [recorded transactions](BookedTransaction) in
//! ledger order, and compares what they give with the events and with the changes of balances, to the last unit. What
//! differs is a [`BookDifference`]; what the records don't suffice for is unknown, and never guessed.

mod claim;
mod gas;
mod ledger;
mod line;
mod posting;
mod rates;
mod record;
mod stage;
mod totals;

pub use claim::{AmountError, ClaimSplit, StackTerms, split_claim};
pub use gas::{GasLine, divide_gas};
pub use ledger::Ledger;
pub use line::{BookDifference, BookLine, DifferenceKind, LineKind};
pub use posting::Posted;
pub use record::{BookEntry, BookedClaim, BookedTransaction, StackRecords};
pub use stage::{StackFacts, Stage, Standstill, standing};
pub use totals::{DAY, Grouping, Totals, day_of};
