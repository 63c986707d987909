use std::collections::BTreeMap;

use atoma_domain::contract::ContractParameters;
use atoma_domain::model::{NodeKey, WorkRecord};
use atoma_domain::ports::EpochInfo;
use atoma_domain::settlement::StackAccumulator;
use atoma_domain::{Epoch, HexBytes, IntentId, MicroUsdc, Mist, Permille};

use super::*;
use crate::engine::testing::settle;

const STACK: StackSmallId = StackSmallId::new(1);
/// How many nodes can be drawn.
const EXTRA_NODES: usize = 3;

fn record(message: u8) -> WorkRecord {
    let mut accumulator = StackAccumulator::default();
    accumulator.append(Hash32::new([message; 32])).unwrap();
    WorkRecord {
        stack_small_id: STACK,
        node_small_id: NodeSmallId::new(1),
        accumulator,
        computed_units: ComputeUnits::new(5),
        is_frozen: true,
    }
}

/// A view with the ticket of a stack, for whose settlement `drawable` nodes could be drawn and
/// `drawn` were.
fn view(drawable: u64, drawn: &[u64]) -> ContractView {
    let root = record(1).accumulator.root().unwrap();
    let extra_nodes = u64::try_from(EXTRA_NODES).unwrap();
    let proof = SettlementProof::of_selected_node(&root, extra_nodes, drawable).unwrap();
    let ticket = TicketOnChain {
        stack_small_id: STACK,
        selected_node_id: NodeSmallId::new(9),
        num_claimed_compute_units: ComputeUnits::new(5),
        requested_attestation_nodes: drawn.iter().copied().map(NodeSmallId::new).collect(),
        dispute_settled_at_epoch: Epoch::new(4),
        committed_stack_proof: HexBytes(proof.commitment.as_bytes().to_vec()),
        stack_merkle_leaves: HexBytes(vec![0; 32 * (1 + EXTRA_NODES)]),
        already_attested_nodes: Vec::new(),
        is_in_dispute: false,
    };
    ContractView {
        epoch: EpochInfo {
            epoch: Epoch::new(3),
            reference_gas_price: Mist::new(1),
            starts_at: None,
            ends_at: None,
        },
        parameters: ContractParameters {
            cross_validation_probability: Permille::new(1),
            cross_validation_extra_nodes_count: extra_nodes,
            sampling_consensus_charge: Permille::new(1),
            cross_validation_extra_nodes_charge: Permille::new(1),
            key_rotation_counter: 0,
            is_registration_disabled: false,
            fee_treasury: MicroUsdc::ZERO,
        },
        badge: None,
        stacks: BTreeMap::new(),
        tickets: BTreeMap::from([(STACK, ticket)]),
        subscribers: None,
        node_key: None,
        shares: BTreeMap::new(),
    }
}

#[test]
fn a_confidential_claim_takes_the_recorded_units_unless_it_names_some() {
    let claimed = |asked: Option<u64>, computed: Option<u64>| {
        let action = Action::ClaimConfidentialStack {
            stack_small_id: STACK,
            num_claimed_compute_units: asked.map(ComputeUnits::new),
        };
        let intent = Intent {
            action,
            ..settle(1)
        };
        let local = LocalInputs::Computed(computed.map(ComputeUnits::new));
        call(&intent, &local, &view(0, &[]))
    };
    let units = |units| {
        Ok(ContractCall::ClaimFundsForStacks {
            stacks: vec![(STACK, ComputeUnits::new(units))],
        })
    };
    assert_eq!(claimed(None, Some(5)), units(5));
    assert_eq!(claimed(Some(3), Some(5)), units(3));
    assert_eq!(claimed(Some(3), None), units(3));
    // Claiming nothing would give everything back to the buyer.
    let nothing = Failure::StackHasNoMessages {
        stack_small_id: STACK,
    };
    for (asked, computed) in [(None, None), (None, Some(0)), (Some(0), Some(5))] {
        assert_eq!(
            claimed(asked, computed),
            Err(CallError::Final(nothing.clone()))
        );
    }
}

fn to_dispute() -> Intent {
    let action = Action::StartDispute {
        stack_small_id: STACK,
    };
    Intent {
        id: IntentId::new(1),
        action,
        ..settle(1)
    }
}

fn disputed(view: &ContractView, message: u8) -> Result<ContractCall, CallError> {
    let local = LocalInputs::Record(Some(record(message)));
    call(&to_dispute(), &local, view)
}

#[test]
fn an_honest_ticket_is_not_disputed_whatever_the_draw() {
    for drawable in 0..=3 {
        // The draw is a matter of chance: it may name nobody, whoever could have been.
        let nobody = disputed(&view(drawable, &[]), 1);
        assert!(
            matches!(
                nobody,
                Err(CallError::Final(Failure::NothingToDispute { .. }))
            ),
            "{drawable}: {nobody:?}"
        );
    }
    let drawn = disputed(&view(2, &[4, 5]), 1);
    assert!(matches!(
        drawn,
        Err(CallError::Final(Failure::NothingToDispute { .. }))
    ));
}

