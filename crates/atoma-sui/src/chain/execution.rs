//! Simulating, executing and looking up transactions.

use atoma_domain::Digest;
use atoma_domain::ports::{
    ChainError, Executed, SignedTransaction, SimulatedGas, Simulation, SubmitError,
    UnsignedTransaction,
};
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::Transaction;
use tonic::{Request, Status};

use super::sui_chain::SuiChain;
use crate::outcome::{self, EXECUTED_MASK};
use crate::refusal;
use crate::response::malformed;

impl SuiChain {
    pub(super) async fn run_simulation(
        &self,
        unsigned: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        let bytes = match gas {
            SimulatedGas::Ample => self.with_ample_gas(unsigned).await?,
            SimulatedGas::AsPlanned => unsigned.bytes.clone(),
        };
        let request = proto::SimulateTransactionRequest::default()
            .with_transaction(transaction_message(bytes))
            .with_do_gas_selection(false)
            .with_read_mask(FieldMask::from_paths([
                "transaction.effects.status",
                "transaction.effects.gas_used",
            ]));
        let response = self
            .connection
            .client()
            .execution_client()
            .simulate_transaction(self.connection.timed(request))
            .await
            .map_err(refusal::simulation_error)?
            .into_inner();
        let effects = response
            .transaction
            .and_then(|transaction| transaction.effects)
            .ok_or(malformed("the simulation's effects"))?;
        let status = effects.status.as_ref().ok_or(malformed("effects.status"))?;
        let gas = effects
            .gas_used
            .as_ref()
            .ok_or(malformed("effects.gas_used"))?;
        Ok(Simulation {
            outcome: outcome::outcome(status)?,
            gas_needed: outcome::gas_needed(gas),
        })
    }

    /// The transaction with the largest budget and without gas coins: the network then simulates
    /// with a made-up coin.
    async fn with_ample_gas(&self, unsigned: &UnsignedTransaction) -> Result<Vec<u8>, ChainError> {
        let facts = self.facts().await?;
        let mut transaction: Transaction =
            bcs::from_bytes(&unsigned.bytes).map_err(|error| ChainError::Build(error.into()))?;
        transaction.gas_payment.objects.clear();
        transaction.gas_payment.budget = facts.max_gas;
        bcs::to_bytes(&transaction).map_err(|error| ChainError::Build(error.into()))
    }

    pub(super) async fn submit(&self, signed: &SignedTransaction) -> Result<Executed, SubmitError> {
        // Reading the effects needs the facts, so get them before anything is sent.
        let facts = self
            .facts()
            .await
            .map_err(|error| SubmitError::Unknown(error.into()))?;
        let mut message = proto::ExecuteTransactionRequest::default()
            .with_transaction(transaction_message(signed.bytes.clone()))
            .with_read_mask(FieldMask::from_paths(EXECUTED_MASK));
        message.signatures = signed
            .signatures
            .iter()
            .map(|signature| signature_message(signature))
            .collect();
        let mut request = Request::new(message);
        request.set_timeout(self.config.execution_timeout);
        let response = self
            .connection
            .client()
            .execution_client()
            .execute_transaction(request)
            .await;
        match response {
            Ok(response) => response
                .into_inner()
                .transaction
                .ok_or(malformed("the executed transaction"))
                .and_then(|transaction| {
                    outcome::executed(&transaction, signed.digest, &facts.events)
                })
                .inspect(|executed| self.note_written(executed))
                .map_err(|error| SubmitError::Unknown(error.into())),
            Err(status) => {
                // The transaction itself can be the cause: if it has already executed, its inputs
                // have newer versions.
                if (refusal::is_refused(&status) || refusal::is_already_executed(&status))
                    && let Ok(Some(executed)) = self.find_transaction(signed.digest).await
                {
                    return Ok(executed);
                }
                Err(refusal::submit_error(status))
            }
        }
    }

    pub(super) async fn find_transaction(
        &self,
        digest: Digest,
    ) -> Result<Option<Executed>, ChainError> {
        let facts = self.facts().await?;
        match self.get_transaction(digest, &EXECUTED_MASK).await {
            Ok(transaction) => outcome::executed(&transaction, digest, &facts.events)
                .inspect(|executed| self.note_written(executed))
                .map(Some),
            Err(status) if refusal::is_absence(&status, digest) => Ok(None),
            Err(status) => Err(refusal::read_error(status)),
        }
    }

    /// Notes the versions that a transaction wrote: a node that goes on showing older ones is behind.
    fn note_written(&self, executed: &Executed) {
        for written in executed.written.values() {
            self.connection.peers().versions.note(written);
        }
    }

    /// Gets a transaction by its digest.
    pub(super) async fn get_transaction(
        &self,
        digest: Digest,
        mask: &[&str],
    ) -> Result<proto::ExecutedTransaction, Status> {
        let request =
            proto::GetTransactionRequest::new(&digest).with_read_mask(FieldMask::from_paths(mask));
        let response = self
            .connection
            .client()
            .ledger_client()
            .get_transaction(self.connection.timed(request))
            .await?;
        response
            .into_inner()
            .transaction
            .ok_or_else(|| Status::data_loss("the response contains no transaction"))
    }
}

fn transaction_message(bytes: Vec<u8>) -> proto::Transaction {
    let mut bcs = proto::Bcs::from(bytes);
    bcs.name = Some("TransactionData".to_owned());
    proto::Transaction::default().with_bcs(bcs)
}

fn signature_message(bytes: &[u8]) -> proto::UserSignature {
    let mut bcs = proto::Bcs::from(bytes.to_vec());
    bcs.name = Some("UserSignatureBytes".to_owned());
    proto::UserSignature::default().with_bcs(bcs)
}
