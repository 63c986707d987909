//! What a node runs on.

use std::sync::Arc;

use atoma_domain::ports::{
    AlarmStore, AutopilotStore, BookRecords, Chain, ChainEvents, Clock, ContractState, EventSource,
    Figures, Journal, MirrorRepair, Notifier, Ownership, ServedWork, Signer, StateReader, Upkeep,
};

use crate::clock::SystemClock;
use crate::ports::Ports;

/// The implementations of all ports that a node runs on. [`new`](Self::new) fills them from a chain and a database; fields
/// can then be replaced one by one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Adapters {
    /// What the engine and the ingestion run on.
    pub ports: Ports,
    /// What the use cases run on: the same, or over other connections, so that clients and the engine don't wait for
    /// each other.
    pub serving: Ports,
    /// The chain for readiness and metrics, which wait where a Sui node limits requests: payments go first.
    pub background_chain: Arc<dyn Chain>,
    /// The contract's state, for the comparison with the mirror, which waits likewise.
    pub contract: Arc<dyn ContractState>,
    /// The mirror, to be compared and repaired.
    pub mirror: Arc<dyn MirrorRepair>,
    /// What the autopilot reads and remembers.
    pub autopilot: Arc<dyn AutopilotStore>,
    /// The journal's upkeep.
    pub upkeep: Arc<dyn Upkeep>,
    /// The alarms, and the messages about them.
    pub alarms: Arc<dyn AlarmStore>,
    /// Who is told of alarms; nobody by default. Their receivers' names differ.
    pub notifiers: Vec<Arc<dyn Notifier>>,
    /// The right to act for the operator on this database. It is given up when the node has stopped.
    pub ownership: Arc<dyn Ownership>,
}

impl Adapters {
    /// Runs everything on one chain and one database, by the system's clock.
    pub fn new<C, D>(
        chain: Arc<C>,
        source: Arc<dyn EventSource>,
        signer: Arc<dyn Signer>,
        database: Arc<D>,
        ownership: Arc<dyn Ownership>,
    ) -> Self
    where
        C: Chain + ContractState + 'static,
        D: StateReader
            + ServedWork
            + ChainEvents
            + Journal
            + Figures
            + BookRecords
            + MirrorRepair
            + AutopilotStore
            + Upkeep
            + AlarmStore
            + 'static,
    {
        let clock = Arc::new(SystemClock);
        let ports = Ports::new(chain.clone(), source, signer, database.clone(), clock);
        Self {
            serving: ports.clone(),
            ports,
            background_chain: chain.clone(),
            contract: chain,
            mirror: database.clone(),
            autopilot: database.clone(),
            upkeep: database.clone(),
            alarms: database,
            notifiers: Vec::new(),
            ownership,
        }
    }

    /// The same by another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.ports.clock = Arc::clone(&clock);
        self.serving.clock = clock;
        self
    }
}
