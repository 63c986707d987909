//! The daemon's mirror of the contract's state, and its own record of served work.

mod settlement;
mod stack;
mod task;
mod work;

pub use settlement::{AttestationStatus, Dispute, Settlement, SettlementInputs};
pub use stack::{OperatorNode, Stack};
pub use task::{Subscription, Task};
pub use work::{NewMessage, ReservationId, WorkRecord, WorkSummary};
