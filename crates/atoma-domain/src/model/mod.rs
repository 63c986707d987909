//! The mirrored state of the contract, and the daemon's own record of served work.

mod settlement;
mod stack;
mod task;
mod work;

pub use settlement::{AttestationStatus, Dispute, Settlement, SettlementInputs};
pub use stack::{OperatorNode, Stack};
pub use task::{Subscription, Task};
pub use work::{NewMessage, ReservationId, WorkRecord, WorkSummary};
