//! What the operator must look at, and when somebody is told of it.
//!
//! A [`Condition`] is something that is wrong now. [`next`] compares the conditions that were [observed](Observation) with the
//! [`Alarm`]s that are stored: which begin, go on and end, and which messages are due. An alarm that goes on is told
//! again after a while, one that somebody has acknowledged isn't, and conditions that come and go quickly are one alarm.
//! To add a rule, add an [`AlarmKind`].

mod alarm;
mod condition;
mod delivery;
mod kind;
mod next;

pub use alarm::{Alarm, AlarmEvent, AlarmState};
pub use condition::{AlarmKey, Condition, Observation, Observed, Subject};
pub use delivery::{
    Delivery, DeliveryEnd, GIVE_UP_AFTER, LONGEST_PAUSE, MOST_REFUSALS, MOST_WAITING, Notification,
    Receiver, retry_pause,
};
pub use kind::{AlarmKind, Severity};
pub use next::{AlarmChange, AlarmPolicy, acknowledged, next};

#[cfg(test)]
mod tests;
