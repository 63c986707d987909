//! What goes wrong on the way of a transaction, and what is told of it.

use crate::support::{NOBODY, Operator, PRICE, World};
use atoma_domain::contract::{Abort, ContractCall};
use atoma_domain::ports::{
    Chain as _, ChainError, ExecutionOutcome, Refusal, RefusalKind, SignedTransaction, Signer as _,
    SimulatedGas, SubmitError, TransactionPlan, ViewQuery,
};
use atoma_domain::{Digest, Epoch, Mist, ObjectId, ObjectReference, StackSmallId, TaskSmallId};
use atoma_localnet::{Fault, FaultKind};

async fn signed(world: &World, operator: &Operator, plan: &TransactionPlan) -> SignedTransaction {
    let unsigned = world.chain.build(plan).unwrap();
    operator.signer.sign(unsigned).await.unwrap()
}

async fn refused(world: &World, operator: &Operator, plan: &TransactionPlan) -> RefusalKind {
    let signed = signed(world, operator, plan).await;
    match world.chain.execute(&signed).await {
        Err(SubmitError::Refused(refusal)) => refusal.kind,
        other => panic!("{other:?}"),
    }
}

/// Sends what must be neither executed nor refused for good.
async fn left_open(world: &World, operator: &Operator, plan: &TransactionPlan) {
    let signed = signed(world, operator, plan).await;
    let answer = world.chain.execute(&signed).await;
    assert!(matches!(answer, Err(SubmitError::Unknown(_))), "{answer:?}");
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let world = World::start().await;
    let task = world.task(0);
    let operator = world.operator(0, &[]).await;
    let subscribe = ContractCall::SubscribeToTask { task, price: PRICE };
    let badge = Some(operator.badge);
    let stale = world.plan(&operator.signer, badge, &[subscribe]).await;
    world.run(&operator.signer, &stale).await;
    let unsubscribe = [ContractCall::UnsubscribeFromTask { task }];
    let good = world.plan(&operator.signer, badge, &unsubscribe).await;

    // A badge version that a transaction has consumed.
    let mut plan = good.clone();
    plan.badge = stale.badge.clone();
    let object = badge;
    assert_eq!(
        refused(&world, &operator, &plan).await,
        RefusalKind::ObjectVersion { object }
    );
    // The simulation says the same.
    let unsigned = world.chain.build(&plan).unwrap();
    let simulated = world.chain.simulate(&unsigned, SimulatedGas::Ample).await;
    let Err(ChainError::Answer(source)) = simulated else {
        panic!("a stale badge can't be simulated");
    };
    let refusal = source.downcast_ref::<Refusal>().unwrap();
    assert_eq!(refusal.kind, RefusalKind::ObjectVersion { object });

    // A coin version that the node has not seen may be one to come.
    let mut plan = good.clone();
    let coin = &good.gas[0];
    plan.gas = vec![ObjectReference::new(
        *coin.object_id(),
        coin.version() + 9,
        *coin.digest(),
    )];
    left_open(&world, &operator, &plan).await;

    // A version of an object that does not exist: only the ledger tells it from one to come.
    let mut plan = good.clone();
    plan.badge = Some(ObjectReference::new(NOBODY, 3, Digest::ZERO));
    left_open(&world, &operator, &plan).await;

    // Another's badge.
    let other = world.operator(1, &[]).await;
    let mut plan = good.clone();
    let query = ViewQuery {
        badge: Some(other.badge),
        ..ViewQuery::default()
    };
    plan.badge = world.chain.view(&query).await.unwrap().badge;
    assert_eq!(
        refused(&world, &operator, &plan).await,
        RefusalKind::ObjectNotUsable {
            object: Some(other.badge)
        }
    );

    // More budget than the coin holds, a price below the reference price, too small a budget.
    let mut plan = good.clone();
    plan.gas_budget = Mist::new(40 * crate::support::SUI);
    assert_eq!(
        refused(&world, &operator, &plan).await,
        RefusalKind::GasBalance
    );
    let mut plan = good.clone();
    plan.gas_price = Mist::new(1);
    assert_eq!(
        refused(&world, &operator, &plan).await,
        RefusalKind::GasTerms
    );
    let mut plan = good.clone();
    plan.gas_budget = Mist::new(1);
    assert_eq!(
        refused(&world, &operator, &plan).await,
        RefusalKind::GasBudgetTooLow
    );

    // An epoch that is over.
    world.net.advance_epoch().unwrap();
    assert_eq!(
        refused(&world, &operator, &good).await,
        RefusalKind::Expired
    );
    let mut plan = good;
    plan.expires_after = Epoch::new(plan.expires_after.get() + 1);
    let executed = world.run(&operator.signer, &plan).await;
    assert_eq!(executed.outcome, ExecutionOutcome::Success);
}

