//! The `Chain` port, by the methods of the other files.

use async_trait::async_trait;
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    GasCoin, ObjectOnChain, SignedTransaction, SimulatedGas, Simulation, SubmitError,
    TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, ObjectId, ObjectReference, TimestampMs,
};
use thiserror::Error;

use super::sui_chain::SuiChain;

/// The shared objects' initial versions are unknown until the first read.
#[derive(Debug, Error)]
#[error("the AtomaDb has not been read yet")]
struct ContractNotRead;

#[async_trait]
impl Chain for SuiChain {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        self.read_identity().await
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        self.read_height().await
    }

    async fn checkpoint_time(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<TimestampMs, ChainError> {
        self.read_checkpoint_time(checkpoint).await
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

    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError> {
        self.read_object(id).await
    }

    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError> {
        self.read_view(query).await
    }

    /// Needs the shared objects' versions, which the first [`view`](Chain::view) reads.
    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        let facts = self
            .known_facts()
            .ok_or_else(|| ChainError::Build(ContractNotRead.into()))?;
        let built = facts.contract.build(plan);
        built.map_err(|error| ChainError::Build(error.into()))
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
