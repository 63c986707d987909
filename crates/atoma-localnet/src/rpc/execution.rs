//! TransactionExecutionService: executing and simulating transactions.

use std::sync::Arc;
use std::time::Duration;

use sui_rpc::proto::sui::rpc::v2::simulate_transaction_request::TransactionChecks;
use sui_rpc::proto::sui::rpc::v2::transaction_execution_service_server::TransactionExecutionService;
use sui_rpc::proto::sui::rpc::v2::{
    ExecuteTransactionRequest, ExecuteTransactionResponse, ExecutedTransaction,
    SimulateTransactionRequest, SimulateTransactionResponse,
};
use sui_sdk_types::{SignedTransaction, Transaction, UserSignature};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::Service;
use super::command_outputs::command_outputs;
use super::delay::wait_until;
use super::refusals;
use super::render::{self, mask};
use super::view::{DecodedTransaction, lost};
use crate::core::{ExecuteError, Origin};
use crate::execution::status::{bad_request, missing};
use crate::execution::{self, SimulationOptions};
use crate::faults::FaultKind;

#[tonic::async_trait]
impl TransactionExecutionService for Service {
    async fn execute_transaction(
        &self,
        request: Request<ExecuteTransactionRequest>,
    ) -> Result<Response<ExecuteTransactionResponse>, Status> {
        self.begin().await?;
        let start = Instant::now();
        let request = request.into_inner();
        let mask =
            mask::<ExecutedTransaction>(request.read_mask.as_ref(), "effects.status,checkpoint")?;
        let signed = parse(&request)?;
        execution::precheck(&signed.transaction, &signed.signatures)
            .map_err(|refusal| refusal.execution_status())?;
        let core = Arc::clone(&self.core);
        if self.faults.take(FaultKind::ExecuteLostBefore).is_some() {
            return Err(Status::unavailable(
                "the transaction did not reach the network (injected)",
            ));
        }
        if self.faults.take(FaultKind::LockConflict).is_some()
            && let Some(conflict) = refusals::lock_conflict(&signed.transaction)
        {
            return Err(conflict);
        }
        let locks = core
            .lock_inputs(&signed.transaction)
            .map_err(|refusal| refusal.execution_status())?;
        let delay = self.faults.take(FaultKind::ExecuteDelay);
        let consensus = Duration::from_millis(core.config.consensus_ms);
        let position = if delay.is_none() && consensus.is_zero() {
            let position = core.submit(signed, Origin::Client);
            drop(locks);
            position
        } else {
            // Spawned, so that a client that disconnects does not cancel the execution.
            let executing = tokio::spawn(self.stop.clone().run_until_cancelled_owned(async move {
                if let Some(delay) = delay {
                    tokio::time::sleep(delay).await;
                }
                wait_until(start + consensus).await;
                let position = core.submit(signed, Origin::Client);
                drop(locks);
                position
            }));
            let result = executing.await;
            let result = result.map_err(|error| Status::internal(error.to_string()))?;
            result.ok_or_else(|| Status::unavailable("the network is shutting down"))?
        };
        let position = position.map_err(ExecuteError::into_status)?;
        let core = &self.core;
        if self.faults.take(FaultKind::ExecuteLostAfter).is_some() {
            return Err(Status::unavailable("the response was lost (injected)"));
        }
        if self.faults.take(FaultKind::ExecuteRefusedAfter).is_some() {
            return Err(Status::invalid_argument(
                "Gas price 1 under reference gas price (RGP) 1000 (injected)",
            ));
        }
        let ledger = core.ledger();
        let record = ledger.record(position).map_err(lost)?;
        // As on a full node, the response does not wait for a checkpoint.
        let view = DecodedTransaction::new(&record);
        let transaction = render::body(ledger.objects(), &core.contract, &view, &mask)?;
        Ok(Response::new(ExecuteTransactionResponse::new(transaction)))
    }

    async fn simulate_transaction(
        &self,
        request: Request<SimulateTransactionRequest>,
    ) -> Result<Response<SimulateTransactionResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let mask = mask::<SimulateTransactionResponse>(request.read_mask.as_ref(), "*")?;
        let message = request
            .transaction
            .as_ref()
            .ok_or_else(|| missing("transaction", ""))?;
        let options = SimulationOptions {
            checks: request.checks.unwrap_or_default() == i32::from(TransactionChecks::Enabled),
            select_gas: request.do_gas_selection.unwrap_or_default(),
        };
        let forced = self.core.forced().clone();
        let ledger = node.ledger()?;
        let environment = self.core.environment(&ledger, &forced);
        let simulated = execution::simulate(&ledger, &environment, message, options)
            .map_err(|refusal| refusal.simulation_status())?;
        let contract = &self.core.contract;
        let mut response = SimulateTransactionResponse::default();
        if let Some(mask) = mask.subtree("transaction") {
            let transaction = render::simulated(ledger.objects(), contract, &simulated, &mask)?;
            response.transaction = Some(transaction);
        }
        if mask.contains("command_outputs") {
            response.command_outputs = command_outputs(contract, &simulated.commands);
        }
        if mask.contains("suggested_gas_price") {
            response.suggested_gas_price = Some(ledger.epoch().reference_gas_price);
        }
        Ok(Response::new(response))
    }
}

fn parse(request: &ExecuteTransactionRequest) -> Result<SignedTransaction, Status> {
    let message = request
        .transaction
        .as_ref()
        .ok_or_else(|| missing("transaction", ""))?;
    let transaction = Transaction::try_from(message)
        .map_err(|error| bad_request("transaction", &format!("invalid transaction: {error}")))?;
    let signatures = request
        .signatures
        .iter()
        .enumerate()
        .map(|(index, signature)| {
            UserSignature::try_from(signature).map_err(|error| {
                bad_request(
                    &format!("signatures[{index}]"),
                    &format!("invalid signature: {error}"),
                )
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(SignedTransaction {
        transaction,
        signatures,
    })
}
