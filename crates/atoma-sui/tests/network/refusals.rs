//! How failures on a transaction's way are reported.

use crate::support::{NOBODY, PRICE, TestNetwork, TestOperator};
use atoma_domain::contract::{Abort, ContractCall};
use atoma_domain::ports::{
    Chain as _, ChainError, ExecutionOutcome, Refusal, RefusalKind, SignedTransaction, Signer as _,
    SimulatedGas, SubmitError, TransactionPlan, ViewQuery,
};
use atoma_domain::{Digest, Epoch, Mist, ObjectId, ObjectReference, StackSmallId, TaskSmallId};
use atoma_localnet::{Fault, FaultKind};

async fn signed(
    network: &TestNetwork,
    operator: &TestOperator,
    plan: &TransactionPlan,
) -> SignedTransaction {
    let unsigned = network.chain.build(plan).unwrap();
    operator.signer.sign(unsigned).await.unwrap()
}

async fn refused(
    network: &TestNetwork,
    operator: &TestOperator,
    plan: &TransactionPlan,
) -> RefusalKind {
    let signed = signed(network, operator, plan).await;
    match network.chain.execute(&signed).await {
        Err(SubmitError::Refused(refusal)) => refusal.kind,
        other => panic!("{other:?}"),
    }
}

/// Submits a transaction whose outcome must be unknown: neither executed nor refused.
async fn assert_unknown(network: &TestNetwork, operator: &TestOperator, plan: &TransactionPlan) {
    let signed = signed(network, operator, plan).await;
    let result = network.chain.execute(&signed).await;
    assert!(matches!(result, Err(SubmitError::Unknown(_))), "{result:?}");
}

#[tokio::test]
async fn refusals_are_classified() {
    let network = TestNetwork::start().await;
    let task = network.task(0);
    let operator = network.operator(0, &[]).await;
    let subscribe = ContractCall::SubscribeToTask { task, price: PRICE };
    let badge = Some(operator.badge);
    let stale = network.plan(&operator.signer, badge, &[subscribe]).await;
    network.run(&operator.signer, &stale).await;
    let unsubscribe = [ContractCall::UnsubscribeFromTask { task }];
    let good = network.plan(&operator.signer, badge, &unsubscribe).await;

    // A badge version that a transaction has consumed.
    let mut plan = good.clone();
    plan.badge = stale.badge.clone();
    let object = badge;
    assert_eq!(
        refused(&network, &operator, &plan).await,
        RefusalKind::ObjectVersion { object }
    );
    // A simulation is refused for the same reason.
    let unsigned = network.chain.build(&plan).unwrap();
    let simulated = network.chain.simulate(&unsigned, SimulatedGas::Ample).await;
    let Err(ChainError::Answer(source)) = simulated else {
        panic!("a stale badge can't be simulated");
    };
    let refusal = source.downcast_ref::<Refusal>().unwrap();
    assert_eq!(refusal.kind, RefusalKind::ObjectVersion { object });

    // A coin version that the node doesn't have yet may still arrive.
    let mut plan = good.clone();
    let coin = &good.gas[0];
    plan.gas = vec![ObjectReference::new(
        *coin.object_id(),
        coin.version() + 9,
        *coin.digest(),
    )];
    assert_unknown(&network, &operator, &plan).await;

    // So may an object that does not exist; only the ledger can rule it out.
    let mut plan = good.clone();
    plan.badge = Some(ObjectReference::new(NOBODY, 3, Digest::ZERO));
    assert_unknown(&network, &operator, &plan).await;

    // Another operator's badge.
    let other = network.operator(1, &[]).await;
    let mut plan = good.clone();
    let query = ViewQuery {
        badge: Some(other.badge),
        ..ViewQuery::default()
    };
    plan.badge = network.chain.view(&query).await.unwrap().badge;
    assert_eq!(
        refused(&network, &operator, &plan).await,
        RefusalKind::ObjectNotUsable {
            object: Some(other.badge)
        }
    );

    // More budget than the coin holds, a price below the reference price, too small a budget.
    let mut plan = good.clone();
    plan.gas_budget = Mist::new(40 * crate::support::SUI);
    assert_eq!(
        refused(&network, &operator, &plan).await,
        RefusalKind::GasBalance
    );
    let mut plan = good.clone();
    plan.gas_price = Mist::new(1);
    assert_eq!(
        refused(&network, &operator, &plan).await,
        RefusalKind::GasTerms
    );
    let mut plan = good.clone();
    plan.gas_budget = Mist::new(1);
    assert_eq!(
        refused(&network, &operator, &plan).await,
        RefusalKind::GasBudgetTooLow
    );

    // A transaction whose last epoch is past.
    network.localnet.advance_epoch().unwrap();
    assert_eq!(
        refused(&network, &operator, &good).await,
        RefusalKind::Expired
    );
    let mut plan = good;
    plan.expires_after = Epoch::new(plan.expires_after.get() + 1);
    let executed = network.run(&operator.signer, &plan).await;
    assert_eq!(executed.outcome, ExecutionOutcome::Success);
}

