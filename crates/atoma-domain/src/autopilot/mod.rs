//! What an operator's nodes have to do, and when: attest, settle, claim and withdraw, decided without I/O.
//!
//! [`attestation_duties`] and [`stack_duty`] look at one settlement or stack, [`withdrawal_duties`] at what the contract owes
//! each node, and [`weigh`] at what is due together: whether it
//! is worth its gas. Each duty says why it is due, what it waits for, or what stands in its way.
//! [`reason_to_pause`] is the watch over what happens meanwhile.

mod attest;
mod circumstances;
mod claim;
mod duty;
mod moment;
mod pause;
mod policy;
mod settle;
mod unpaid_stack;
mod weigh;
mod withdraw;

pub use attest::attestation_duties;
pub use circumstances::{Circumstances, DailyCap, GasEstimates};
pub use duty::{Duty, DutyKind, Obstacle, Standing, WaitsFor, Why};
pub use moment::{EpochWindow, Moment};
pub use pause::{AutopilotState, Pause, PauseReason, PauseScope, Watched, reason_to_pause};
pub use policy::{
    AttestPolicy, AutopilotPolicy, ClaimPolicy, DutyPolicies, GasPolicy, SettlePolicy, WatchPolicy,
};
pub use settle::stack_duty;
pub use unpaid_stack::{UnpaidStack, UnpaidTicket};
pub use weigh::weigh;
pub use withdraw::withdrawal_duties;

#[cfg(test)]
mod tests;
