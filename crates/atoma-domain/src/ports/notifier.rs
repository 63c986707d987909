//! Telling somebody of alarms.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::DeliveryId;
use crate::alarms::{Notification, Receiver};

/// A way to tell somebody of alarms. `Debug` shows no secrets.
#[async_trait]
pub trait Notifier: Debug + Send + Sync {
    /// Whom it tells.
    fn receiver(&self) -> &Receiver;

    /// Sends one message, within a bounded time. `delivery` is its number, the same each time it is tried; `None` for one that is not
    /// repeated.
    ///
    /// # Errors
    /// When the receiver has not confirmed that it has the message. It may have it nevertheless.
    async fn notify(
        &self,
        notification: &Notification,
        delivery: Option<DeliveryId>,
    ) -> Result<(), NotifyError>;
}

/// Why a message was not delivered. Without URLs, which can be secrets.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotifyError {
    /// The receiver refuses the message, and sending it again is unlikely to help.
    #[error("the receiver refuses the message with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The receiver doesn't take it now.
    #[error("the receiver can't take the message now: status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// How long the receiver wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The receiver was not reached, or has not answered in time.
    #[error("{reason}")]
    NotReached {
        /// What happened.
        reason: String,
    },
}
