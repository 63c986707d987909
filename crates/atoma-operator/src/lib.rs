//! The actions of a node operator, and the engine that carries out each of them exactly once.
//! A [`Node`] is all of it in one value, to be embedded in another program:
//!
//! ```no_run
//! # async fn example(
//! #     package: atoma_domain::ObjectId,
//! #     atoma_db: atoma_domain::ObjectId,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use atoma_operator::{Adapters, CancellationToken, Node, NodeConfig};
//! use atoma_state::{OwnedState, StateOptions};
//! use atoma_sui::{ClientConfig, SuiChainConfig, SuiNodes, SuiNodesSource};
//!
//! let client = ClientConfig::load("client.yaml")?;
//! let sui = SuiNodes::connect([SuiChainConfig::new(client.rpc_url()?, package, atoma_db)])?;
//! let source = Arc::new(SuiNodesSource::new(sui.clone(), Default::default()));
//! let owned = OwnedState::open("data".as_ref(), StateOptions::default()).await?;
//! let (database, signer) = (Arc::new(owned.state().clone()), Arc::new(client.signer()?));
//! let adapters = Adapters::new(Arc::new(sui), source, signer, database, Arc::new(owned));
//! let node = Node::build(adapters, NodeConfig::default(), CancellationToken::new()).await?;
//! node.start().await?;
//! println!("{:?}", node.operator().check().await.reasons);
//! node.stop().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Its parts:
//!
//! - [`Operator`]: the use cases behind the API, one method per endpoint. A use case checks a request
//!   against the mirror, opens intents in the journal and waits for their outcome.
//! - [`Engine`]: carries out intents on the chain, with one serial lane per node badge. Each attempt
//!   leases its badge and its gas coins, is journalled before it is sent, and is replaced only once the
//!   ledger proves that it never executes.
//! - [`Ingestor`]: follows the ledger and applies the contract's events to the mirror.
//! - [`Autopilot`]: what the operator's nodes have to do, done by the use cases.
//! - [`Readiness`]: whether the daemon can serve reads and accept writes.
//!
//! The crate names no concrete adapter: [`Ports`] bundles the ports of `atoma-domain`, [`Adapters`] all that a node needs. A new action
//! needs a variant of `atoma_domain::journal::Action`, its call in `engine/attempt/calls.rs` and a use
//! case.

mod alarms;
mod autopilot;
mod badge_use;
mod badges;
mod causes;
mod changed;
mod clock;
mod comparison;
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

pub use alarms::{
    AlarmConfig, AlarmFigures, AlarmReports, Alarms, Found, ReceiverFigures, Thresholds, Told,
};
pub use autopilot::{
    Autopilot, AutopilotConfig, AutopilotFigures, AutopilotMode, AutopilotRun, AutopilotStatus,
    Survey,
};
pub use badges::ReconcileError;
pub use causes::internal;
pub use clock::SystemClock;
pub use comparison::{CLOCK_TOLERANCE, is_ahead};
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
pub use tokio_util::sync::CancellationToken;
pub use upkeep::JournalUpkeep;
pub use use_cases::{
    BookFilter, BookRow, BooksChecked, Checked, Completed, Earnings, HistoryStep, KeyCommitment,
    LONGEST_MODEL_NAME, LinePlace, MOST_KEY_BYTES, MOST_STACKS, NodeChoice, Operator, Registered,
    ServedMessage, StackHistory, StackResult, StackStatus, StepKind, Unsuccessful, WantedUnits,
    dispute_warning,
};
