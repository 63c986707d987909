//! Messages on their way to a receiver.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alarm::{Alarm, AlarmEvent};
use super::kind::Severity;
use crate::{DeliveryId, TimestampMs};

/// How many messages may wait for one receiver. The oldest give way to new ones.
pub const MOST_WAITING: u32 = 500;
/// How long a message is tried.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// How often a message is tried that its receiver refuses for a reason which doesn't pass by itself. More than once, because a
/// proxy in between can be the one that refuses.
pub const MOST_REFUSALS: u32 = 5;
/// The longest pause between two tries, whatever the receiver wants.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// The first pause.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause, unless the receiver wants a longer one.
const LONGEST_OWN_PAUSE: Duration = Duration::from_secs(900);

/// Who is told of alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its name in the configuration.
    pub name: String,
    /// It is told of alarms that are at least so bad.
    pub min_severity: Severity,
}

/// A message about an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// What it says.
    pub event: AlarmEvent,
    /// The alarm when the message was due.
    pub alarm: Alarm,
    /// When it was due.
    pub at: TimestampMs,
}

/// A message that waits for a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number. The same message is sent under the same number each time, so that receivers can tell it from others.
    pub id: DeliveryId,
    /// What to send.
    pub notification: Notification,
    /// How often it was tried.
    pub attempts: u32,
}

/// How a try to deliver a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryEnd {
    /// The receiver has it, or it was given up. It is forgotten.
    Done,
    /// It is tried again, not before this time.
    Again(TimestampMs),
}

/// The pause after a message was tried so often. `fraction`, from 0 to 1, spreads it between half and all of its length, and
/// `wanted` is what the receiver asked for, which counts up to an hour.
pub fn retry_pause(attempts: u32, fraction: f64, wanted: Option<Duration>) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    let longest = FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(LONGEST_OWN_PAUSE);
    let half = longest / 2;
    let fraction = match fraction.is_nan() {
        true => 0.0,
        false => fraction.clamp(0.0, 1.0),
    };
    let own = half + half.mul_f64(fraction);
    own.max(wanted.unwrap_or_default().min(LONGEST_PAUSE))
}
