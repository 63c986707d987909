//! The chain port on a Sui node.

mod evidence;
mod execution;
mod reads;
mod subscribers;
mod view;

use std::sync::Arc;

use async_trait::async_trait;
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    GasCoin, SignedTransaction, SimulatedGas, Simulation, SubmitError, TransactionPlan,
    UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{Address, CheckpointNumber, Digest, Epoch, ObjectId, ObjectReference};
use tokio::sync::OnceCell;

use crate::builder::{self, BuildError};
use crate::connection::{ConnectError, Connection, SuiConfig};
use crate::facts::Facts;
use view::Cache;

/// A Sui network with the Atoma contract, through one of its nodes.
#[derive(Debug)]
pub struct SuiChain {
    config: SuiConfig,
    connection: Connection,
    facts: OnceCell<Facts>,
    cache: Cache,
}

impl SuiChain {
    /// Prepares a connection; it is made with the first call, so the node may be down. Must be
    /// called inside a Tokio runtime.
    ///
    /// # Errors
    /// When the address can't be one of a node.
    pub fn connect(config: SuiConfig) -> Result<Arc<Self>, ConnectError> {
        Ok(Arc::new(Self {
            connection: Connection::new(&config)?,
            config,
            facts: OnceCell::new(),
            cache: Cache::default(),
        }))
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) const fn atoma_db_id(&self) -> ObjectId {
        self.config.atoma_db_id
    }

    /// What never changes about the contract, read when first wanted.
    pub(crate) async fn facts(&self) -> Result<&Facts, ChainError> {
        self.facts
            .get_or_try_init(|| Facts::learn(&self.connection, &self.config))
            .await
    }
}

#[async_trait]
impl Chain for SuiChain {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        self.read_identity().await
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        self.read_height().await
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        self.read_epoch().await
    }

    async fn badges(&self, owner: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        self.read_badges(owner).await
    }

    async fn gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError> {
        self.read_gas_coins(owner).await
    }

    async fn object(
        &self,
        id: ObjectId,
    ) -> Result<Option<(ObjectReference, Option<Digest>)>, ChainError> {
        self.read_object(id).await
    }

    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError> {
        self.read_view(query).await
    }

    /// Needs the shared objects' versions, which the first [`view`](Chain::view) learns.
    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        self.facts
            .get()
            .ok_or(BuildError::ContractNotRead)
            .and_then(|facts| builder::build(&facts.addresses, plan))
            .map_err(|error| ChainError::Build(error.into()))
    }

    async fn simulate(
        &self,
        transaction: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        self.run_simulation(transaction, gas).await
    }

    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError> {
        self.submit(transaction).await
    }

    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError> {
        self.find_transaction(digest).await
    }

    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        self.read_consumption(versions).await
    }

    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError> {
        self.proves_absence(digest, epoch, until).await
    }
}
