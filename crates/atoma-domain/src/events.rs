//! The 18 events of the Move module `atoma::db`, with their fields in the order of the BCS layout.
//!
//! The comments say what an event means for the daemon's state, and where a name of the contract is
//! misleading. Source: the published contract (revision of April 2025).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Address, ComputeUnits, EchelonId, Epoch, HexBytes, MicroUsdc, NodeSmallId, ObjectId,
    PricePerMillion, SecurityLevel, StackSmallId, TaskRole, TaskSmallId,
};

/// Why bytes can't be decoded as an event.
#[derive(Debug, Error)]
pub enum EventError {
    /// The contract has no event of that name. It may be a newer contract, or another module.
    #[error("unknown event `{0}`")]
    Unknown(String),
    /// The bytes don't have the event's layout.
    #[error("malformed {name}")]
    Malformed {
        /// The event's name.
        name: &'static str,
        /// The error of BCS.
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
            /// The names of all events: the last part of their Move types.
            pub const NAMES: &'static [&'static str] = &[$($event_name),*];

            /// Decodes an event of the Move type `…::db::name` from its BCS contents.
            ///
            /// # Errors
            /// When the name is unknown, or when the bytes are not exactly one such event.
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
            /// When a field exceeds the limit of BCS (2³¹ bytes).
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
    /// A node was registered. The transaction's sender received its badge.
    NodeRegistered as "NodeRegisteredEvent" {
        /// The badge object.
        badge_id: ObjectId,
        /// The new node.
        node_small_id: NodeSmallId,
    }
    /// The manager requested new keys from all confidential nodes.
    NewKeyRotation as "NewKeyRotationEvent" {
        /// The number of the rotation.
        key_rotation_counter: u64,
        /// The epoch of the event.
        epoch: Epoch,
        /// A random number with which new keys prove that they are fresh.
        nonce: u64,
    }
    /// A confidential node committed to a public key. The misspelt name is the contract's.
    NodePublicKeyCommitment as "NodePublicKeyCommittmentEvent" {
        /// The epoch of the event.
        epoch: Epoch,
        /// The rotation.
        key_rotation_counter: u64,
        /// The node.
        node_id: NodeSmallId,
        /// The key.
        new_public_key: HexBytes,
        /// The kind of trusted hardware.
        device_type: u16,
        /// The remote attestation.
        evidence_bytes: HexBytes,
    }
    /// A node subscribed to a model.
    NodeSubscribedToModel as "NodeSubscribedToModelEvent" {
        /// The node.
        node_small_id: NodeSmallId,
        /// The model.
        model_name: String,
        /// The echelon.
        echelon_id: EchelonId,
    }
    /// A node subscribed to a task.
    NodeSubscribedToTask as "NodeSubscribedToTaskEvent" {
        /// The task.
        task_small_id: TaskSmallId,
        /// The node.
        node_small_id: NodeSmallId,
        /// The price.
        price_per_one_million_compute_units: PricePerMillion,
        /// The largest stack that it accepts. The contract fixes it at 1,000,000.
        max_num_compute_units: ComputeUnits,
    }
    /// A node changed its subscription.
    NodeSubscriptionUpdated as "NodeSubscriptionUpdatedEvent" {
        /// The node.
        node_small_id: NodeSmallId,
        /// The task.
        task_small_id: TaskSmallId,
        /// The new price.
        price_per_one_million_compute_units: PricePerMillion,
        /// The largest stack that it accepts.
        max_num_compute_units: ComputeUnits,
    }
    /// A node unsubscribed from a task.
    NodeUnsubscribedFromTask as "NodeUnsubscribedFromTaskEvent" {
        /// The task.
        task_small_id: TaskSmallId,
        /// The node.
        node_small_id: NodeSmallId,
    }
    /// A task was created.
    TaskRegistered as "TaskRegisteredEvent" {
        /// The id of the *task badge*. [`TaskDeprecation`] and [`TaskRemoved`] have the id of the task
        /// object instead, so join on the small id.
        task_id: ObjectId,
        /// The new task.
        task_small_id: TaskSmallId,
        /// The kind of work.
        role: TaskRole,
        /// The model, if it names one.
        model_name: Option<String>,
        /// How its work is verified.
        security_level: SecurityLevel,
        /// The reputation that a node needs to subscribe.
        minimum_reputation_score: Option<u8>,
    }
    /// A task accepts no more subscriptions. Its stacks can still be bought.
    TaskDeprecation as "TaskDeprecationEvent" {
        /// The task object's id.
        task_id: ObjectId,
        /// The task.
        task_small_id: TaskSmallId,
        /// The epoch of the event.
        epoch: Epoch,
    }
    /// A task's creator removed it. Its stacks can no longer be settled or claimed.
    TaskRemoved as "TaskRemovedEvent" {
        /// The task object's id.
        task_id: ObjectId,
        /// The task.
        task_small_id: TaskSmallId,
        /// The epoch of the event.
        removed_at_epoch: Epoch,
    }
    /// A stack was bought.
    StackCreated as "StackCreatedEvent" {
        /// The stack badge's id.
        stack_id: ObjectId,
        /// The new stack.
        stack_small_id: StackSmallId,
        /// The buyer.
        owner: Address,
        /// The task.
        task_small_id: TaskSmallId,
        /// The node that serves it.
        selected_node_id: NodeSmallId,
        /// The units bought.
        num_compute_units: ComputeUnits,
        /// The price.
        price_per_one_million_compute_units: PricePerMillion,
    }
    /// The selected node submitted the settlement, which creates the settlement ticket.
    StackTrySettle as "StackTrySettleEvent" {
        /// The stack.
        stack_small_id: StackSmallId,
        /// The node that settles.
        selected_node_id: NodeSmallId,
        /// The nodes drawn to attest, in order. A node can occur twice.
        requested_attestation_nodes: Vec<NodeSmallId>,
        /// The commitment over all leaves.
        committed_stack_proof: HexBytes,
        /// The settling node's own leaf.
        stack_merkle_leaf: HexBytes,
        /// The units that it claims.
        num_claimed_compute_units: ComputeUnits,
    }
    /// A drawn node attested the settlement and agreed with it.
    NewStackSettlementAttestation as "NewStackSettlementAttestationEvent" {
        /// The stack.
        stack_small_id: StackSmallId,
        /// The node that attested.
        attestation_node_id: NodeSmallId,
        /// The commitment that it agreed with.
        committed_stack_proof: HexBytes,
        /// Its own leaf.
        stack_merkle_leaf: HexBytes,
    }
    /// All requested attestations have arrived, and they agree.
    StackSettlementTicket as "StackSettlementTicketEvent" {
        /// The stack.
        stack_small_id: StackSmallId,
        /// The node that settled it.
        selected_node_id: NodeSmallId,
        /// The units that it claims.
        num_claimed_compute_units: ComputeUnits,
        /// The nodes drawn to attest.
        requested_attestation_nodes: Vec<NodeSmallId>,
        /// The epoch of the *last attestation*, unlike the ticket's field of the same name.
        dispute_settled_at_epoch: Epoch,
        /// The commitment.
        committed_stack_proof: HexBytes,
    }
    /// A settled stack was claimed. All nodes were paid; the ticket and the stack were deleted.
    StackSettlementTicketClaimed as "StackSettlementTicketClaimedEvent" {
        /// The stack.
        stack_small_id: StackSmallId,
        /// The node that was paid.
        selected_node_id: NodeSmallId,
        /// The nodes that had been drawn to attest.
        attestation_nodes: Vec<NodeSmallId>,
        /// The units claimed.
        num_claimed_compute_units: ComputeUnits,
        /// The refund to the buyer.
        user_refund_amount: MicroUsdc,
    }
    /// A dispute was opened, which freezes the ticket's funds; in this revision permanently. An
    /// attestation that opens a dispute emits only this event.
    StackAttestationDispute as "StackAttestationDisputeEvent" {
        /// The stack.
        stack_small_id: StackSmallId,
        /// The plaintiff's commitment; the contract accepts any bytes.
        attestation_commitment: HexBytes,
        /// The plaintiff: the owner of any badge, drawn or not.
        attestation_node_id: NodeSmallId,
        /// The defendant: the stack's selected node.
        original_node_id: NodeSmallId,
        /// The ticket's commitment.
        original_commitment: HexBytes,
    }
    /// A confidential stack was paid. It stays on chain, marked as claimed.
    ClaimedStack as "ClaimedStackEvent" {
        /// The stack.
        stack_small_id: StackSmallId,
        /// The node that was paid.
        selected_node_id: NodeSmallId,
        /// The units claimed.
        num_claimed_compute_units: ComputeUnits,
        /// The refund to the buyer.
        user_refund_amount: MicroUsdc,
    }
}
