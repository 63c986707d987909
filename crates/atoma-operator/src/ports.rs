//! The ports that use cases, engine and ingestion run on.

use std::sync::Arc;

use atoma_domain::ports::{
    BookRecords, Chain, ChainEvents, Clock, EventSource, Figures, Journal, ServedWork, Signer,
    StateReader,
};

/// An implementation of every port, chosen in the composition root.
#[derive(Clone, Debug)]
pub struct Ports {
    /// Access to the chain.
    pub chain: Arc<dyn Chain>,
    /// The source of the contract's transactions.
    pub source: Arc<dyn EventSource>,
    /// Signs for the operator's address.
    pub signer: Arc<dyn Signer>,
    /// Reads the mirror.
    pub state: Arc<dyn StateReader>,
    /// The records of served work.
    pub work: Arc<dyn ServedWork>,
    /// Applies the ledger to the mirror.
    pub events: Arc<dyn ChainEvents>,
    /// The transaction journal.
    pub journal: Arc<dyn Journal>,
    /// Sums over the database.
    pub figures: Arc<dyn Figures>,
    /// What the books are made from.
    pub books: Arc<dyn BookRecords>,
    /// The current time.
    pub clock: Arc<dyn Clock>,
}

impl Ports {
    /// Ports of which one database implements all that is stored.
    pub fn new<D>(
        chain: Arc<dyn Chain>,
        source: Arc<dyn EventSource>,
        signer: Arc<dyn Signer>,
        database: Arc<D>,
        clock: Arc<dyn Clock>,
    ) -> Self
    where
        D: StateReader + ServedWork + ChainEvents + Journal + Figures + BookRecords + 'static,
    {
        Self {
            chain,
            source,
            signer,
            state: database.clone(),
            work: database.clone(),
            events: database.clone(),
            journal: database.clone(),
            figures: database.clone(),
            books: database,
            clock,
        }
    }

    /// The chain for one attempt, or for one look for its outcome: all of it comes from the Sui node that
    /// answers first.
    pub(crate) fn chain_for_attempt(&self) -> Arc<dyn Chain> {
        let one = self.chain.through_one_node();
        one.unwrap_or_else(|| Arc::clone(&self.chain))
    }

    /// The same ports over a database, or over other connections of it.
    #[must_use]
    pub fn over_database<D>(self, database: D) -> Self
    where
        D: StateReader + ServedWork + ChainEvents + Journal + Figures + BookRecords + 'static,
    {
        let Self {
            chain,
            source,
            signer,
            clock,
            ..
        } = self;
        Self::new(chain, source, signer, Arc::new(database), clock)
    }
}
