//! The 18 events of the Move module `atoma::db`, fields in the order of their BCS layout.
//!
//! What an event means for the daemon's state stands beside it; where the contract's naming
//! misleads, too. Source: the published contract (revision of April 2025).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Address, ComputeUnits, EchelonId, Epoch, HexBytes, MicroUsdc, NodeSmallId, ObjectId,
    PricePerMillion, SecurityLevel, StackSmallId, TaskRole, TaskSmallId,
};

/// Bytes that are no event of the given name.
#[derive(Debug, Error)]
pub enum EventError {
    /// The contract emits no event of that name: a newer contract, or another module.
    #[error("unknown event `{0}`")]
    Unknown(String),
    /// The bytes don't have the event's layout.
    #[error("malformed {name}")]
    Malformed {
        /// The event's name.
        name: &'static str,
        /// What BCS found.
        #[source]
        source: bcs::Error,
    },
}

macro_rules! events {
    ($(
        $(#[$doc:meta])*
        $name:ident as $event_name:literal {
            $( $(#[$field_doc:meta])* $field:ident: $type:ty, )*
        }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $name {
                $( $(#[$field_doc])* pub $field: $type, )*
            }

            impl From<$name> for ContractEvent {
                fn from(event: $name) -> Self {
                    Self::$name(event)
                }
            }
        )*

        /// Any event of the contract.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum ContractEvent {
            $( $(#[$doc])* $name($name), )*
        }

        impl ContractEvent {
            /// The names of all events, as in the last part of their Move type.
            pub const NAMES: &'static [&'static str] = &[$($event_name),*];

            /// Reads an event of the Move type `…::db::name` from its BCS contents.
            ///
            /// # Errors
            /// When the name is unknown, or the bytes are not exactly one such event.
            pub fn decode(name: &str, contents: &[u8]) -> Result<Self, EventError> {
                match name {
                    $( $event_name => bcs::from_bytes(contents).map(Self::$name).map_err(
                        |source| EventError::Malformed { name: $event_name, source },
                    ), )*
                    other => Err(EventError::Unknown(other.to_owned())),
                }
            }

            /// The event's BCS contents.
            ///
            /// # Errors
            /// When a field is longer than BCS allows (2³¹ bytes).
            pub fn encode(&self) -> Result<Vec<u8>, bcs::Error> {
                match self {
                    $( Self::$name(event) => bcs::to_bytes(event), )*
                }
            }

            /// The name of the event's Move struct.
            pub const fn name(&self) -> &'static str {
                match self {
                    $( Self::$name(_) => $event_name, )*
                }
            }
        }
    };
}

events! {
    /// The contract was published.
    Published as "PublishedEvent" {
        /// The `AtomaDb` object.
        db: ObjectId,
        /// The first manager badge.
        manager_badge: ObjectId,
    }
    /// A node was registered; its badge went to the transaction's sender.
    NodeRegistered as "NodeRegisteredEvent" {
        /// The badge object.
        badge_id: ObjectId,
        /// The new node.
        node_small_id: NodeSmallId,
    }
    /// The manager asked all confidential nodes for new keys.
    NewKeyRotation as "NewKeyRotationEvent" {
        /// The rotation's number.
        key_rotation_counter: u64,
        /// When.
        epoch: Epoch,
        /// Random number to be proved fresh against.
        nonce: u64,
    }
    /// A confidential node committed to a public key. (The contract's name has the typing error.)
    NodePublicKeyCommitment as "NodePublicKeyCommittmentEvent" {
        /// When.
        epoch: Epoch,
        /// For which rotation.
        key_rotation_counter: u64,
        /// Which node.
        node_id: NodeSmallId,
        /// The key committed to.
        new_public_key: HexBytes,
        /// The kind of trusted hardware.
        device_type: u16,
        /// The remote attestation.
        evidence_bytes: HexBytes,
    }
    /// A node offers a model.
    NodeSubscribedToModel as "NodeSubscribedToModelEvent" {
        /// Which node.
        node_small_id: NodeSmallId,
        /// Which model.
        model_name: String,
        /// In which echelon.
        echelon_id: EchelonId,
    }
    /// A node offers to serve a task.
    NodeSubscribedToTask as "NodeSubscribedToTaskEvent" {
        /// Which task.
        task_small_id: TaskSmallId,
        /// Which node.
        node_small_id: NodeSmallId,
        /// At what price.
        price_per_one_million_compute_units: PricePerMillion,
        /// The largest stack it takes; the contract fixes it at 1,000,000.
        max_num_compute_units: ComputeUnits,
    }
    /// A node changed its offer.
    NodeSubscriptionUpdated as "NodeSubscriptionUpdatedEvent" {
        /// Which node.
        node_small_id: NodeSmallId,
        /// Which task.
        task_small_id: TaskSmallId,
        /// The new price.
        price_per_one_million_compute_units: PricePerMillion,
        /// The largest stack it takes.
        max_num_compute_units: ComputeUnits,
    }
    /// A node withdrew its offer.
    NodeUnsubscribedFromTask as "NodeUnsubscribedFromTaskEvent" {
        /// Which task.
        task_small_id: TaskSmallId,
        /// Which node.
        node_small_id: NodeSmallId,
    }
    /// A task was created.
    TaskRegistered as "TaskRegisteredEvent" {
        /// The id of the *task badge*; [`TaskDeprecation`] and [`TaskRemoved`] carry the task
        /// object's id instead, so join on the small id.
        task_id: ObjectId,
        /// The new task.
        task_small_id: TaskSmallId,
        /// What it serves.
        role: TaskRole,
        /// The model, where one is named.
        model_name: Option<String>,
        /// How its work is checked.
        security_level: SecurityLevel,
        /// The reputation a node needs to subscribe.
        minimum_reputation_score: Option<u8>,
    }
    /// A task takes no more subscriptions; stacks of it can still be bought.
    TaskDeprecation as "TaskDeprecationEvent" {
        /// The task object's id.
        task_id: ObjectId,
        /// Which task.
        task_small_id: TaskSmallId,
        /// When.
        epoch: Epoch,
    }
    /// A task was removed by its creator; its stacks can no longer be settled or claimed.
    TaskRemoved as "TaskRemovedEvent" {
        /// The task object's id.
        task_id: ObjectId,
        /// Which task.
        task_small_id: TaskSmallId,
        /// When.
        removed_at_epoch: Epoch,
    }
    /// A stack was bought.
    StackCreated as "StackCreatedEvent" {
        /// The stack badge's id.
        stack_id: ObjectId,
        /// The new stack.
        stack_small_id: StackSmallId,
        /// Who paid.
        owner: Address,
        /// For which task.
        task_small_id: TaskSmallId,
        /// Who serves it.
        selected_node_id: NodeSmallId,
        /// How much was bought.
        num_compute_units: ComputeUnits,
        /// At what price.
        price_per_one_million_compute_units: PricePerMillion,
    }
    /// The selected node asked for settlement: the settlement ticket exists from here on.
    StackTrySettle as "StackTrySettleEvent" {
        /// Which stack.
        stack_small_id: StackSmallId,
        /// Who settles.
        selected_node_id: NodeSmallId,
        /// Who was drawn to attest, in order; a node can stand here twice.
        requested_attestation_nodes: Vec<NodeSmallId>,
        /// The commitment over all leaves.
        committed_stack_proof: HexBytes,
        /// The settling node's own leaf.
        stack_merkle_leaf: HexBytes,
        /// How much it claims.
        num_claimed_compute_units: ComputeUnits,
    }
    /// A drawn node attested and agreed.
    NewStackSettlementAttestation as "NewStackSettlementAttestationEvent" {
        /// Which stack.
        stack_small_id: StackSmallId,
        /// Who attested.
        attestation_node_id: NodeSmallId,
        /// The commitment it agreed with.
        committed_stack_proof: HexBytes,
        /// Its own leaf.
        stack_merkle_leaf: HexBytes,
    }
    /// As many attestations as requested have come, and they agree.
    StackSettlementTicket as "StackSettlementTicketEvent" {
        /// Which stack.
        stack_small_id: StackSmallId,
        /// Who settled it.
        selected_node_id: NodeSmallId,
        /// How much it claims.
        num_claimed_compute_units: ComputeUnits,
        /// Who was drawn.
        requested_attestation_nodes: Vec<NodeSmallId>,
        /// The epoch of the *last attestation*, not the ticket's own field of that name.
        dispute_settled_at_epoch: Epoch,
        /// The commitment.
        committed_stack_proof: HexBytes,
    }
    /// A settled stack was claimed: everyone was paid, ticket and stack are gone.
    StackSettlementTicketClaimed as "StackSettlementTicketClaimedEvent" {
        /// Which stack.
        stack_small_id: StackSmallId,
        /// Who was paid.
        selected_node_id: NodeSmallId,
        /// Who had been drawn to attest.
        attestation_nodes: Vec<NodeSmallId>,
        /// How much was claimed.
        num_claimed_compute_units: ComputeUnits,
        /// What the buyer got back.
        user_refund_amount: MicroUsdc,
    }
    /// A ticket went into dispute: its funds are frozen, for ever in this revision. An attestation
    /// that opens a dispute emits this event alone.
    StackAttestationDispute as "StackAttestationDisputeEvent" {
        /// Which stack.
        stack_small_id: StackSmallId,
        /// The commitment that the plaintiff holds against it; any bytes.
        attestation_commitment: HexBytes,
        /// The plaintiff: any badge holder, drawn or not.
        attestation_node_id: NodeSmallId,
        /// The defendant: the stack's selected node.
        original_node_id: NodeSmallId,
        /// The ticket's commitment.
        original_commitment: HexBytes,
    }
    /// A confidential stack was paid out; the stack stays on chain, marked claimed.
    ClaimedStack as "ClaimedStackEvent" {
        /// Which stack.
        stack_small_id: StackSmallId,
        /// Who was paid.
        selected_node_id: NodeSmallId,
        /// How much was claimed.
        num_claimed_compute_units: ComputeUnits,
        /// What the buyer got back.
        user_refund_amount: MicroUsdc,
    }
}
