//! Suite of [`ChainEvents`](atoma_domain::ports::ChainEvents): from ticket to claim.

use std::fs;
use std::path::Path;

use atoma_domain::events::{
    ContractEvent, NewStackSettlementAttestation, StackAttestationDispute, StackSettlementTicket,
    StackTrySettle,
};
use atoma_domain::model::Settlement;
use atoma_domain::ports::{DisputeSide, Page, StateReader};
use atoma_domain::{Epoch, HexBytes, MicroUsdc};
use serde::Deserialize;
use serde_json::Value;

use super::Store;
use super::fixtures::*;

async fn settlement(store: &impl StateReader, id: u64) -> Settlement {
    let mut found = store.settlements_by_id(&[stack(id)]).await.unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

pub async fn a_ticket_takes_its_epoch_from_the_settling_transaction(store: impl Store) {
    apply_events(&store, 10, vec![bought(1, 1, 100), bought(2, 1, 100)]).await;
    apply_events(&store, 35, vec![settled(1, 1, &[2])]).await;
    let ticket = settlement(&store, 1).await;
    assert_eq!(ticket.dispute_settled_at_epoch, Epoch::new(4));
    assert_eq!(ticket.settled_at, at(35_000));
    assert_eq!(ticket.stack_id, Some(object(1)));
    assert_eq!(ticket.num_claimed_compute_units, units(5));
    assert_eq!(ticket.committed_stack_proof, hash(101));
    assert_eq!(ticket.stack_merkle_leaf, hash(201));

    // The event of the last attestation carries another epoch under the same name.
    let last = StackSettlementTicket {
        stack_small_id: stack(1),
        selected_node_id: node(1),
        num_claimed_compute_units: units(5),
        requested_attestation_nodes: vec![node(2)],
        dispute_settled_at_epoch: Epoch::new(99),
        committed_stack_proof: hash(101).into(),
    };
    apply_events(&store, 48, vec![attested(1, 2), last.into()]).await;
    let attested = settlement(&store, 1).await;
    assert_eq!(
        attested,
        Settlement {
            attested_nodes: vec![node(2)],
            ..ticket
        }
    );

    let stacks = store.stacks_by_id(&[stack(1), stack(2)]).await.unwrap();
    for stack in stacks {
        assert_eq!(stack.in_settle_period, stack.stack_small_id.get() == 1);
    }
    let listed = store.settlements(&[node(1)], Page::first(9)).await.unwrap();
    assert_eq!(listed, [attested]);
    assert_eq!(
        store.settlements(&[node(2)], Page::first(9)).await.unwrap(),
        []
    );
}

pub async fn attestations_are_counted_not_nodes(store: impl Store) {
    apply_events(
        &store,
        1,
        vec![bought(1, 1, 100), settled(1, 1, &[3, 2, 2])],
    )
    .await;
    apply_events(&store, 2, vec![attested(1, u64::MAX), attested(1, 2)]).await;
    assert!(!settlement(&store, 1).await.is_complete());
    apply_events(&store, 3, vec![attested(1, 2)]).await;
    let ticket = settlement(&store, 1).await;
    assert_eq!(
        ticket.requested_attestation_nodes,
        [node(3), node(2), node(2)]
    );
    assert_eq!(ticket.attested_nodes, [node(u64::MAX), node(2), node(2)]);
    assert!(ticket.is_complete() && !ticket.is_in_dispute);
}

pub async fn the_first_dispute_stays(store: impl Store) {
    apply_events(
        &store,
        1,
        vec![settled(1, 1, &[3, 2, 2]), settled(2, 1, &[])],
    )
    .await;
    apply_events(&store, 57, vec![disputed(1, 2, 1)]).await;
    apply_events(&store, 58, vec![disputed(1, 3, 1), disputed(2, 9, 1)]).await;
    let against = store
        .disputes(&[node(1)], DisputeSide::Defendant, Page::first(9))
        .await
        .unwrap();
    assert_eq!(against.len(), 2);
    let first = &against[0];
    assert_eq!(first.stack_small_id, stack(1));
    assert_eq!(first.plaintiff_node_id, node(2));
    // The first index of the plaintiff among the nodes drawn.
    assert_eq!(first.disputed_attestation_index, Some(1));
    assert_eq!(first.disputed_hash, hash(402));
    assert_eq!(first.original_hash, hash(101));
    assert_eq!(first.created_at_epoch, Epoch::new(5));
    assert_eq!(first.resolved_at_epoch, None);
    // Any badge holder may start a dispute, drawn or not.
    assert_eq!(against[1].disputed_attestation_index, None);

    let own = store
        .disputes(&[node(2), node(3)], DisputeSide::Plaintiff, Page::first(9))
        .await
        .unwrap();
    assert_eq!(own, against[..1]);
    let page = Page {
        after: Some(stack(1)),
        limit: 9,
    };
    let rest = store
        .disputes(&[node(1)], DisputeSide::Defendant, page)
        .await
        .unwrap();
    assert_eq!(rest, against[1..]);

    // A commitment that differs from the ticket's is no attestation.
    let ticket = settlement(&store, 1).await;
    assert!(ticket.is_in_dispute);
    assert_eq!(ticket.attested_nodes, []);
}

pub async fn claims_close_ticket_and_stack(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100), bought(2, 1, 100)]).await;
    apply_events(&store, 2, vec![settled(1, 1, &[])]).await;
    let open = settlement(&store, 1).await;
    assert!(!open.is_claimed);
    assert_eq!(open.user_refund_amount, MicroUsdc::ZERO);
    apply_events(
        &store,
        3,
        vec![ticket_claimed(1, 1, u64::MAX), stack_claimed(2, 1)],
    )
    .await;
    let closed = settlement(&store, 1).await;
    assert!(closed.is_claimed);
    assert_eq!(closed.user_refund_amount, MicroUsdc::new(u64::MAX));
    for stack in store.stacks_by_id(&[stack(1), stack(2)]).await.unwrap() {
        assert!(stack.is_claimed && !stack.in_settle_period);
    }
    // A claim without a settlement leaves no ticket.
    let none = store.settlements_by_id(&[stack(2)]).await.unwrap();
    assert_eq!(none, []);
}

