//! The mirrored state of the contract, and the daemon's own record of served work.

mod due_attestation;
mod figures;
mod fill;
mod node_key;
mod reservation;
mod settlement;
mod stack;
mod task;
mod work;

pub use due_attestation::{DueAttestation, DueNode, attests_from, missing_attesters};
pub use figures::{NodeFigures, StackPhase, StackSums, StoreFigures, Worth};
pub use fill::Fill;
pub use node_key::{DEVICE_TYPES_END, NodeKey};
pub use reservation::{
    Holder, Lease, LeaseError, MessageId, NewReservation, Reservation, ReservationChange,
    StackChoice, TagError,
};
pub use settlement::{AttestationStatus, Dispute, Settlement, SettlementInputs};
pub use stack::{OperatorNode, Stack, UnitsOnLease};
pub use task::{Subscription, Task};
pub use work::{MessageWarning, NewMessage, RecordedMessage, WorkRecord};
