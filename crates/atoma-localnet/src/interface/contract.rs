//! The datatypes of `atoma::db`.

use super::datatype::Ability::{Copy, Drop, Key, Store};
use super::datatype::{Ability, Datatype};

const fn datatype(
    name: &'static str,
    abilities: &'static [Ability],
    fields: &'static [(&'static str, &'static str)],
) -> Datatype {
    Datatype {
        module: "db",
        name,
        abilities,
        type_parameters: &[],
        fields,
    }
}

const fn event(name: &'static str, fields: &'static [(&'static str, &'static str)]) -> Datatype {
    datatype(name, &[Copy, Drop], fields)
}

/// Structs, then events.
pub(super) const DATATYPES: &[Datatype] = &[
    datatype(
        "NodeBadge",
        &[Store, Key],
        &[
            ("id", "0x2::object::UID"),
            ("small_id", "atoma::db::NodeSmallId"),
        ],
    ),
    datatype(
        "TaskBadge",
        &[Store, Key],
        &[
            ("id", "0x2::object::UID"),
            ("small_id", "atoma::db::TaskSmallId"),
        ],
    ),
    datatype(
        "StackBadge",
        &[Store, Key],
        &[
            ("id", "0x2::object::UID"),
            ("small_id", "atoma::db::StackSmallId"),
        ],
    ),
    datatype(
        "AtomaManagerBadge",
        &[Store, Key],
        &[("id", "0x2::object::UID")],
    ),
    datatype(
        "AtomaDb",
        &[Key],
        &[
            ("id", "0x2::object::UID"),
            ("tickets", "0x2::object::UID"),
            ("next_node_small_id", "atoma::db::NodeSmallId"),
            ("next_task_small_id", "atoma::db::TaskSmallId"),
            ("next_stack_small_id", "atoma::db::StackSmallId"),
            (
                "nodes",
                "0x2::table::Table<atoma::db::NodeSmallId, atoma::db::NodeEntry>",
            ),
            (
                "models",
                "0x2::object_table::ObjectTable<0x1::ascii::String, atoma::db::ModelEntry>",
            ),
            (
                "tasks",
                "0x2::object_table::ObjectTable<atoma::db::TaskSmallId, atoma::db::Task>",
            ),
            (
                "stacks",
                "0x2::table::Table<atoma::db::StackSmallId, atoma::db::Stack>",
            ),
            (
                "stack_settlement_tickets",
                "0x2::object_table::ObjectTable<atoma::db::StackSmallId, atoma::db::StackSettlementTicket>",
            ),
            ("fee_treasury", "0x2::balance::Balance<usdc::usdc::USDC>"),
            (
                "communal_treasury",
                "0x2::balance::Balance<usdc::usdc::USDC>",
            ),
            ("cross_validation_probability_permille", "u64"),
            ("cross_validation_extra_nodes_count", "u64"),
            ("sampling_consensus_charge_permille", "u64"),
            ("cross_validation_extra_nodes_charge_permille", "u64"),
            ("key_rotation_counter", "u64"),
            ("nonce", "u64"),
            ("is_registration_disabled", "bool"),
            ("registration_collateral_in_protocol_token", "u64"),
            ("permille_to_slash_node_on_timeout", "u64"),
            ("permille_for_oracle_on_dispute", "u64"),
            ("permille_for_honest_nodes_on_dispute", "u64"),
        ],
    ),
    datatype("NodeSmallId", &[Copy, Drop, Store], &[("inner", "u64")]),
    datatype("TaskSmallId", &[Copy, Drop, Store], &[("inner", "u64")]),
    datatype("StackSmallId", &[Copy, Drop, Store], &[("inner", "u64")]),
    datatype("EchelonId", &[Copy, Drop, Store], &[("id", "u64")]),
    datatype("TaskRole", &[Copy, Drop, Store], &[("inner", "u16")]),
    datatype("SecurityLevel", &[Copy, Drop, Store], &[("inner", "u16")]),
    datatype(
        "Stack",
        &[Store],
        &[
            ("owner", "address"),
            ("price_per_one_million_compute_units", "u64"),
            ("num_compute_units", "u64"),
            ("selected_node_id", "atoma::db::NodeSmallId"),
            ("task_small_id", "atoma::db::TaskSmallId"),
            ("is_claimed", "bool"),
        ],
    ),
    datatype(
        "StackSettlementTicket",
        &[Store, Key],
        &[
            ("id", "0x2::object::UID"),
            ("stack_small_id", "atoma::db::StackSmallId"),
            ("selected_node_id", "atoma::db::NodeSmallId"),
            ("num_claimed_compute_units", "u64"),
            (
                "requested_attestation_nodes",
                "vector<atoma::db::NodeSmallId>",
            ),
            ("dispute_settled_at_epoch", "u64"),
            ("committed_stack_proof", "vector<u8>"),
            ("stack_merkle_leaves_vector", "vector<u8>"),
            ("already_attested_nodes", "vector<atoma::db::NodeSmallId>"),
            ("is_in_dispute", "bool"),
        ],
    ),
    datatype(
        "NodeEntry",
        &[Store],
        &[
            ("was_disabled_in_epoch", "0x1::option::Option<u64>"),
            ("collateral", "0x2::balance::Balance<usdc::usdc::USDC>"),
            ("last_fee_epoch", "u64"),
            ("last_fee_epoch_amount", "u64"),
            ("available_fee_amount", "u64"),
            ("reputation_score", "atoma::db::ReputationScore"),
            (
                "confidential_compute_last_rotation_counter",
                "0x1::option::Option<u64>",
            ),
            (
                "confidential_compute_last_updated_epoch",
                "0x1::option::Option<u64>",
            ),
            (
                "confidential_compute_public_key_commitment",
                "0x1::option::Option<vector<u8>>",
            ),
            ("confidential_compute_device_types", "vector<u16>"),
        ],
    ),
    datatype(
        "Task",
        &[Store, Key],
        &[
            ("id", "0x2::object::UID"),
            ("role", "atoma::db::TaskRole"),
            ("model_name", "0x1::option::Option<0x1::ascii::String>"),
            ("is_deprecated", "bool"),
            ("deprecated_at_epoch", "0x1::option::Option<u64>"),
            ("security_level", "atoma::db::SecurityLevel"),
            (
                "subscribed_nodes",
                "0x2::table::Table<atoma::db::NodeSmallId, atoma::db::NodePriceData>",
            ),
            (
                "subscribed_nodes_small_ids",
                "0x2::table_vec::TableVec<atoma::db::NodeSmallId>",
            ),
            ("minimum_reputation_score", "atoma::db::ReputationScore"),
            ("is_public", "bool"),
            ("whitelisted_nodes", "vector<atoma::db::NodeSmallId>"),
        ],
    ),
    datatype("ReputationScore", &[Copy, Drop, Store], &[("inner", "u8")]),
    datatype(
        "NodePriceData",
        &[Drop, Store],
        &[
            ("price_per_one_million_compute_units", "u64"),
            ("max_num_compute_units", "u64"),
        ],
    ),
    datatype(
        "ModelEntry",
        &[Store, Key],
        &[
            ("id", "0x2::object::UID"),
            ("name", "0x1::ascii::String"),
            ("modality", "u64"),
            ("is_disabled", "bool"),
            ("echelons", "vector<atoma::db::ModelEchelon>"),
        ],
    ),
    datatype(
        "ModelEchelon",
        &[Store],
        &[
            ("id", "atoma::db::EchelonId"),
            ("settlement_timeout_ms", "u64"),
            ("input_fee_per_token", "u64"),
            ("output_fee_per_token", "u64"),
            ("relative_performance", "u64"),
            ("oracles", "vector<atoma::db::NodeSmallId>"),
            ("nodes", "0x2::table_vec::TableVec<atoma::db::NodeSmallId>"),
        ],
    ),
    event(
        "PublishedEvent",
        &[
            ("db", "0x2::object::ID"),
            ("manager_badge", "0x2::object::ID"),
        ],
    ),
    event(
        "NodeRegisteredEvent",
        &[
            ("badge_id", "0x2::object::ID"),
            ("node_small_id", "atoma::db::NodeSmallId"),
        ],
    ),
    event(
        "NewKeyRotationEvent",
        &[
            ("key_rotation_counter", "u64"),
            ("epoch", "u64"),
            ("nonce", "u64"),
        ],
    ),
    event(
        "NodePublicKeyCommittmentEvent",
        &[
            ("epoch", "u64"),
            ("key_rotation_counter", "u64"),
            ("node_id", "atoma::db::NodeSmallId"),
            ("new_public_key", "vector<u8>"),
            ("device_type", "u16"),
            ("evidence_bytes", "vector<u8>"),
        ],
    ),
    event(
        "NodeSubscribedToModelEvent",
        &[
            ("node_small_id", "atoma::db::NodeSmallId"),
            ("model_name", "0x1::ascii::String"),
            ("echelon_id", "atoma::db::EchelonId"),
        ],
    ),
    event(
        "NodeSubscribedToTaskEvent",
        &[
            ("task_small_id", "atoma::db::TaskSmallId"),
            ("node_small_id", "atoma::db::NodeSmallId"),
            ("price_per_one_million_compute_units", "u64"),
            ("max_num_compute_units", "u64"),
        ],
    ),
    event(
        "NodeSubscriptionUpdatedEvent",
        &[
            ("node_small_id", "atoma::db::NodeSmallId"),
            ("task_small_id", "atoma::db::TaskSmallId"),
            ("price_per_one_million_compute_units", "u64"),
            ("max_num_compute_units", "u64"),
        ],
    ),
    event(
        "NodeUnsubscribedFromTaskEvent",
        &[
            ("task_small_id", "atoma::db::TaskSmallId"),
            ("node_small_id", "atoma::db::NodeSmallId"),
        ],
    ),
    event(
        "TaskRegisteredEvent",
        &[
            ("task_id", "0x2::object::ID"),
            ("task_small_id", "atoma::db::TaskSmallId"),
            ("role", "atoma::db::TaskRole"),
            ("model_name", "0x1::option::Option<0x1::ascii::String>"),
            ("security_level", "atoma::db::SecurityLevel"),
            ("minimum_reputation_score", "0x1::option::Option<u8>"),
        ],
    ),
    event(
        "TaskDeprecationEvent",
        &[
            ("task_id", "0x2::object::ID"),
            ("task_small_id", "atoma::db::TaskSmallId"),
            ("epoch", "u64"),
        ],
    ),
    event(
        "TaskRemovedEvent",
        &[
            ("task_id", "0x2::object::ID"),
            ("task_small_id", "atoma::db::TaskSmallId"),
            ("removed_at_epoch", "u64"),
        ],
    ),
    event(
        "StackCreatedEvent",
        &[
            ("stack_id", "0x2::object::ID"),
            ("stack_small_id", "atoma::db::StackSmallId"),
            ("owner", "address"),
            ("task_small_id", "atoma::db::TaskSmallId"),
            ("selected_node_id", "atoma::db::NodeSmallId"),
            ("num_compute_units", "u64"),
            ("price_per_one_million_compute_units", "u64"),
        ],
    ),
    event(
        "StackTrySettleEvent",
        &[
            ("stack_small_id", "atoma::db::StackSmallId"),
            ("selected_node_id", "atoma::db::NodeSmallId"),
            (
                "requested_attestation_nodes",
                "vector<atoma::db::NodeSmallId>",
            ),
            ("committed_stack_proof", "vector<u8>"),
            ("stack_merkle_leaf", "vector<u8>"),
            ("num_claimed_compute_units", "u64"),
        ],
    ),
    event(
        "NewStackSettlementAttestationEvent",
        &[
            ("stack_small_id", "atoma::db::StackSmallId"),
            ("attestation_node_id", "atoma::db::NodeSmallId"),
            ("committed_stack_proof", "vector<u8>"),
            ("stack_merkle_leaf", "vector<u8>"),
        ],
    ),
    event(
        "StackSettlementTicketEvent",
        &[
            ("stack_small_id", "atoma::db::StackSmallId"),
            ("selected_node_id", "atoma::db::NodeSmallId"),
            ("num_claimed_compute_units", "u64"),
            (
                "requested_attestation_nodes",
                "vector<atoma::db::NodeSmallId>",
            ),
            ("dispute_settled_at_epoch", "u64"),
            ("committed_stack_proof", "vector<u8>"),
        ],
    ),
    event(
        "StackSettlementTicketClaimedEvent",
        &[
            ("stack_small_id", "atoma::db::StackSmallId"),
            ("selected_node_id", "atoma::db::NodeSmallId"),
            ("attestation_nodes", "vector<atoma::db::NodeSmallId>"),
            ("num_claimed_compute_units", "u64"),
            ("user_refund_amount", "u64"),
        ],
    ),
    event(
        "StackAttestationDisputeEvent",
        &[
            ("stack_small_id", "atoma::db::StackSmallId"),
            ("attestation_commitment", "vector<u8>"),
            ("attestation_node_id", "atoma::db::NodeSmallId"),
            ("original_node_id", "atoma::db::NodeSmallId"),
            ("original_commitment", "vector<u8>"),
        ],
    ),
    event(
        "ClaimedStackEvent",
        &[
            ("stack_small_id", "atoma::db::StackSmallId"),
            ("selected_node_id", "atoma::db::NodeSmallId"),
            ("num_claimed_compute_units", "u64"),
            ("user_refund_amount", "u64"),
        ],
    ),
];
