//! The adapters that the use cases run on.

use std::sync::Arc;

use atoma_domain::ports::{
    Chain, ChainEvents, Clock, EventSource, Journal, ServedWork, Signer, StateReader,
};

/// One implementation of every port, chosen in the composition root.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The way to the chain.
    pub chain: Arc<dyn Chain>,
    /// Where the contract's transactions come from.
    pub source: Arc<dyn EventSource>,
    /// Signs for the operator's address.
    pub signer: Arc<dyn Signer>,
    /// The mirrored state.
    pub state: Arc<dyn StateReader>,
    /// The record of served work.
    pub work: Arc<dyn ServedWork>,
    /// Where events go.
    pub events: Arc<dyn ChainEvents>,
    /// The transaction journal.
    pub journal: Arc<dyn Journal>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}
