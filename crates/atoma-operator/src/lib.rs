//! What a node operator can do, and the machinery that does it exactly once.
//!
//! - [`Operator`]: the use cases behind the API, one method an endpoint: it checks a request
//!   against the mirrored state, opens intents in the journal and waits for their outcome.
//! - [`Engine`]: drives intents to the chain. One serial lane per node badge, side by side; each
//!   attempt leases its badge and its gas coin, is journalled before it is sent, and is never
//!   given up before the ledger proves its fate.
//! - [`Ingestor`]: follows the ledger and applies the contract's events to the mirror.
//!
//! Everything is wired by the ports of `atoma-domain`, bundled in [`Ports`]; no concrete adapter
//! is named here. A new action is a variant of `atoma_domain::journal::Action`, its preparation in
//! `engine/prepare.rs` and its use case.

mod causes;
mod engine;
mod ingest;
mod ports;
mod readiness;
mod use_cases;

pub use engine::{
    AbandonError, Engine, EngineConfig, LimitStatus, LimitsConfig, Submission, Waited,
};
pub use ingest::{Applied, IngestError, Ingestor};
pub use ports::Ports;
pub use readiness::{NotReady, Readiness, ReconcileError};
pub use use_cases::{
    Done, NodeChoice, Operator, Registered, StackResult, StackStatus, Unsuccessful,
};
