//! A chain that knows one address's coins and nothing else.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    GasCoin, ObjectOnChain, SignedTransaction, SimulatedGas, Simulation, SubmitError,
    TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, ObjectId, ObjectReference, TimestampMs,
};
use tokio::sync::Semaphore;

/// The coins, and how many of its lists may be answered.
#[derive(Debug)]
pub(super) struct Wallet {
    pub(super) coins: Mutex<Vec<GasCoin>>,
    /// Coins that its lists lack.
    pub(super) unlisted: Vec<GasCoin>,
    /// One permit for each list that was read.
    pub(super) read: Semaphore,
    /// One permit for each answer that may go out.
    pub(super) answers: Semaphore,
}

impl Wallet {
    /// A wallet that answers at once.
    pub(super) fn of(coins: Vec<GasCoin>) -> Self {
        Self {
            answers: Semaphore::new(1_000),
            ..Self::silent(coins)
        }
    }

    /// A wallet whose answers wait for permits.
    pub(super) fn silent(coins: Vec<GasCoin>) -> Self {
        Self {
            coins: Mutex::new(coins),
            unlisted: Vec::new(),
            read: Semaphore::new(0),
            answers: Semaphore::new(0),
        }
    }
}

#[async_trait]
impl Chain for Wallet {
    async fn gas_coins(&self, _: Address) -> Result<Vec<GasCoin>, ChainError> {
        let coins = {
            let coins = self.coins.lock();
            coins.unwrap_or_else(PoisonError::into_inner).clone()
        };
        self.read.add_permits(1);
        self.answers.acquire().await.expect("never closed").forget();
        Ok(coins)
    }

    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        unreachable!("a wallet has coins only")
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        unreachable!("a wallet has coins only")
    }

    async fn checkpoint_time(&self, _: CheckpointNumber) -> Result<TimestampMs, ChainError> {
        unreachable!("a wallet has coins only")
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        unreachable!("a wallet has coins only")
    }

    async fn badges(&self, _: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        unreachable!("a wallet has coins only")
    }

    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError> {
        let coin = self
            .unlisted
            .iter()
            .find(|coin| *coin.reference.object_id() == id);
        Ok(coin.map(|coin| ObjectOnChain {
            reference: coin.reference.clone(),
            owner: Some(Address::new([9; 32])),
            last_transaction: None,
            balance: Some(coin.balance),
        }))
    }

    async fn view(&self, _: &ViewQuery) -> Result<ContractView, ChainError> {
        unreachable!("a wallet has coins only")
    }

    fn build(&self, _: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        unreachable!("a wallet has coins only")
    }

    async fn simulate(
        &self,
        _: &UnsignedTransaction,
        _: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        unreachable!("a wallet has coins only")
    }

    async fn execute(&self, _: &SignedTransaction) -> Result<Executed, SubmitError> {
        unreachable!("a wallet has coins only")
    }

    async fn lookup(&self, _: Digest) -> Result<Option<Executed>, ChainError> {
        unreachable!("a wallet has coins only")
    }

    async fn consumption(&self, _: &[ObjectReference]) -> Result<Vec<Consumption>, ChainError> {
        unreachable!("a wallet has coins only")
    }

    async fn is_absent(&self, _: Digest, _: Epoch, _: Until) -> Result<bool, ChainError> {
        unreachable!("a wallet has coins only")
    }
}
