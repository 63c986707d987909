//! What is under way, and what there is to pay with: for the autopilot.

use atoma_domain::journal::{Action, Failure};
use atoma_domain::model::OperatorNode;
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

    /// How many foreign uses of badges this process has seen, and the badge of the latest.
    pub(crate) fn foreign_uses_seen(&self) -> (u64, Option<ObjectId>) {
        self.engine.foreign_uses_seen()
    }

    /// What the operator's coins hold; `None` while that is not known.
    pub(crate) fn gas_balance(&self) -> Option<Mist> {
        self.engine.figures().gas_balance
    }
}
