//! What the network accounts for at the end of an epoch, and for storage when a budget does not cover it; and its own
//! transactions.

use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{
    Address, Argument, CheckpointSummary, Command, Digest, EndOfEpochTransactionKind,
    ExecutionError, ExecutionStatus, Input, ObjectReference, SimpleSignature, Transaction,
    TransactionKind, TransferObjects, UserSignature,
};

use crate::support::{Fixture, SUI, effects, pure, transaction, transfer};

/// A checkpoint's summary, with its transactions and the signatures of each.
async fn checkpoint(
    fixture: &Fixture,
    sequence: u64,
) -> (CheckpointSummary, Vec<(Transaction, Vec<UserSignature>)>) {
    let request = proto::GetCheckpointRequest::by_sequence_number(sequence)
        .with_read_mask(FieldMask::from_str("*"));
    let mut client = fixture.client.clone();
    let response = client.ledger_client().get_checkpoint(request).await;
    let response = response.unwrap().into_inner();
    let checkpoint = response.checkpoint();
    let transactions = checkpoint.transactions().iter().map(|executed| {
        let transaction = executed.transaction().bcs().deserialize().unwrap();
        let signatures = executed.signatures().iter();
        let signatures = signatures.map(|signature| signature.try_into().unwrap());
        (transaction, signatures.collect())
    });
    let transactions = transactions.collect();
    (
        checkpoint.summary().bcs().deserialize().unwrap(),
        transactions,
    )
}

/// The last checkpoint of an epoch that has ended.
async fn last_checkpoint(fixture: &Fixture, epoch: u64) -> u64 {
    let request = proto::GetEpochRequest::new(epoch).with_read_mask(FieldMask::from_str("*"));
    let mut client = fixture.client.clone();
    let response = client.ledger_client().get_epoch(request).await.unwrap();
    response.into_inner().epoch.unwrap().last_checkpoint()
}

#[tokio::test]
async fn the_end_of_an_epoch_charges_its_gas_and_begins_the_next_at_its_last_timestamp() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    for epoch in 0..2 {
        let gas = fixture.coins(alice).await.remove(0);
        let executed = fixture.execute(&transfer(alice, gas, 5, alice)).await;
        let gas_used = effects(&executed.unwrap()).gas_used;
        fixture.network.advance_epoch().unwrap();

        let sequence = last_checkpoint(&fixture, epoch).await;
        let (summary, transactions) = checkpoint(&fixture, sequence).await;
        let (transaction, _) = transactions.last().unwrap();
        let TransactionKind::EndOfEpoch(kinds) = &transaction.kind else {
            panic!("{:?}", transaction.kind);
        };
        let EndOfEpochTransactionKind::ChangeEpoch(change) = &kinds[0] else {
            panic!("{kinds:?}");
        };
        let rolling = summary.epoch_rolling_gas_cost_summary;
        assert!(rolling.computation_cost >= gas_used.computation_cost);
        assert_eq!(change.computation_charge, rolling.computation_cost);
        assert_eq!(change.storage_charge, rolling.storage_cost);
        assert_eq!(change.storage_rebate, rolling.storage_rebate);
        let kept = rolling.non_refundable_storage_fee;
        assert_eq!(change.non_refundable_storage_fee, kept);
        assert_eq!(change.epoch_start_timestamp_ms, summary.timestamp_ms);
    }
}

#[tokio::test]
async fn the_networks_own_transactions_are_paid_and_signed_with_zeros() {
    let fixture = Fixture::start().await;
    fixture.network.advance_epoch().unwrap();
    let payment = ObjectReference::new(Address::ZERO, 0, Digest::ZERO);
    let signature = UserSignature::Simple(SimpleSignature::Ed25519 {
        signature: [0; 64].into(),
        public_key: [0; 32].into(),
    });
    for sequence in [0, last_checkpoint(&fixture, 0).await] {
        let (_, transactions) = checkpoint(&fixture, sequence).await;
        assert!(!transactions.is_empty());
        for (transaction, signatures) in transactions {
            assert_eq!(
                transaction.gas_payment.objects,
                std::slice::from_ref(&payment)
            );
            assert_eq!(signatures, std::slice::from_ref(&signature));
        }
    }
}

#[tokio::test]
async fn a_budget_below_the_fees_of_the_inputs_returns_those_of_merged_gas_coins() {
    const COIN_FEE: u64 = 988_000;
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    // The fees kept for so many inputs are more than those returned for one gas coin.
    fixture.network.faucet_coins(alice, &[SUI; 100]).unwrap();
    let mut coins = fixture.coins(alice).await;
    let gas: Vec<_> = coins.drain(..2).collect();
    let fees = async || {
        let mut sum = 0;
        for coin in fixture.coins(alice).await {
            sum += fixture.object(coin.object_id()).await.storage_rebate();
        }
        sum
    };
    let before = fees().await;

    let objects = (1..=u16::try_from(coins.len()).unwrap()).map(Argument::Input);
    let give = Command::TransferObjects(TransferObjects {
        objects: objects.collect(),
        address: Argument::Input(0),
    });
    let owned = coins.into_iter().map(Input::ImmutableOrOwned);
    let inputs = [pure(&Address::TWO)].into_iter().chain(owned).collect();
    let mut transaction = transaction(alice, gas[0].clone(), inputs, vec![give]);
    transaction.gas_payment.objects = gas;
    transaction.gas_payment.budget = 1_000_000;
    let effects = effects(&fixture.execute(&transaction).await.unwrap());

    let ExecutionStatus::Failure { error, .. } = &effects.status else {
        panic!("it succeeded");
    };
    assert_eq!(*error, ExecutionError::InsufficientGas);
    let gas_used = effects.gas_used;
    assert_eq!(gas_used.computation_cost, 1_000_000);
    assert_eq!(gas_used.storage_cost, 0);
    assert_eq!(gas_used.storage_rebate, COIN_FEE * 99 / 100);
    assert_eq!(gas_used.non_refundable_storage_fee, COIN_FEE / 100);
    assert_eq!(fees().await, before - COIN_FEE);
}
