//! What proves that a transaction was never executed, and what doesn't.

use std::collections::BTreeMap;

use crate::support::{NOBODY, PRICE, World};
use crate::told_node::{EPOCH, FIRST, LAST, ToldNode};
use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{
    Chain as _, ChainError, Consumption, ExecutionOutcome, Refusal, RefusalKind, SimulatedGas,
    Until,
};
use atoma_domain::{Digest, Epoch, Mist, ObjectReference};
use atoma_localnet::{Fault, FaultKind};

/// The digest that is looked for.
const SOUGHT: Digest = Digest::new([1; 32]);

const fn other(number: u8) -> Digest {
    Digest::new([number; 32])
}

#[tokio::test]
async fn who_consumed_a_version_is_found_however_long_ago() {
    let world = World::start().await;
    let task = world.task(0);
    let operator = world.operator(0, &[]).await;
    let badge = || async {
        let badges = world.chain.badges(operator.signer.owner()).await.unwrap();
        badges[0].reference.clone()
    };
    let (mut versions, mut consumers) = (Vec::new(), Vec::new());
    for call in [
        ContractCall::SubscribeToTask { task, price: PRICE },
        ContractCall::UnsubscribeFromTask { task },
        ContractCall::SubscribeToTask { task, price: PRICE },
    ] {
        versions.push(badge().await);
        let executed = world.act(&operator, call).await;
        consumers.push(Consumption::By(executed.digest));
    }
    let current = badge().await;
    versions.push(current.clone());
    // A version to come, and an object that there isn't.
    let (id, digest) = (*current.object_id(), *current.digest());
    versions.push(ObjectReference::new(id, current.version() + 1, digest));
    versions.push(ObjectReference::new(NOBODY, 1, digest));
    // The local network does not say in its answers how high it is.
    consumers.extend([Consumption::Unseen; 3]);
    let told = world.chain.consumption(&versions).await.unwrap();
    assert_eq!(told, consumers);

    // A node that lags.
    world.net.inject_fault(Fault::once(FaultKind::StaleObjects));
    let told = world.chain.consumption(std::slice::from_ref(&current));
    assert_eq!(told.await.unwrap(), [Consumption::Unseen]);
}

/// A payment by several coins leaves one of them.
#[tokio::test]
async fn who_consumed_a_coin_that_is_gone_is_found() {
    let world = World::start().await;
    let signer = world.funded(0);
    let register = [ContractCall::RegisterNode];
    let mut plan = world.plan(&signer, None, &register).await;
    let coins = world.chain.gas_coins(signer.owner()).await.unwrap();
    plan.gas = coins.into_iter().map(|coin| coin.reference).collect();
    let gone = plan.gas[1].clone();
    let executed = world.run(&signer, &plan).await;
    let told = async || world.chain.consumption(std::slice::from_ref(&gone)).await;
    // As long as no checkpoint has it.
    while told().await.unwrap() == [Consumption::Unseen] {
        world.net.step().unwrap();
    }
    assert_eq!(told().await.unwrap(), [Consumption::By(executed.digest)]);
    // Of another version of it this says nothing.
    let (id, digest) = (*gone.object_id(), *gone.digest());
    for version in [gone.version() - 1, gone.version() + 1] {
        let other = ObjectReference::new(id, version, digest);
        let told = world.chain.consumption(&[other]).await.unwrap();
        assert_eq!(told, [Consumption::Unseen]);
    }
}

