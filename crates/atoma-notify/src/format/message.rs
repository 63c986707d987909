//! A message, whatever its format.

use atoma_domain::alarms::Notification;
use atoma_domain::{DeliveryId, TimestampMs};

/// A message, and what its format may need.
pub(crate) struct Message<'a> {
    pub(crate) notification: &'a Notification,
    pub(crate) delivery: Option<DeliveryId>,
    /// What names the daemon.
    pub(crate) source: &'a str,
    pub(crate) secret: Option<&'a str>,
    pub(crate) now: TimestampMs,
}
