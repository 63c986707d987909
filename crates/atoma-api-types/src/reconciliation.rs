//! Comparing the mirror with the contract.

use atoma_domain::NodeSmallId;
use atoma_domain::reconciliation::Difference;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a comparison of the mirror with the contract found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Reconciled)]
pub struct ReconciledView {
    /// Whether nothing was repaired.
    pub dry_run: bool,
    /// How many entries of the contract were compared.
    pub compared: u64,
    /// How many could not be compared, because they were changing. The daemon compares them later.
    pub not_compared: u64,
    /// The differences.
    pub differences: Vec<DifferenceView>,
}

/// A difference between the mirror and the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Difference)]
pub struct DifferenceView {
    /// What differs, such as `node_disabled`; the metric `atoma_mirror_differences_total` has the same names.
    pub kind: String,
    /// What it is about.
    pub entry: EntryKind,
    /// The small id of the node, task or stack.
    pub small_id: u64,
    /// The node, if it is about a task's subscription.
    pub subscriber_small_id: Option<NodeSmallId>,
    /// What the mirror had, in words; `null` if nothing.
    pub mirrored: Option<String>,
    /// What the contract has, in words; `null` if nothing any more.
    pub on_chain: Option<String>,
}

/// The kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A node.
    Node,
    /// A task with its subscriptions.
    Task,
    /// A stack with its settlement ticket.
    Stack,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        use atoma_domain::contract::EntryKey::{Node, Stack, Task};
        let (entry, small_id) = match difference.key {
            Node(id) => (EntryKind::Node, id.get()),
            Task(id) => (EntryKind::Task, id.get()),
            Stack(id) => (EntryKind::Stack, id.get()),
        };
        Self {
            kind: difference.kind.name().to_owned(),
            entry,
            small_id,
            subscriber_small_id: difference.subscriber,
            mirrored: difference.mirrored,
            on_chain: difference.on_chain,
        }
    }
}
