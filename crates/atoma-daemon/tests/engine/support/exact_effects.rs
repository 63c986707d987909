//! Effects with every parameter: computed from an intent and the records of served work, and read
//! from the contract's events.

use std::collections::BTreeMap;

use atoma_domain::events::{ContractEvent, StackTrySettle};
use atoma_domain::journal::{Action, Intent};
use atoma_domain::model::WorkRecord;
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, StackSmallId};

use super::audit::{effect_in, effect_of};
use super::generation::Generation;

/// Every world here requires one attester, and has a node that can be drawn.
const ATTESTERS: usize = 1;

/// The settlements in a ledger, by stack.
pub(crate) type Settlements = BTreeMap<StackSmallId, StackTrySettle>;

/// The settlements among events.
pub(crate) fn settlements<'e>(events: impl Iterator<Item = &'e ContractEvent>) -> Settlements {
    let settled = |event: &ContractEvent| match event {
        ContractEvent::StackTrySettle(event) => Some((event.stack_small_id, event.clone())),
        _ => None,
    };
    events.filter_map(settled).collect()
}

/// The effect that an event shows, or `None` for an event that only accompanies another.
pub(crate) fn exact_effect_in(event: &ContractEvent) -> Option<String> {
    use ContractEvent as E;
    let effect = effect_in(event)?;
    let parameters = match event {
        E::NodeSubscribedToModel(e) => format!("echelon {}", e.echelon_id),
        E::NodePublicKeyCommitment(e) => format!("{} {}", e.new_public_key, e.evidence_bytes),
        E::StackTrySettle(e) => format!(
            "by {}, {} units, {} {}",
            e.selected_node_id,
            e.num_claimed_compute_units,
            e.committed_stack_proof,
            e.stack_merkle_leaf
        ),
        E::NewStackSettlementAttestation(e) => {
            format!("{} {}", e.committed_stack_proof, e.stack_merkle_leaf)
        }
        E::StackAttestationDispute(e) => {
            format!("by {}, {}", e.attestation_node_id, e.attestation_commitment)
        }
        E::StackSettlementTicketClaimed(e) => {
            claim(e.selected_node_id, e.num_claimed_compute_units)
        }
        E::ClaimedStack(e) => claim(e.selected_node_id, e.num_claimed_compute_units),
        _ => String::new(),
    };
    Some(format!("{effect}: {parameters}"))
}

fn claim(node: NodeSmallId, units: ComputeUnits) -> String {
    format!("by {node}, {units} units")
}

/// The effect that an intent asks for.
pub(crate) async fn exact_effect_of(
    generation: &Generation,
    intent: &Intent,
    settlements: &Settlements,
) -> String {
    let effect = effect_of(&intent.action, &intent.actor);
    let node = intent.actor.node().unwrap_or(NodeSmallId::new(0));
    let parameters = match &intent.action {
        Action::SubscribeToModel { echelon_id, .. } => format!("echelon {echelon_id}"),
        Action::RotateNodeKey {
            public_key_commitment,
            evidence,
            ..
        } => format!("{public_key_commitment} {evidence}"),
        Action::SettleStack {
            stack_small_id,
            num_claimed_compute_units,
        } => {
            let record = record(generation, *stack_small_id, node).await.unwrap();
            let units = num_claimed_compute_units.unwrap_or(record.computed_units);
            let extra = u64::try_from(ATTESTERS).unwrap();
            let proof = SettlementProof::of_selected_node(&root(&record), extra, extra).unwrap();
            let SettlementProof { commitment, leaf } = proof;
            format!("by {node}, {units} units, {commitment} {leaf}")
        }
        Action::AttestSettlement { stack_small_id, .. } => {
            let settlement = &settlements[stack_small_id];
            let SettlementProof { commitment, leaf } =
                own_proof(generation, settlement, node).await;
            format!("{commitment} {leaf}")
        }
        Action::StartDispute { stack_small_id } => {
            let settlement = &settlements[stack_small_id];
            let proof = own_proof(generation, settlement, node).await;
            format!("by {node}, {}", proof.commitment)
        }
        Action::ClaimStack { stack_small_id } => {
            let settlement = &settlements[stack_small_id];
            claim(node, settlement.num_claimed_compute_units)
        }
        Action::ClaimConfidentialStack {
            stack_small_id,
            num_claimed_compute_units,
        } => {
            let recorded = record(generation, *stack_small_id, node).await;
            let recorded = recorded.map(|record| record.computed_units);
            claim(node, num_claimed_compute_units.or(recorded).unwrap())
        }
        Action::WithdrawFees {} => return effect,
        _ => String::new(),
    };
    format!("{effect}: {parameters}")
}

/// The proof of the only attester, from its own record of the stack or else the selected node's.
async fn own_proof(
    generation: &Generation,
    settlement: &StackTrySettle,
    node: NodeSmallId,
) -> SettlementProof {
    let stack = settlement.stack_small_id;
    let own = record(generation, stack, node).await;
    let judged_by = match own {
        Some(own) => own,
        None => record(generation, stack, settlement.selected_node_id)
            .await
            .unwrap(),
    };
    let leaves_len = 32 * (1 + ATTESTERS);
    SettlementProof::of_attester(&root(&judged_by), leaves_len, ATTESTERS, 0).unwrap()
}

async fn record(
    generation: &Generation,
    stack: StackSmallId,
    node: NodeSmallId,
) -> Option<WorkRecord> {
    let work = &generation.ports.work;
    work.work_record(stack, node).await.unwrap()
}

fn root(record: &WorkRecord) -> Hash32 {
    record.accumulator.root().unwrap()
}

/// Checks that the tickets that still exist hold what the settlements' events showed.
pub(crate) fn tickets_agree(state: &serde_json::Value, settlements: &Settlements) {
    for (stack, settlement) in settlements {
        let ticket = &state["tickets"][stack.to_string()];
        if ticket.is_null() {
            continue;
        }
        let hex = |text: String| String::from(text.trim_start_matches("0x"));
        assert_eq!(
            ticket["num_claimed_compute_units"],
            settlement.num_claimed_compute_units.get(),
            "{stack}"
        );
        assert_eq!(
            ticket["committed_stack_proof"],
            hex(settlement.committed_stack_proof.to_string()),
            "{stack}"
        );
        let leaf = hex(settlement.stack_merkle_leaf.to_string());
        let leaves = ticket["stack_merkle_leaves_vector"].as_str().unwrap();
        assert_eq!(leaves.get(..64), Some(leaf.as_str()), "{stack}");
    }
}
