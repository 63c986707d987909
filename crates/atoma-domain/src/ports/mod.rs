//! The ports: object-safe traits between the daemon's crates, named by purpose.
//!
//! Adapters implement them: `atoma-state` those of the database, `atoma-sui` the chain, the event
//! source and the signer. Use cases call them, and only the daemon's composition root connects them
//! to concrete types. A method is a whole intention, such as opening intents, and never a part of one
//! such as begin, read or write.

mod alarms;
mod autopilot;
mod books;
mod chain;
mod clock;
mod contract_state;
mod error;
mod events;
mod figures;
mod journal;
mod notifier;
mod ownership;
mod reconciliation;
mod signer;
mod state;
mod sui_nodes;
mod upkeep;
mod work;

pub use alarms::AlarmStore;
pub use autopilot::AutopilotStore;
pub use books::{BookMarks, BookRecords, Period};
pub use chain::{
    BadgeOnChain, Chain, Consumption, ContractView, EpochInfo, Executed, ExecutionOutcome, GasCoin,
    ObjectOnChain, SimulatedGas, Simulation, SubscriberQuery, TransactionPlan, Until, ViewQuery,
};
pub use clock::Clock;
pub use contract_state::{ContractState, StackPage};
pub use error::{
    BoxedError, ChainError, RecordError, Refusal, RefusalKind, ReservationError, ReserveError,
    SignError, StoreError, SubmitError,
};
pub use events::{
    BalanceChange, ChainEvents, ChainIdentity, EventCursor, EventSetAside, EventSource,
    LedgerFrame, LedgerPosition, LedgerStream, LedgerTransaction, MAX_SET_ASIDE_BYTES, Progress,
};
pub use figures::Figures;
pub use journal::{GasSpent, Journal, JournalFilter, JournalKey, Opened, Stock, UnfinishedIntent};
pub use notifier::{Notifier, NotifyError};
pub use ownership::Ownership;
pub use reconciliation::{Compared, MirrorRepair, Repair, UnexplainedChange};
pub use signer::Signer;
pub use state::{DisputeSide, Page, StackFilter, StackSnapshot, StateReader};
pub use sui_nodes::{AsideReason, LeftAside, SuiNodeReport};
pub use upkeep::Upkeep;
pub use work::{ReservationFilter, ServedWork};

pub use crate::transaction::{SignedTransaction, UnsignedTransaction};
