//! The state that a pool of coins and its leases share.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::coins::Coins;
use super::queue::Queue;

/// The coins of one address, and who waits for some.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    inner: Mutex<CoinsAndQueue>,
    /// Notified when a coin or a place in the queue becomes free.
    pub(super) freed: Notify,
    /// A lane had to wait for a coin, and none has been split off for it since.
    pub(super) wanted: AtomicBool,
}

#[derive(Debug, Default)]
pub(super) struct CoinsAndQueue {
    pub(super) coins: Coins,
    pub(super) queue: Queue,
}

impl Holdings {
    pub(super) fn lock(&self) -> MutexGuard<'_, CoinsAndQueue> {
        // Every change is one call, so the state is whole even if a holder panicked.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