#[test]
fn a_ticket_for_other_work_is_disputed_with_our_own_commitment() {
    let own = record(2).accumulator.root().unwrap();
    for drawn in [&[][..], &[4, 5]] {
        let Ok(ContractCall::StartDispute { stack, commitment }) = disputed(&view(2, drawn), 2)
        else {
            panic!("it was made for another root");
        };
        let places = if drawn.is_empty() { 3 } else { 2 };
        let expected = SettlementProof::of_selected_node(&own, 3, places).unwrap();
        assert_eq!((stack, commitment), (STACK, expected.commitment));
    }
}

#[test]
fn a_ticket_whose_draw_and_commitment_disagree_is_disputed() {
    assert!(disputed(&view(3, &[4, 5]), 1).is_ok());
}

#[test]
fn what_a_lagging_node_lacks_is_doubted() {
    let mut without = view(2, &[4]);
    without.tickets.clear();
    let not_settled = disputed(&without, 1).unwrap_err();
    assert!(matches!(
        not_settled,
        CallError::Doubtful(Failure::NotSettled { .. })
    ));
    let honest = disputed(&view(2, &[4, 5]), 1).unwrap_err();
    assert!(matches!(honest, CallError::Final(_)));
}

#[test]
fn shares_are_withdrawn_if_there_are_some() {
    let withdrawal = |shares: &[(u64, u64)]| {
        let intent = Intent {
            action: Action::WithdrawFees {},
            ..settle(1)
        };
        let mut view = view(0, &[]);
        let shares = shares.iter();
        view.shares = shares
            .map(|(node, shares)| (NodeSmallId::new(*node), MicroUsdc::new(*shares)))
            .collect();
        call(&intent, &LocalInputs::Nothing, &view)
    };
    assert_eq!(withdrawal(&[(1, 1)]), Ok(ContractCall::WithdrawFees));
    let node_small_id = NodeSmallId::new(1);
    let nothing = Err(CallError::Doubtful(Failure::NothingToWithdraw {
        node_small_id,
    }));
    let none: &[(u64, u64)] = &[];
    for shares in [none, &[(1, 0)], &[(2, 7)]] {
        assert_eq!(withdrawal(shares), nothing);
    }
}

#[test]
fn a_key_is_committed_to_once_by_each_device_in_the_current_rotation() {
    type Known = Option<(u64, u16)>;
    let commitment = |asked: Option<u64>, current: u64, mirrored: Known, on_chain: Known| {
        let action = Action::RotateNodeKey {
            public_key_commitment: HexBytes(vec![1]),
            evidence: HexBytes(vec![2]),
            device_type: 300,
            key_rotation_counter: asked,
        };
        let intent = Intent {
            action,
            ..settle(1)
        };
        let key = |(counter, device)| NodeKey {
            node_small_id: NodeSmallId::new(1),
            public_key_commitment: HexBytes(vec![9]),
            key_rotation_counter: counter,
            updated_at_epoch: Epoch::new(1),
            device_types: vec![7, device],
        };
        let local = LocalInputs::Key(mirrored.map(key));
        let mut view = view(0, &[]);
        view.node_key = on_chain.map(key);
        view.parameters.key_rotation_counter = current;
        call(&intent, &local, &view)
    };
    let made = |key_rotation_counter| {
        Ok(ContractCall::RotateNodePublicKey {
            commitment: HexBytes(vec![1]),
            evidence: HexBytes(vec![2]),
            key_rotation_counter,
            device_type: 300,
        })
    };
    assert_eq!(commitment(None, 0, None, None), made(0));
    let last = commitment(Some(u64::MAX), u64::MAX, None, None);
    assert_eq!(last, made(u64::MAX));
    // Of an earlier rotation, and of another device.
    for known in [Some((4, 300)), Some((5, 301))] {
        assert_eq!(commitment(None, 5, known, known), made(5));
        assert_eq!(commitment(Some(5), 5, known, None), made(5));
        assert_eq!(commitment(Some(5), 5, None, known), made(5));
    }
    for asked in [None, Some(5)] {
        let done = Failure::KeyAlreadyRotated {
            node_small_id: NodeSmallId::new(1),
            device_type: 300,
            key_rotation_counter: 5,
        };
        let known = Some((5, 300));
        for mirrored in [None, Some((4, 300)), known] {
            let refused = Err(CallError::Final(done.clone()));
            assert_eq!(commitment(asked, 5, mirrored, known), refused);
        }
        // The Sui node may not know it yet.
        let doubted = Err(CallError::Doubtful(done));
        assert_eq!(commitment(asked, 5, known, None), doubted);
    }
    let other = |key_rotation_counter| Failure::NotTheKeyRotation {
        key_rotation_counter,
        current_key_rotation_counter: 5,
    };
    assert_eq!(
        commitment(Some(4), 5, None, None),
        Err(CallError::Final(other(4)))
    );
    // The Sui node may not know it yet.
    assert_eq!(
        commitment(Some(6), 5, None, None),
        Err(CallError::Doubtful(other(6)))
    );
}
