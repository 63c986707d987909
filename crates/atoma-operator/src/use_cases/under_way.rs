//! What is under way, and what there is to pay with: for the autopilot.

use atoma_domain::autopilot::DailyCap;
use atoma_domain::journal::{Action, Failure};
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::StoreError;
use atoma_domain::{IntentId, Mist, ObjectId};

use super::nodes::actor;
use super::operator::Operator;

impl Operator {
    /// The unfinished transaction that does this already, and why it waits, if it does.
    pub(crate) fn under_way(
        &self,
        action: &Action,
        node: OperatorNode,
    ) -> Option<(IntentId, Option<Failure>)> {
        self.engine.under_way(action, &actor(node))
    }

    /// Whether this process is still at work on a transaction.
    pub(crate) fn is_at_work_on(&self, id: IntentId) -> bool {
        self.engine.is_at_work_on(id)
    }

    /// The daily cap on gas, and what counts against it; `None` without a cap.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub(crate) async fn daily_cap(&self) -> Result<Option<DailyCap>, StoreError> {
        let limits = self.engine.limits().await?;
        Ok(limits.daily_cap.map(|cap| DailyCap {
            cap,
            used: limits.spent.saturating_add(limits.reserved),
        }))
    }

    /// What the operator's coins hold, read anew if it is less than `least`; `None` while that is not known.
    pub(crate) async fn gas_balance_of_at_least(&self, least: Mist) -> Option<Mist> {
        let known = self.engine.figures().gas_balance;
        if known.is_some_and(|balance| balance < least) {
            self.engine.refresh_balance().await;
            return self.engine.figures().gas_balance;
        }
        known
    }

    /// How many foreign uses of badges this process has seen, and the badge of the latest.
    pub(crate) fn foreign_uses_seen(&self) -> (u64, Option<ObjectId>) {
        self.engine.foreign_uses_seen()
    }
}