/// Here an index is behind the object's end, or behind its creation: it proves nothing, and least
/// of all that the object's last transaction came after it was used.
#[tokio::test]
async fn an_object_that_is_not_shown_is_consumed_only_by_who_took_that_version_in() {
    let last = other(4);
    let gone = |transactions: &[(Digest, (u64, u64))]| ToldNode {
        writers: BTreeMap::from([(6, other(3))]),
        version: 9,
        transactions: transactions.iter().copied().collect(),
        listed: Some(last),
        ..ToldNode::default()
    };
    let told = async |transactions: &[_], version| {
        let told = gone(transactions).consumption(version).await;
        told.unwrap()
    };
    let consumer = [(last, (6, 300)), (other(3), (4, 200))];
    assert_eq!(told(&consumer, 6).await, Consumption::By(last));
    assert_eq!(told(&consumer, 4).await, Consumption::By(other(3)));
    for version in [3, 5, 7, 9] {
        assert_eq!(told(&consumer, version).await, Consumption::Unseen);
    }
    assert_eq!(told(&[], 6).await, Consumption::Unseen);
    let without_index = ToldNode {
        listed: None,
        ..gone(&consumer)
    };
    let told = without_index.consumption(6).await.unwrap();
    assert_eq!(told, Consumption::Unseen);
}

#[tokio::test]
async fn a_digest_is_absent_where_the_ledger_reaches_and_not_before() {
    let world = World::start().await;
    let operator = world.operator(0, &[]).await;
    let executed = world
        .succeed(&operator.signer, None, &[ContractCall::RegisterNode])
        .await;
    let epoch = executed.epoch;
    let check = |digest, until| world.chain.is_absent(digest, epoch, until);
    let open = check(SOUGHT, Until::EpochEnd).await.unwrap();
    assert!(!open, "the epoch is on");
    assert!(!check(SOUGHT, Until::Transaction(other(9))).await.unwrap());
    // As far as a transaction, from when it is in a checkpoint.
    let until = Until::Transaction(executed.digest);
    while !check(SOUGHT, until).await.unwrap() {
        world.net.step().unwrap();
    }
    assert!(!check(executed.digest, until).await.unwrap());
    world.net.advance_epoch().unwrap();
    assert!(check(SOUGHT, Until::EpochEnd).await.unwrap());
    assert!(!check(executed.digest, Until::EpochEnd).await.unwrap());
    let to_come = world
        .chain
        .is_absent(SOUGHT, Epoch::new(77), Until::EpochEnd);
    assert!(!to_come.await.unwrap());
}

async fn is_absent(node: ToldNode, until: Until) -> Result<bool, ChainError> {
    let chain = node.serve().await;
    chain.is_absent(SOUGHT, Epoch::new(EPOCH), until).await
}

#[tokio::test]
async fn a_node_that_is_too_low_or_pruned_proves_no_absence() {
    let end = Until::EpochEnd;
    let whole = ToldNode::default;
    assert!(is_absent(whole(), end).await.unwrap());
    let low = ToldNode {
        height: LAST - 1,
        ..whole()
    };
    assert!(!is_absent(low, end).await.unwrap());
    for lowest in [0, FIRST] {
        let node = ToldNode {
            lowest: Some(lowest),
            ..whole()
        };
        assert!(is_absent(node, end).await.unwrap());
    }
    let pruned = ToldNode {
        lowest: Some(FIRST + 1),
        ..whole()
    };
    let told = is_absent(pruned, end).await;
    assert!(matches!(told, Err(ChainError::Pruned { .. })), "{told:?}");
    let silent = ToldNode {
        lowest: None,
        ..whole()
    };
    assert!(is_absent(silent, end).await.is_err());
    // What isn't said of the transaction says nothing about it.
    let gateway = ToldNode {
        lacks: "Not Found",
        ..whole()
    };
    assert!(is_absent(gateway, end).await.is_err());
}

#[tokio::test]
async fn absence_until_a_transaction_needs_it_in_a_checkpoint() {
    let until = Until::Transaction(other(2));
    let at = |checkpoint, height| ToldNode {
        height,
        transactions: BTreeMap::from([(other(2), (1, checkpoint))]),
        ..ToldNode::default()
    };
    assert!(is_absent(at(150, 150), until).await.unwrap());
    assert!(!is_absent(at(150, 149), until).await.unwrap());
    assert!(!is_absent(ToldNode::default(), until).await.unwrap());
}

