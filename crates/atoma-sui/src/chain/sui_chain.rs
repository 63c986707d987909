//! The connection, what is known of the contract, and the object ids found so far.

use std::sync::Arc;

use atoma_domain::ObjectId;
use atoma_domain::ports::ChainError;
use tokio::sync::OnceCell;

use super::cache::Cache;
use crate::connection::{ConnectError, Connection, SuiChainConfig};
use crate::facts::Facts;
use crate::node::{Peers, Priority};

/// The Atoma contract on a Sui network, reached through one of its nodes.
#[derive(Debug)]
pub struct SuiChain {
    pub(super) config: SuiChainConfig,
    pub(super) connection: Connection,
    pub(super) known: Arc<Known>,
}

/// What is known of the contract, from whichever node.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) cache: Cache,
    facts: OnceCell<Facts>,
    /// The configured package was found to be the contract's.
    pub(super) package_checked: OnceCell<()>,
}

impl SuiChain {
    /// Prepares a connection without opening it: the first call does, so the node may be down.
    /// Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// When the RPC address is not a valid URL.
    pub fn connect(config: SuiChainConfig) -> Result<Arc<Self>, ConnectError> {
        let peers = Peers::new(config.max_lag.clone());
        Ok(Arc::new(Self {
            connection: Connection::new(&config, peers)?,
            config,
            known: Arc::default(),
        }))
    }

    /// Prepares a connection to another node of this chain, which shares what is known.
    ///
    /// # Errors
    /// When the RPC address is not a valid URL.
    pub(crate) fn beside(&self, config: SuiChainConfig) -> Result<Arc<Self>, ConnectError> {
        Ok(Arc::new(Self {
            connection: Connection::new(&config, self.connection.peers().clone())?,
            config,
            known: Arc::clone(&self.known),
        }))
    }

    /// The same chain, for requests of this priority.
    pub(crate) fn with_priority(&self, priority: Priority) -> Arc<Self> {
        Arc::new(Self {
            config: self.config.clone(),
            connection: self.connection.with_priority(priority),
            known: Arc::clone(&self.known),
        })
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) const fn atoma_db_id(&self) -> ObjectId {
        self.config.atoma_db_id
    }

    /// The immutable facts about the contract, read on first use.
    pub(crate) async fn facts(&self) -> Result<&Facts, ChainError> {
        self.known
            .facts
            .get_or_try_init(|| Facts::read(&self.connection, &self.config))
            .await
    }

    /// The facts, if a read has already fetched them.
    pub(super) fn known_facts(&self) -> Option<&Facts> {
        self.known.facts.get()
    }
}
