//! What proves that a transaction has not executed and never will, and what doesn't.

use std::collections::BTreeMap;

use crate::fake_node::{EPOCH, FIRST, FakeNode, LAST};
use crate::support::{NOBODY, PRICE, TestNetwork};
use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{
    Chain as _, ChainError, Consumption, ExecutionOutcome, Refusal, RefusalKind, SimulatedGas,
    Until,
};
use atoma_domain::{Digest, Epoch, Mist, ObjectReference};
use atoma_localnet::{Fault, FaultKind};

/// The digest of a transaction that was never executed.
const UNKNOWN: Digest = Digest::new([1; 32]);

const fn other(number: u8) -> Digest {
    Digest::new([number; 32])
}

#[tokio::test]
async fn the_consumer_of_a_version_is_found_across_later_versions() {
    let network = TestNetwork::start().await;
    let task = network.task(0);
    let operator = network.operator(0, &[]).await;
    let badge = || async {
        let badges = network.chain.badges(operator.signer.owner()).await.unwrap();
        badges[0].reference.clone()
    };
    let (mut versions, mut consumers) = (Vec::new(), Vec::new());
    for call in [
        ContractCall::SubscribeToTask { task, price: PRICE },
        ContractCall::UnsubscribeFromTask { task },
        ContractCall::SubscribeToTask { task, price: PRICE },
    ] {
        versions.push(badge().await);
        let executed = network.act(&operator, call).await;
        consumers.push(Consumption::By(executed.digest));
    }
    let current = badge().await;
    versions.push(current.clone());
    consumers.push(Consumption::Current(Epoch::new(0)));
    // A version to come, and an object that does not exist.
    let (id, digest) = (*current.object_id(), *current.digest());
    versions.push(ObjectReference::new(id, current.version() + 1, digest));
    versions.push(ObjectReference::new(NOBODY, 1, digest));
    consumers.extend([Consumption::Unseen; 2]);
    let results = network.chain.consumption(&versions).await.unwrap();
    assert_eq!(results, consumers);

    // A node that lags.
    network
        .localnet
        .inject_fault(Fault::once(FaultKind::StaleObjects));
    let result = network.chain.consumption(std::slice::from_ref(&current));
    assert_eq!(result.await.unwrap(), [Consumption::Unseen]);
}

/// Paying with several coins merges them into one and deletes the others.
#[tokio::test]
async fn the_consumer_of_a_deleted_coin_is_found() {
    let network = TestNetwork::start().await;
    let signer = network.funded(0);
    let register = [ContractCall::RegisterNode];
    let mut plan = network.plan(&signer, None, &register).await;
    let coins = network.chain.gas_coins(signer.owner()).await.unwrap();
    plan.gas = coins.into_iter().map(|coin| coin.reference).collect();
    let deleted = plan.gas[1].clone();
    let executed = network.run(&signer, &plan).await;
    let consumption = async || {
        let versions = std::slice::from_ref(&deleted);
        network.chain.consumption(versions).await.unwrap()
    };
    // Until a checkpoint contains the transaction, the index doesn't.
    while consumption().await == [Consumption::Unseen] {
        network.localnet.step().unwrap();
    }
    assert_eq!(consumption().await, [Consumption::By(executed.digest)]);
    // This says nothing about other versions of the coin.
    let (id, digest) = (*deleted.object_id(), *deleted.digest());
    for version in [deleted.version() - 1, deleted.version() + 1] {
        let other = ObjectReference::new(id, version, digest);
        let results = network.chain.consumption(&[other]).await.unwrap();
        assert_eq!(results, [Consumption::Unseen]);
    }
}

/// A node's index may not yet contain the object's deletion, or its creation. So it proves nothing
/// by itself, and in particular not that the object's last transaction came after the version.
#[tokio::test]
async fn a_missing_objects_version_is_consumed_only_by_a_transaction_with_that_input() {
    let last = other(4);
    let node = |transactions: &[(Digest, (u64, u64))]| FakeNode {
        writers: BTreeMap::from([(6, other(3))]),
        version: 9,
        transactions: transactions.iter().copied().collect(),
        listed: Some(last),
        ..FakeNode::default()
    };
    let consumption = async |transactions: &[_], version| {
        let result = node(transactions).consumption(version).await;
        result.unwrap()
    };
    let consumers = [(last, (6, 300)), (other(3), (4, 200))];
    assert_eq!(consumption(&consumers, 6).await, Consumption::By(last));
    assert_eq!(consumption(&consumers, 4).await, Consumption::By(other(3)));
    for version in [3, 5, 7, 9] {
        assert_eq!(consumption(&consumers, version).await, Consumption::Unseen);
    }
    assert_eq!(consumption(&[], 6).await, Consumption::Unseen);
    let without_index = FakeNode {
        listed: None,
        ..node(&consumers)
    };
    let result = without_index.consumption(6).await.unwrap();
    assert_eq!(result, Consumption::Unseen);
}

