//! The life of a stack on the local network, from the node's registration to the claim.

use crate::support::{NOBODY, PRICE, TestNetwork, root, transactions, written};
use atoma_domain::contract::{ContractCall, SubscriberOnChain};
use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{Chain as _, Signer as _, SubscriberQuery, ViewQuery};
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{ComputeUnits, StackSmallId};
use atoma_localnet::Parameters;

const CLAIMED: ComputeUnits = ComputeUnits::new(600);

fn offer(node: atoma_domain::NodeSmallId) -> SubscriberOnChain {
    SubscriberOnChain {
        node_small_id: node,
        offer: Some((PRICE, ComputeUnits::new(1_000_000))),
        is_active: true,
    }
}

#[tokio::test]
async fn a_stack_is_settled_attested_and_claimed() {
    let network = TestNetwork::start().await;
    let always = Parameters {
        cross_validation_probability_permille: Some(1_000),
        ..Parameters::default()
    };
    network.localnet.set_parameters(&always).unwrap();
    let task = network.task(2);
    let selected = network.operator(0, &[task]).await;
    let attester = network.operator(2, &[task]).await;
    let stack = network.stack(task, selected.node);
    network.localnet.force_attesters(stack, vec![attester.node]);

    // One view has everything that a settlement depends on.
    let query = ViewQuery {
        badge: Some(selected.badge),
        stacks: vec![stack, StackSmallId::new(99)],
        tickets: vec![stack],
        subscribers: Some(SubscriberQuery {
            task,
            expected: vec![selected.node],
        }),
        ..ViewQuery::default()
    };
    let view = network.chain.view(&query).await.unwrap();
    assert_eq!(view.stacks.len(), 1);
    assert_eq!(view.stacks[&stack].selected_node_id, selected.node);
    assert_eq!(view.stacks[&stack].num_compute_units.get(), 1_000);
    assert_eq!(view.stacks[&stack].task_small_id, task);
    assert!(view.tickets.is_empty());
    assert_eq!(
        view.subscribers,
        Some(vec![offer(selected.node), offer(attester.node)])
    );
    assert_eq!(view.parameters.cross_validation_extra_nodes_count, 1);

    // Settlement.
    let settle = ContractCall::TrySettleStack {
        stack,
        claimed: CLAIMED,
        proof: SettlementProof::of_selected_node(&root(), 1, 2).unwrap(),
    };
    let settled = network.act(&selected, settle).await;
    let [ContractEvent::StackTrySettle(event)] = settled.events.as_slice() else {
        panic!("{:?}", settled.events);
    };
    assert_eq!(event.requested_attestation_nodes, vec![attester.node]);
    let view = network.chain.view(&query).await.unwrap();
    assert_eq!(view.badge, Some(written(&settled, selected.badge)));
    let ticket = &view.tickets[&stack];
    assert_eq!(ticket.requested_attestation_nodes, vec![attester.node]);
    assert_eq!(ticket.num_claimed_compute_units, CLAIMED);
    assert_eq!(ticket.dispute_settled_at_epoch, view.epoch.epoch.next());
    assert!(ticket.already_attested_nodes.is_empty());

    // Attestation.
    let leaves = ticket.stack_merkle_leaves.0.len();
    let attestation = ContractCall::SubmitAttestation {
        stack,
        proof: SettlementProof::of_attester(&root(), leaves, 1, 0).unwrap(),
    };
    let attested = network.act(&attester, attestation).await;
    assert!(
        attested
            .events
            .iter()
            .any(|event| matches!(event, ContractEvent::StackSettlementTicket(_)))
    );
    let view = network.chain.view(&query).await.unwrap();
    assert_eq!(
        view.tickets[&stack].already_attested_nodes,
        vec![attester.node]
    );
    assert!(!view.tickets[&stack].is_in_dispute);

    // The epoch ends, the claim is paid, and stack and ticket are removed.
    let signed_in = view.epoch.epoch;
    network.localnet.advance_epoch().unwrap();
    let claim = ContractCall::ClaimFunds {
        stacks: vec![stack],
    };
    let claimed = network.act(&selected, claim).await;
    assert_eq!(claimed.epoch, signed_in.next());
    let view = network.chain.view(&query).await.unwrap();
    assert!(view.stacks.is_empty() && view.tickets.is_empty());

    // The ledger stream has all three transactions, in order.
    let frames = network.follow_until(None, &claimed).await;
    let mine: Vec<_> = [&settled, &attested, &claimed]
        .into_iter()
        .map(|executed| executed.digest)
        .collect();
    let seen: Vec<_> = transactions(&frames)
        .filter(|step| mine.contains(&step.digest))
        .collect();
    assert_eq!(
        seen.iter().map(|step| step.digest).collect::<Vec<_>>(),
        mine
    );
    assert_eq!(seen[0].events, settled.events);
    assert_eq!(seen[0].sender, selected.signer.address());
    assert_eq!(seen[1].sender, attester.signer.address());
    assert_eq!(seen[2].epoch, claimed.epoch);
    assert!(seen[0].position < seen[1].position && seen[1].position < seen[2].position);

    // A lookup returns the same.
    let found = network.chain.lookup(claimed.digest).await.unwrap().unwrap();
    assert_eq!(found.events, claimed.events);
    assert_eq!(found.written, claimed.written);
    assert_eq!(found.effects, claimed.effects);
    assert_eq!(found.checkpoint, Some(seen[2].position.checkpoint));
    assert!(network.chain.height().await.unwrap() >= seen[2].position.checkpoint);
}

#[tokio::test]
async fn badges_and_coins_of_an_address_are_listed() {
    let network = TestNetwork::start().await;
    let operator = network.operator(1, &[]).await;
    let address = operator.signer.address();
    let second = network
        .succeed(&operator.signer, None, &[ContractCall::RegisterNode])
        .await;
    let badges = network.chain.badges(address).await.unwrap();
    assert_eq!(badges.len(), 2);
    assert_eq!(badges[0].node_small_id, operator.node);
    assert!(badges[0].node_small_id < badges[1].node_small_id);
    assert_eq!(
        badges[1].reference,
        written(&second, *badges[1].reference.object_id())
    );
    let coins = network.chain.gas_coins(address).await.unwrap();
    assert_eq!(coins.len(), 2);
    assert!(coins[0].balance > coins[1].balance);
    assert_eq!(Some(coins[0].reference.clone()), second.gas_coin);
    assert!(network.chain.badges(NOBODY).await.unwrap().is_empty());
    assert!(network.chain.gas_coins(NOBODY).await.unwrap().is_empty());

    let object = network.chain.object(operator.badge).await.unwrap().unwrap();
    assert_eq!(object.reference, badges[0].reference);
    assert_eq!((object.owner, object.balance), (Some(address), None));
    assert!(object.last_transaction.is_some());
    let coin = network
        .chain
        .object(*coins[0].reference.object_id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(coin.reference, coins[0].reference);
    assert_eq!(coin.balance, Some(coins[0].balance));
    assert_eq!(coin.owner, Some(address));
    assert_eq!(coin.last_transaction, Some(second.digest));
    assert_eq!(network.chain.object(NOBODY).await.unwrap(), None);
}

#[tokio::test]
async fn the_identity_is_the_networks() {
    let network = TestNetwork::start().await;
    let identity = network.chain.identity().await.unwrap();
    assert_eq!(identity.chain_id.to_string(), network.localnet.chain_id());
    assert_eq!(identity.atoma_db_id, network.localnet.addresses().atoma_db);
}