/// One address, several nodes: the one that looked up the digest isn't the one that told its height.
#[tokio::test]
async fn the_answering_nodes_own_headers_count() {
    let answering = |height, lowest| ToldNode {
        headers: Some((height, lowest)),
        ..ToldNode::default()
    };
    let end = Until::EpochEnd;
    assert!(is_absent(answering(LAST + 100, 0), end).await.unwrap());
    assert!(!is_absent(answering(LAST - 1, 0), end).await.unwrap());
    let pruned = is_absent(answering(LAST + 100, FIRST + 1), end).await;
    assert!(matches!(pruned, Err(ChainError::Pruned { .. })));
    // So with a version that one of them still shows.
    let current = Consumption::Current(Epoch::new(EPOCH + 1));
    let told = answering(LAST + 100, 0).consumption(1).await;
    assert_eq!(told.unwrap(), current);
    let silent = ToldNode {
        headers: None,
        ..answering(LAST + 100, 0)
    };
    for node in [answering(LAST - 1, 0), silent] {
        assert_eq!(node.consumption(1).await.unwrap(), Consumption::Unseen);
    }
}

#[tokio::test]
async fn a_past_that_is_not_kept_is_told_as_such() {
    let last = other(4);
    let node = || ToldNode {
        version: 9,
        writers: BTreeMap::from([(9, last), (6, other(3)), (4, other(2))]),
        transactions: BTreeMap::from([
            (last, (6, 300)),
            (other(3), (4, 200)),
            (other(2), (1, 100)),
        ]),
        ..ToldNode::default()
    };
    for (version, consumer) in [(6, last), (4, other(3)), (1, other(2))] {
        let told = node().consumption(version).await.unwrap();
        assert_eq!(told, Consumption::By(consumer));
    }
    let past = Consumption::Past { last };
    // Without one of the versions between, or one of the transactions.
    let mut pruned = node();
    pruned.writers.remove(&4);
    assert_eq!(pruned.consumption(1).await.unwrap(), past);
    let mut pruned = node();
    pruned.transactions.remove(&last);
    assert_eq!(pruned.consumption(6).await.unwrap(), past);
    // A version that the object never had.
    assert_eq!(node().consumption(5).await.unwrap(), past);
    let mut gone = node();
    gone.writers.clear();
    assert_eq!(gone.consumption(1).await.unwrap(), Consumption::Unseen);
}

/// With its own coins and budget, a plan is found short before anything is spent.
#[tokio::test]
async fn a_simulation_as_planned_finds_a_budget_too_small() {
    let world = World::start().await;
    let operator = world.operator(0, &[]).await;
    let register = [ContractCall::RegisterNode];
    let mut plan = world.plan(&operator.signer, None, &register).await;
    let gas = SimulatedGas::AsPlanned;
    let simulated = |plan: &_| {
        let unsigned = world.chain.build(plan).unwrap();
        let chain = world.chain.clone();
        async move { chain.simulate(&unsigned, gas).await }
    };
    let enough = simulated(&plan).await.unwrap();
    assert_eq!(enough.outcome, ExecutionOutcome::Success);
    plan.gas_budget = Mist::new(1_100_000);
    let short = simulated(&plan).await.unwrap();
    let ExecutionOutcome::Failed { out_of_gas, .. } = short.outcome else {
        panic!("{short:?}");
    };
    assert!(out_of_gas);
    for (budget, kind) in [
        (1, RefusalKind::GasBudgetTooLow),
        (40 * crate::support::SUI, RefusalKind::GasBalance),
    ] {
        plan.gas_budget = Mist::new(budget);
        let Err(ChainError::Answer(source)) = simulated(&plan).await else {
            panic!("a budget of {budget} was taken");
        };
        assert_eq!(source.downcast_ref::<Refusal>().unwrap().kind, kind);
    }
}
