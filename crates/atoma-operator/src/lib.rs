//! The actions of a node operator, and the engine that carries out each of them exactly once.
//!
//! - [`Operator`]: the use cases behind the API, one method per endpoint. A use case checks a request
//!   against the mirror, opens intents in the journal and waits for their outcome.
//! - [`Engine`]: carries out intents on the chain, with one serial lane per node badge. Each attempt
//!   leases its badge and its gas coins, is journalled before it is sent, and is replaced only once the
//!   ledger proves that it never executes.
//! - [`Ingestor`]: follows the ledger and applies the contract's events to the mirror.
//! - [`Readiness`]: whether the daemon can serve reads and accept writes.
//!
//! The crate names no concrete adapter: [`Ports`] bundles the ports of `atoma-domain`. A new action
//! needs a variant of `atoma_domain::journal::Action`, its call in `engine/attempt/calls.rs` and a use
//! case.

mod badges;
mod causes;
mod clock;
mod disk;
mod engine;
mod ingest;
mod measure;
mod node;
mod own_badges;
mod ports;
mod random;
mod readiness;
mod reconciliation;
mod records;
mod upkeep;
mod use_cases;

pub use badges::ReconcileError;
pub use causes::internal;
pub use clock::SystemClock;
#[cfg(feature = "testing")]
pub use engine::GasCap;
pub use engine::{
    AbandonError, Brake, Engine, EngineConfig, EngineFigures, LaneFigures, LimitStatus,
    LimitsConfig, Submission, Waited,
};
pub use ingest::{Applied, IngestError, Ingestor, MirrorChange, MirrorChanges};
pub use measure::{LedgerSample, Measurements, Sample};
pub use node::{Adapters, Node, NodeConfig, StartError};
pub use own_badges::{ForeignUse, foreign_uses};
pub use ports::Ports;
pub use readiness::{NotReady, Readiness};
pub use reconciliation::Reconciler;
pub use upkeep::JournalUpkeep;
pub use use_cases::{
    Checked, Completed, LONGEST_MODEL_NAME, MOST_STACKS, NodeChoice, Operator, Registered,
    ServedMessage, StackResult, StackStatus, Unsuccessful, WantedUnits, dispute_warning,
};
