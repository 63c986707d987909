//! The Move module `atoma::db` as a node meets it: what can be called, what stands on chain, and
//! why a call can fail.

mod abort;
mod abort_table;
mod calls;
mod objects;

pub use abort::{Abort, AbortInfo};
pub use calls::{BadgeUse, ContractCall};
pub use objects::{
    ContractParameters, StackOnChain, SubscriberOnChain, TicketOnChain, drawable_attesters,
    stack_fee,
};
