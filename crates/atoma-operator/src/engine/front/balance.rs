//! What the operator's coins hold, for a warning before gas runs out.

use std::time::Duration;

use atoma_domain::{Mist, with_causes};
use tracing::debug;

use super::engine::Engine;

impl Engine {
    /// Reads the operator's coins if their balance is unknown or was too low. If that fails, the next
    /// call reads them.
    pub async fn look_at_balance(&self) {
        if self.context().gas.balance().is_none() || self.low_balance().is_some() {
            self.refresh_balance().await;
        }
    }

    /// Reads the operator's coins. If that fails, what was known before stays.
    pub(crate) async fn refresh_balance(&self) {
        let context = self.context();
        if let Err(error) = context.gas.refresh(context.ports.chain.as_ref()).await {
            debug!(
                error = with_causes(&error),
                "can't read the operator's coins"
            );
        }
    }

    /// Looks at the balance every `interval`, until the daemon stops.
    pub async fn watch_balance(self, interval: Duration) {
        loop {
            tokio::select! {
                () = self.context().stopping.cancelled() => return,
                () = tokio::time::sleep(interval) => self.look_at_balance().await,
            }
        }
    }

    /// What the coins hold, if the operator should send more.
    pub(super) fn low_balance(&self) -> Option<Mist> {
        let low = Mist::new(self.context().config.low_gas_balance);
        self.context()
            .gas
            .balance()
            .filter(|balance| *balance < low)
    }
}