#[tokio::test]
async fn a_digest_is_absent_once_the_ledger_covers_the_range() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let executed = network
        .succeed(&operator.signer, None, &[ContractCall::RegisterNode])
        .await;
    let epoch = executed.epoch;
    let check = |digest, until| network.chain.is_absent(digest, epoch, until);
    let absent = check(UNKNOWN, Until::EpochEnd).await.unwrap();
    assert!(!absent, "the epoch has not ended");
    assert!(!check(UNKNOWN, Until::Transaction(other(9))).await.unwrap());
    // Until a transaction: provable once that transaction is in a checkpoint.
    let until = Until::Transaction(executed.digest);
    while !check(UNKNOWN, until).await.unwrap() {
        network.localnet.step().unwrap();
    }
    assert!(!check(executed.digest, until).await.unwrap());
    network.localnet.advance_epoch().unwrap();
    assert!(check(UNKNOWN, Until::EpochEnd).await.unwrap());
    assert!(!check(executed.digest, Until::EpochEnd).await.unwrap());
    let to_come = network
        .chain
        .is_absent(UNKNOWN, Epoch::new(77), Until::EpochEnd);
    assert!(!to_come.await.unwrap());
}

async fn is_absent(node: FakeNode, until: Until) -> Result<bool, ChainError> {
    let chain = node.serve().await;
    chain.is_absent(UNKNOWN, Epoch::new(EPOCH), until).await
}

#[tokio::test]
async fn a_node_that_lags_or_is_pruned_proves_no_absence() {
    let end = Until::EpochEnd;
    let complete = FakeNode::default;
    assert!(is_absent(complete(), end).await.unwrap());
    let lagging = FakeNode {
        height: LAST - 1,
        ..complete()
    };
    assert!(!is_absent(lagging, end).await.unwrap());
    for lowest in [0, FIRST] {
        let node = FakeNode {
            lowest: Some(lowest),
            ..complete()
        };
        assert!(is_absent(node, end).await.unwrap());
    }
    let pruned = FakeNode {
        lowest: Some(FIRST + 1),
        ..complete()
    };
    let result = is_absent(pruned, end).await;
    assert!(
        matches!(result, Err(ChainError::Pruned { .. })),
        "{result:?}"
    );
    let silent = FakeNode {
        lowest: None,
        ..complete()
    };
    assert!(is_absent(silent, end).await.is_err());
    // A `NotFound` that doesn't name the transaction says nothing about it.
    let gateway = FakeNode {
        not_found: "Not Found",
        ..complete()
    };
    assert!(is_absent(gateway, end).await.is_err());
}

#[tokio::test]
async fn absence_until_a_transaction_needs_it_in_a_checkpoint() {
    let until = Until::Transaction(other(2));
    let at = |checkpoint, height| FakeNode {
        height,
        transactions: BTreeMap::from([(other(2), (1, checkpoint))]),
        ..FakeNode::default()
    };
    assert!(is_absent(at(150, 150), until).await.unwrap());
    assert!(!is_absent(at(150, 149), until).await.unwrap());
    assert!(!is_absent(FakeNode::default(), until).await.unwrap());
}

/// Several nodes can serve one address: the node that looks up the digest may not be the node that
/// reported its height.
#[tokio::test]
async fn the_responding_nodes_own_headers_count() {
    let responding = |height, lowest| FakeNode {
        headers: Some((height, lowest)),
        ..FakeNode::default()
    };
    let end = Until::EpochEnd;
    assert!(is_absent(responding(LAST + 100, 0), end).await.unwrap());
    assert!(!is_absent(responding(LAST - 1, 0), end).await.unwrap());
    let silent = || FakeNode {
        headers: None,
        ..FakeNode::default()
    };
    assert!(!is_absent(silent(), end).await.unwrap());
    let pruned = is_absent(responding(LAST + 100, FIRST + 1), end).await;
    assert!(matches!(pruned, Err(ChainError::Pruned { .. })));
    // The same goes for a version that one of them still has as the latest.
    let current = Consumption::Current(Epoch::new(EPOCH + 1));
    let result = responding(LAST + 100, 0).consumption(1).await;
    assert_eq!(result.unwrap(), current);
    for node in [responding(LAST - 1, 0), silent()] {
        assert_eq!(node.consumption(1).await.unwrap(), Consumption::Unseen);
    }
}

#[tokio::test]
async fn a_consumer_that_the_node_no_longer_has_is_reported_as_past() {
    let last = other(4);
    let node = || FakeNode {
        version: 9,
        writers: BTreeMap::from([(9, last), (6, other(3)), (4, other(2))]),
        transactions: BTreeMap::from([
            (last, (6, 300)),
            (other(3), (4, 200)),
            (other(2), (1, 100)),
        ]),
        ..FakeNode::default()
    };
    for (version, consumer) in [(6, last), (4, other(3)), (1, other(2))] {
        let result = node().consumption(version).await.unwrap();
        assert_eq!(result, Consumption::By(consumer));
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
    let mut missing = node();
    missing.writers.clear();
    assert_eq!(missing.consumption(1).await.unwrap(), Consumption::Unseen);
}

/// A simulation with the plan's own coins and budget shows that they don't suffice, before anything
/// is spent.
#[tokio::test]
async fn a_simulation_as_planned_finds_a_budget_too_small() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let register = [ContractCall::RegisterNode];
    let mut plan = network.plan(&operator.signer, None, &register).await;
    let gas = SimulatedGas::AsPlanned;
    let simulated = |plan: &_| {
        let unsigned = network.chain.build(plan).unwrap();
        let chain = network.chain.clone();
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
            panic!("a budget of {budget} was accepted");
        };
        assert_eq!(source.downcast_ref::<Refusal>().unwrap().kind, kind);
    }
}
