//! Gas budgets learned by simulation, once per kind of call and epoch.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use atoma_domain::{Epoch, Mist};

use crate::engine::EngineConfig;

/// Calls that need about the same gas: the same function over inputs of the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::engine) struct CallClass {
    pub(in crate::engine) function: &'static str,
    /// What the call's cost grows with, such as the number of leaves of a ticket.
    pub(in crate::engine) size: u64,
}

/// Budgets that were learned, with the epoch and gas price that they hold for.
#[derive(Debug, Default)]
pub(in crate::engine) struct Budgets {
    learned: Mutex<HashMap<CallClass, (Epoch, Mist, Mist)>>,
}

impl Budgets {
    /// The budget learned in this epoch at this gas price.
    pub(in crate::engine) fn get(
        &self,
        class: CallClass,
        epoch: Epoch,
        price: Mist,
    ) -> Option<Mist> {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        learned
            .get(&class)
            .filter(|(learned_in, at_price, _)| *learned_in == epoch && *at_price == price)
            .map(|(_, _, budget)| *budget)
    }

    /// Notes a budget.
    pub(in crate::engine) fn learn(
        &self,
        class: CallClass,
        epoch: Epoch,
        price: Mist,
        budget: Mist,
    ) {
        self.learned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(class, (epoch, price, budget));
    }

    /// Forgets a budget that did not suffice.
    pub(in crate::engine) fn forget(&self, class: CallClass) {
        self.learned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&class);
    }
}

/// A simulated need with the configured margin, rounded up, at most the ceiling; `None` when the
/// need itself is above it.
pub(in crate::engine) fn with_margin(needed: Mist, config: &EngineConfig) -> Option<Mist> {
    if needed.get() > config.gas_budget_ceiling {
        return None;
    }
    let margin = u128::from(needed.get()) * u128::from(config.gas_margin_percent);
    let budget = u128::from(needed.get()) + margin.div_ceil(100);
    let budget = u64::try_from(budget).unwrap_or(u64::MAX);
    Some(Mist::new(budget.min(config.gas_budget_ceiling)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: CallClass = CallClass {
        function: "try_settle_stack",
        size: 2,
    };

    #[test]
    fn a_budget_holds_for_its_epoch_and_price_only() {
        let budgets = Budgets::default();
        let (epoch, price) = (Epoch::new(3), Mist::new(1000));
        budgets.learn(CLASS, epoch, price, Mist::new(7));
        assert_eq!(budgets.get(CLASS, epoch, price), Some(Mist::new(7)));
        assert_eq!(budgets.get(CLASS, epoch.next(), price), None);
        assert_eq!(budgets.get(CLASS, epoch, Mist::new(1001)), None);
        budgets.forget(CLASS);
        assert_eq!(budgets.get(CLASS, epoch, price), None);
    }

    #[test]
    fn the_margin_rounds_up_and_stops_at_the_ceiling() {
        let config = EngineConfig {
            gas_margin_percent: 25,
            gas_budget_ceiling: 1000,
            ..EngineConfig::default()
        };
        let with_margin = |needed| with_margin(Mist::new(needed), &config).map(Mist::get);
        assert_eq!(with_margin(101), Some(127));
        assert_eq!(with_margin(900), Some(1000));
        assert_eq!(with_margin(1001), None);
    }
}
