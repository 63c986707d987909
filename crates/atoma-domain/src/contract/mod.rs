//! The Move module `atoma::db` as far as a node uses it: its calls, its objects and its aborts.

mod abort;
mod abort_table;
mod calls;
mod charges;
mod entries;
mod objects;

pub use abort::{Abort, AbortInfo};
pub use calls::{BadgeUse, ContractCall};
pub use charges::{Charges, ChargesHistory, ChargesRead, KnownCharges};
pub use entries::{
    ContractCounters, EntriesRead, Entry, EntryKey, EntryRead, NodeOnChain, OfferOnChain,
    StackEntryOnChain, TaskOnChain,
};
pub use objects::{
    ContractParameters, StackOnChain, SubscriberOnChain, TicketOnChain, drawable_attesters,
    purchase_price, stack_fee, stack_price,
};
