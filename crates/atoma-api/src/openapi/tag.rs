//! Groups of endpoints.

/// A group of endpoints.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tag {
    State,
    Transactions,
    ServedWork,
    Autopilot,
    Daemon,
}

impl Tag {
    pub(crate) const ALL: [Self; 5] = [
        Self::State,
        Self::Transactions,
        Self::ServedWork,
        Self::Autopilot,
        Self::Daemon,
    ];

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::State => "State",
            Self::Transactions => "Transactions",
            Self::ServedWork => "Served work",
            Self::Autopilot => "Autopilot",
            Self::Daemon => "Daemon",
        }
    }

    /// What its endpoints have in common.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::State => {
                "The mirror of the contract: tasks, subscriptions, stacks, settlements and disputes."
            }
            Self::Transactions => {
                "Requests that become transactions. The daemon signs them, sends them and follows them to their \
                 outcome, even if the client leaves."
            }
            Self::ServedWork => "Reservations and messages of the inference services.",
            Self::Autopilot => {
                "What the operator's nodes have to do, and the autopilot that does it."
            }
            Self::Daemon => "Health, nodes, alarms and the transaction journal.",
        }
    }
}
