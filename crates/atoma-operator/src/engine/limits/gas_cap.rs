//! The cap on gas apart from the rest of the engine, for the benchmark. Behind the feature `testing`.

use std::sync::Arc;

use atoma_domain::Mist;
use atoma_domain::ports::{Clock, Journal, StoreError};

use super::{Limits, LimitsConfig};

/// The cap on gas, as an attempt meets it.
#[derive(Debug)]
pub struct GasCap(Arc<Limits>);

impl GasCap {
    /// A daily cap.
    pub fn new(daily_cap: Mist) -> Self {
        Self(Limits::new(LimitsConfig {
            daily_gas_cap: Some(daily_cap),
            ..LimitsConfig::default()
        }))
    }

    /// Reserves a budget under the cap, and spends all of it; says whether it fitted.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub async fn spend(
        &self,
        budget: Mist,
        journal: &dyn Journal,
        clock: &dyn Clock,
    ) -> Result<bool, StoreError> {
        let reserved = self.0.reserve(budget, journal, clock).await?;
        Ok(reserved
            .map(|reservation| reservation.spend(budget, clock.elapsed()))
            .is_ok())
    }
}
