//! A difference between mirror and contract.

use crate::NodeSmallId;
use crate::contract::EntryKey;

/// Declares the kinds with their names.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal,)*) => {
        /// What differs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DifferenceKind {
            $($(#[$doc])* $kind,)*
        }

        impl DifferenceKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its name, in metrics, in the database and in the API.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The mirror lacks a node.
    NodeMissing "node_missing",
    /// A node was disabled. No event tells it.
    NodeDisabled "node_disabled",
    /// A node was destroyed. No event tells it.
    NodeDestroyed "node_destroyed",
    /// A node has committed to another key, or to its key on other kinds of hardware.
    NodeKeyChanged "node_key_changed",
    /// The mirror lacks a task.
    TaskMissing "task_missing",
    /// A task has other properties.
    TaskChanged "task_changed",
    /// A task was removed. No event tells it if an admin removed it.
    TaskRemoved "task_removed",
    /// The mirror lacks a subscription.
    SubscriptionMissing "subscription_missing",
    /// A subscription has another price or size.
    SubscriptionChanged "subscription_changed",
    /// A node has unsubscribed.
    SubscriptionEnded "subscription_ended",
    /// The mirror lacks a stack.
    StackMissing "stack_missing",
    /// A stack has other properties.
    StackChanged "stack_changed",
    /// A stack was claimed.
    StackClaimed "stack_claimed",
    /// The mirror lacks a settlement ticket.
    TicketMissing "ticket_missing",
    /// A ticket has other properties.
    TicketChanged "ticket_changed",
    /// Other nodes have attested.
    AttestationsChanged "attestations_changed",
    /// The mirror lacks a dispute.
    DisputeMissing "dispute_missing",
}

impl DifferenceKind {
    /// Whether a call of the contract makes it without an event, so that it says nothing against the mirror.
    pub const fn is_silent(self) -> bool {
        matches!(
            self,
            Self::NodeDisabled | Self::NodeDestroyed | Self::TaskRemoved
        )
    }
}

/// Why an entry was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A transaction changed it that no event tells of.
    Unexplained,
    /// It was its turn.
    Periodic,
    /// An operator asked for it.
    Requested,
    /// The mirror was rebuilt.
    Rebuilt,
}

impl Cause {
    /// Its name, in the database and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unexplained => "unexplained_transaction",
            Self::Periodic => "periodic_comparison",
            Self::Requested => "request",
            Self::Rebuilt => "rebuild",
        }
    }
}

/// A difference between mirror and contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub kind: DifferenceKind,
    /// The entry.
    pub key: EntryKey,
    /// The node, if it is about a task's subscription.
    pub subscriber: Option<NodeSmallId>,
    /// What the mirror has; `None` if nothing.
    pub mirrored: Option<String>,
    /// What the contract has; `None` if nothing any more.
    pub on_chain: Option<String>,
}