#[tokio::test]
async fn an_abort_costs_gas_and_is_read_from_its_fields() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let unknown = [ContractCall::UnsubscribeFromTask {
        task: TaskSmallId::new(77),
    }];
    let badge = Some(operator.badge);
    let plan = network.plan(&operator.signer, badge, &unknown).await;
    let executed = network.run(&operator.signer, &plan).await;
    let ExecutionOutcome::Abort(Abort {
        module,
        abort_code,
        command,
        ..
    }) = &executed.outcome
    else {
        panic!("{:?}", executed.outcome);
    };
    assert!(!module.is_empty() && *abort_code > 0);
    assert_eq!(*command, Some(0));
    assert!(executed.events.is_empty());
    assert!(executed.gas_used > Mist::ZERO);
    // Coin and badge have new versions nevertheless.
    assert!(executed.written[&operator.badge].version() > plan.badge.unwrap().version());
    assert_eq!(
        executed.gas_coin.as_ref(),
        executed.written.get(plan.gas[0].object_id())
    );
    let found = network
        .chain
        .lookup(executed.digest)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.outcome, executed.outcome);
}

#[tokio::test]
async fn the_same_bytes_execute_once_and_get_the_same_response() {
    let network = TestNetwork::start().await;
    let operator = network.operator(2, &[]).await;
    let register = [ContractCall::RegisterNode];
    let plan = network.plan(&operator.signer, None, &register).await;
    let signed = signed(&network, &operator, &plan).await;
    let first = network.chain.execute(&signed).await.unwrap();
    let second = network.chain.execute(&signed).await.unwrap();
    assert_eq!(first.effects, second.effects);
    assert_eq!(first.events, second.events);
    // Even after they have expired.
    network.localnet.advance_epoch().unwrap();
    let third = network.chain.execute(&signed).await.unwrap();
    assert_eq!(first.effects, third.effects);
    let owned = network
        .chain
        .badges(operator.signer.address())
        .await
        .unwrap();
    assert_eq!(owned.len(), 2);
}

#[tokio::test]
async fn after_a_lost_response_the_transaction_is_found_by_its_digest() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let plan = network
        .plan(&operator.signer, None, &[ContractCall::RegisterNode])
        .await;
    let signed = signed(&network, &operator, &plan).await;
    network
        .localnet
        .inject_fault(Fault::once(FaultKind::ExecuteLostBefore));
    let lost = network.chain.execute(&signed).await;
    assert!(matches!(lost, Err(SubmitError::Unknown(_))), "{lost:?}");
    assert!(network.chain.lookup(signed.digest).await.unwrap().is_none());
    network
        .localnet
        .inject_fault(Fault::once(FaultKind::ExecuteLostAfter));
    let lost = network.chain.execute(&signed).await;
    assert!(matches!(lost, Err(SubmitError::Unknown(_))), "{lost:?}");
    let found = network.chain.lookup(signed.digest).await.unwrap().unwrap();
    assert_eq!(found.outcome, ExecutionOutcome::Success);
}

#[tokio::test]
async fn congestion_is_a_cancellation() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let plan = network
        .plan(&operator.signer, None, &[ContractCall::RegisterNode])
        .await;
    let signed = signed(&network, &operator, &plan).await;
    network
        .localnet
        .inject_fault(Fault::once(FaultKind::Congestion));
    let executed = network.chain.execute(&signed).await.unwrap();
    assert!(
        matches!(executed.outcome, ExecutionOutcome::Cancelled { .. }),
        "{:?}",
        executed.outcome
    );
    assert!(executed.gas_coin.is_some());
}

#[tokio::test]
async fn an_unreachable_node_is_an_error_and_the_next_read_succeeds() {
    let network = TestNetwork::start().await;
    network
        .localnet
        .inject_fault(Fault::once(FaultKind::Unavailable));
    let error = network.chain.identity().await.unwrap_err();
    assert!(matches!(error, ChainError::Unavailable(_)));
    network.chain.identity().await.unwrap();
}

#[tokio::test]
async fn a_missing_contract_is_an_error() {
    let network = TestNetwork::start().await;
    let package = network.localnet.addresses().package;
    let config = atoma_sui::SuiChainConfig::new(network.localnet.url(), package, NOBODY);
    let chain = atoma_sui::SuiChain::connect(config).unwrap();
    let error = chain.view(&ViewQuery::default()).await.unwrap_err();
    let is_named = |error: &ChainError| {
        matches!(
            error,
            ChainError::Contract {
                setting: "atoma_db_id",
                ..
            }
        )
    };
    assert!(is_named(&error), "{error:?}");
    // An object that exists but is not an AtomaDb.
    let random = ObjectId::from_static("0x8");
    let config = atoma_sui::SuiChainConfig::new(network.localnet.url(), package, random);
    let chain = atoma_sui::SuiChain::connect(config).unwrap();
    let error = chain.view(&ViewQuery::default()).await.unwrap_err();
    assert!(is_named(&error), "{error:?}");
    // Nothing can be built before the contract has been read.
    let plan = TransactionPlan {
        split: Vec::new(),
        sender: NOBODY,
        badge: None,
        calls: vec![ContractCall::ClaimFunds {
            stacks: vec![StackSmallId::new(1)],
        }],
        gas: Vec::new(),
        gas_price: Mist::new(1),
        gas_budget: Mist::new(1),
        expires_after: Epoch::new(0),
    };
    assert!(matches!(chain.build(&plan), Err(ChainError::Build(_))));
}