#[derive(Deserialize)]
struct Proofs {
    cases: Vec<ProofCase>,
}

/// The events of a settlement as the contract emitted them, and the resulting ticket.
#[derive(Deserialize)]
struct ProofCase {
    case: String,
    events: Vec<RecordedEvent>,
    epoch: u64,
    requested_attestation_nodes: Vec<u64>,
    already_attested_nodes: Vec<u64>,
    is_in_dispute: bool,
    ticket_dispute_settled_at_epoch: u64,
}

#[derive(Deserialize)]
struct RecordedEvent {
    #[serde(rename = "type")]
    kind: String,
    fields: Value,
}

impl RecordedEvent {
    fn decode(&self) -> ContractEvent {
        let number = |name: &str| self.fields[name].as_u64().unwrap();
        let bytes =
            |name: &str| -> HexBytes { self.fields[name].as_str().unwrap().parse().unwrap() };
        let requested = || {
            let nodes = self.fields["requested_attestation_nodes"].as_array();
            let nodes = nodes.unwrap().iter();
            nodes.map(|id| node(id.as_u64().unwrap())).collect()
        };
        let stack_small_id = stack(number("stack_small_id"));
        match self.kind.as_str() {
            "StackTrySettleEvent" => StackTrySettle {
                stack_small_id,
                selected_node_id: node(number("selected_node_id")),
                requested_attestation_nodes: requested(),
                committed_stack_proof: bytes("committed_stack_proof"),
                stack_merkle_leaf: bytes("stack_merkle_leaf"),
                num_claimed_compute_units: units(number("num_claimed_compute_units")),
            }
            .into(),
            "NewStackSettlementAttestationEvent" => NewStackSettlementAttestation {
                stack_small_id,
                attestation_node_id: node(number("attestation_node_id")),
                committed_stack_proof: bytes("committed_stack_proof"),
                stack_merkle_leaf: bytes("stack_merkle_leaf"),
            }
            .into(),
            "StackSettlementTicketEvent" => StackSettlementTicket {
                stack_small_id,
                selected_node_id: node(number("selected_node_id")),
                num_claimed_compute_units: units(number("num_claimed_compute_units")),
                requested_attestation_nodes: requested(),
                dispute_settled_at_epoch: Epoch::new(number("dispute_settled_at_epoch")),
                committed_stack_proof: bytes("committed_stack_proof"),
            }
            .into(),
            "StackAttestationDisputeEvent" => StackAttestationDispute {
                stack_small_id,
                attestation_commitment: bytes("attestation_commitment"),
                attestation_node_id: node(number("attestation_node_id")),
                original_node_id: node(number("original_node_id")),
                original_commitment: bytes("original_commitment"),
            }
            .into(),
            other => panic!("unexpected {other}"),
        }
    }
}

/// For every settlement recorded from the contract, the mirror of its events equals its ticket.
pub async fn recorded_settlements_are_mirrored_as_on_chain(store: impl Store) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/proofs.json");
    let proofs: Proofs = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(proofs.cases.len() > 20);
    for (number, case) in (1..).zip(&proofs.cases) {
        // The cases share a few stacks: give each case its own.
        let mut frames = Vec::new();
        for (index, recorded) in (0..).zip(&case.events) {
            let mut event = recorded.decode();
            match &mut event {
                ContractEvent::StackTrySettle(event) => event.stack_small_id = stack(number),
                ContractEvent::NewStackSettlementAttestation(event) => {
                    event.stack_small_id = stack(number);
                }
                ContractEvent::StackSettlementTicket(event) => event.stack_small_id = stack(number),
                ContractEvent::StackAttestationDispute(event) => {
                    event.stack_small_id = stack(number);
                }
                other => panic!("unexpected {other:?}"),
            }
            let mut frame = frame(number, index, vec![event]);
            frame.transaction.as_mut().unwrap().epoch = Epoch::new(case.epoch);
            frames.push(frame);
        }
        store.apply(&frames, operator()).await.unwrap();
        let ticket = settlement(&store, number).await;
        let ids = |nodes: &[atoma_domain::NodeSmallId]| -> Vec<u64> {
            nodes.iter().map(|node| node.get()).collect()
        };
        let name = &case.case;
        let requested = ids(&ticket.requested_attestation_nodes);
        assert_eq!(requested, case.requested_attestation_nodes, "{name}");
        assert_eq!(
            ids(&ticket.attested_nodes),
            case.already_attested_nodes,
            "{name}"
        );
        assert_eq!(ticket.is_in_dispute, case.is_in_dispute, "{name}");
        assert_eq!(
            ticket.dispute_settled_at_epoch.get(),
            case.ticket_dispute_settled_at_epoch,
            "{name}"
        );
    }
}
