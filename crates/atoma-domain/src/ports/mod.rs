//! The seams: object-safe traits named by what they are for.
//!
//! Adapters implement them (`atoma-state` the four of the database, `atoma-sui` chain, event
//! source and signer), use cases call them, and only the daemon's composition root knows which
//! concrete types meet. A method is a whole intention, never begin, read or write.

mod chain;
mod clock;
mod error;
mod events;
mod journal;
mod signer;
mod state;
mod work;

pub use chain::{
    BadgeOnChain, Chain, Consumption, ContractView, EpochInfo, Executed, ExecutionOutcome, GasCoin,
    SimulatedGas, Simulation, SubscriberQuery, TransactionPlan, Until, ViewQuery,
};
pub use clock::Clock;
pub use error::{
    BoxedError, ChainError, Refusal, RefusalKind, SignError, StoreError, SubmitError, WorkError,
};
pub use events::{
    ChainEvents, ChainIdentity, EventCursor, EventSource, LedgerFrame, LedgerPosition,
    LedgerStream, LedgerTransaction, Progress,
};
pub use journal::{Journal, JournalFilter, JournalKey, Opened, UnfinishedIntent};
pub use signer::{SignedTransaction, Signer, UnsignedTransaction};
pub use state::{DisputeSide, Page, StackFilter, StateReader};
pub use work::ServedWork;
