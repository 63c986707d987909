//! What the operator's coins hold, for a warning before transactions can't be paid for any more.

use std::time::Duration;

use atoma_domain::Mist;
use tracing::debug;

use super::submit::Engine;
use crate::causes::with_causes;

impl Engine {
    /// Reads the operator's coins if what they hold is not known, or was too little. What can't be
    /// read is read the next time.
    pub async fn look_at_balance(&self) {
        let shared = self.shared();
        if shared.gas.balance().is_some() && self.low_balance().is_none() {
            return;
        }
        if let Err(error) = shared.gas.refresh(shared.ports.chain.as_ref()).await {
            debug!(
                error = with_causes(&error),
                "the operator's coins can't be read"
            );
        }
    }

    /// Looks at the balance again and again, until the daemon stops.
    pub async fn watch_balance(self, interval: Duration) {
        loop {
            tokio::select! {
                () = self.shared().stopping.cancelled() => return,
                () = tokio::time::sleep(interval) => self.look_at_balance().await,
            }
        }
    }

    /// What the coins hold, where the operator should send more.
    pub(super) fn low_balance(&self) -> Option<Mist> {
        let low = Mist::new(self.shared().config.low_gas_balance);
        self.shared().gas.balance().filter(|balance| *balance < low)
    }
}