#[tokio::test]
async fn an_abort_costs_gas_and_is_told_by_its_fields() {
    let world = World::start().await;
    let operator = world.operator(0, &[]).await;
    let unknown = [ContractCall::UnsubscribeFromTask {
        task: TaskSmallId::new(77),
    }];
    let badge = Some(operator.badge);
    let plan = world.plan(&operator.signer, badge, &unknown).await;
    let executed = world.run(&operator.signer, &plan).await;
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
    // Coin and badge have moved on all the same.
    assert!(executed.written[&operator.badge].version() > plan.badge.unwrap().version());
    assert_eq!(
        executed.gas_coin.as_ref(),
        executed.written.get(plan.gas[0].object_id())
    );
    let found = world.chain.lookup(executed.digest).await.unwrap().unwrap();
    assert_eq!(found.outcome, executed.outcome);
}

#[tokio::test]
async fn the_same_bytes_execute_once_and_answer_the_same() {
    let world = World::start().await;
    let operator = world.operator(2, &[]).await;
    let register = [ContractCall::RegisterNode];
    let plan = world.plan(&operator.signer, None, &register).await;
    let signed = signed(&world, &operator, &plan).await;
    let first = world.chain.execute(&signed).await.unwrap();
    let second = world.chain.execute(&signed).await.unwrap();
    assert_eq!(first.effects, second.effects);
    assert_eq!(first.events, second.events);
    // Even when they could not execute any more.
    world.net.advance_epoch().unwrap();
    let third = world.chain.execute(&signed).await.unwrap();
    assert_eq!(first.effects, third.effects);
    let owned = world.chain.badges(operator.signer.address()).await.unwrap();
    assert_eq!(owned.len(), 2);
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_found_by_its_digest() {
    let world = World::start().await;
    let operator = world.operator(0, &[]).await;
    let plan = world
        .plan(&operator.signer, None, &[ContractCall::RegisterNode])
        .await;
    let signed = signed(&world, &operator, &plan).await;
    world
        .net
        .inject_fault(Fault::once(FaultKind::ExecuteLostBefore));
    let lost = world.chain.execute(&signed).await;
    assert!(matches!(lost, Err(SubmitError::Unknown(_))), "{lost:?}");
    assert!(world.chain.lookup(signed.digest).await.unwrap().is_none());
    world
        .net
        .inject_fault(Fault::once(FaultKind::ExecuteLostAfter));
    let lost = world.chain.execute(&signed).await;
    assert!(matches!(lost, Err(SubmitError::Unknown(_))), "{lost:?}");
    let found = world.chain.lookup(signed.digest).await.unwrap().unwrap();
    assert_eq!(found.outcome, ExecutionOutcome::Success);
}

#[tokio::test]
async fn congestion_is_a_cancellation() {
    let world = World::start().await;
    let operator = world.operator(0, &[]).await;
    let plan = world
        .plan(&operator.signer, None, &[ContractCall::RegisterNode])
        .await;
    let signed = signed(&world, &operator, &plan).await;
    world.net.inject_fault(Fault::once(FaultKind::Congestion));
    let executed = world.chain.execute(&signed).await.unwrap();
    assert!(
        matches!(executed.outcome, ExecutionOutcome::Cancelled { .. }),
        "{:?}",
        executed.outcome
    );
    assert!(executed.gas_coin.is_some());
}

#[tokio::test]
async fn an_unreachable_node_is_told_and_the_next_question_answered() {
    let world = World::start().await;
    world.net.inject_fault(Fault::once(FaultKind::Unavailable));
    let error = world.chain.identity().await.unwrap_err();
    assert!(matches!(error, ChainError::Unavailable(_)));
    world.chain.identity().await.unwrap();
}

#[tokio::test]
async fn a_contract_that_is_not_there_is_told() {
    let world = World::start().await;
    let package = world.net.addresses().package;
    let config = atoma_sui::SuiConfig::new(world.net.url(), package, NOBODY);
    let chain = atoma_sui::SuiChain::connect(config).unwrap();
    let error = chain.view(&ViewQuery::default()).await.unwrap_err();
    assert!(matches!(error, ChainError::NoObject(id) if id == NOBODY));
    // Something that is there, but no AtomaDb.
    let clock = ObjectId::from_static("0x8");
    let config = atoma_sui::SuiConfig::new(world.net.url(), package, clock);
    let chain = atoma_sui::SuiChain::connect(config).unwrap();
    let error = chain.view(&ViewQuery::default()).await.unwrap_err();
    assert!(matches!(error, ChainError::Malformed { .. }), "{error:?}");
    // Nothing is built before the contract was read.
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
