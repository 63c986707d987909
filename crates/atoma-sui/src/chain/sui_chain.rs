//! The connection, what is known of the contract, and the object ids found so far.

use std::sync::Arc;

use atoma_domain::ports::ChainError;
use atoma_domain::{ObjectId, with_causes};
use sui_sdk_types::TypeTag;
use tokio::sync::OnceCell;

use super::cache::Cache;
use super::currency;
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
    currency: OnceCell<TypeTag>,
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

    /// The type of the coins that the contract takes and pays, read on first use; `None` if the node doesn't tell it
    /// now.
    pub(crate) async fn known_currency(&self) -> Option<TypeTag> {
        let package = self.config.package_id;
        let read = currency::read(&self.connection, package);
        match self.known.currency.get_or_try_init(|| read).await {
            Ok(currency) => Some(currency.clone()),
            Err(error) => {
                tracing::warn!(
                    error = with_causes(&error),
                    "can't read which currency the contract uses: the books can't compare payments with balances"
                );
                None
            }
        }
    }

    /// The facts, if a read has already fetched them.
    pub(super) fn known_facts(&self) -> Option<&Facts> {
        self.known.facts.get()
    }
}
