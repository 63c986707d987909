//! The endpoints that read.

use atoma_api_types::{
    AlarmView, AutopilotView, ClaimedStackView, ConfigurationView, DisputeView, DueAttestationView,
    DutyView, HealthView, NodeKeyView, NodeView, NotReadyView, OverviewView, ReadyView,
    ReservationView, StackView, SubscriptionView, TaskView, TransactionDetailView, TransactionView,
};
use atoma_domain::{NodeSmallId, StackSmallId};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Answer;
use crate::{Client, ClientError, List};

/// Whether the daemon takes requests that write.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Readiness {
    /// It does.
    Ready(ReadyView),
    /// It does not, for these reasons.
    NotReady(NotReadyView),
}

impl Readiness {
    /// Every error looks like the reasons of a daemon that is not ready, but only 503 has them.
    pub(crate) fn of(answer: &Answer) -> Result<Self, ClientError> {
        match answer.status {
            StatusCode::OK => answer.parse().map(Self::Ready),
            StatusCode::SERVICE_UNAVAILABLE => answer.parse().map(Self::NotReady),
            _ => Err(answer.refused()),
        }
    }
}

/// Which transactions of the journal to list. What is absent does not narrow the list.
#[derive(Clone, Debug, Default)]
pub struct TransactionFilter {
    /// What they do, such as `settle_stack`.
    pub kind: Option<String>,
    /// How far they are: `queued`, `submitted`, `succeeded` or `failed`.
    pub status: Option<String>,
    /// The node that acts.
    pub node_small_id: Option<NodeSmallId>,
    /// The stack that they are about.
    pub stack_small_id: Option<StackSmallId>,
    /// The digest of an attempt.
    pub tx_digest: Option<String>,
}

/// Which duties to list. What is absent does not narrow the list.
#[derive(Clone, Debug, Default)]
pub struct DutyFilter {
    /// What they are about: `attest`, `settle` or `claim`.
    pub duty: Option<String>,
    /// How they stand: `due`, `waiting` or `blocked`.
    pub standing: Option<String>,
    /// The node.
    pub node_small_id: Option<NodeSmallId>,
}

/// Defines methods for lists of all nodes or of one.
macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident: $path:literal => $entry:ty;)*) => {
        impl Client {
            $($(#[$doc])*
            pub fn $name(&self, node: Option<NodeSmallId>) -> List<'_, $entry> {
                List::new(self, &[$path]).below(node)
            })*
        }
    };
}

lists! {
    /// Subscriptions of the operator's nodes, or of one.
    subscriptions: "subscriptions" => SubscriptionView;
    /// The public keys that the operator's nodes, or one, have committed to.
    node_keys: "node_keys" => NodeKeyView;
    /// Stacks of the operator's nodes, or of one.
    stacks: "stacks" => StackView;
    /// Stacks of the operator's nodes, or of one, that entered settlement.
    claimed_stacks: "claimed_stacks" => ClaimedStackView;
    /// Settlements that the operator's nodes, or one, must still attest, the most urgent first.
    attestations_due: "attestations_due" => DueAttestationView;
    /// Disputes against the operator's nodes, or against one.
    disputes_against: "against_attestation_disputes" => DisputeView;
    /// Disputes that the operator's nodes raised, or that one did.
    own_disputes: "own_attestation_disputes" => DisputeView;
}

impl Client {
    /// Whether the process is up.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn health(&self) -> Result<HealthView, ClientError> {
        self.get(&["health"]).await
    }

    /// Whether the daemon takes requests that write, and what the operator should look at.
    ///
    /// # Errors
    /// When the daemon can't be reached.
    pub async fn ready(&self) -> Result<Readiness, ClientError> {
        let request = self.request(Method::GET, &["ready"])?;
        Readiness::of(&self.send(request).await?)
    }

    /// The OpenAPI document.
    ///
    /// # Errors
    /// When the daemon can't be reached.
    pub async fn openapi(&self) -> Result<Value, ClientError> {
        self.get(&["openapi.json"]).await
    }

    /// The daemon at a glance.
    ///
    /// # Errors
    /// When the daemon refuses.
    pub async fn overview(&self) -> Result<OverviewView, ClientError> {
        self.get(&["overview"]).await
    }

    /// The settings that the daemon was started with. Needs a token with the scope `operate`, if there are tokens.
    ///
    /// # Errors
    /// When the daemon refuses.
    pub async fn configuration(&self) -> Result<ConfigurationView, ClientError> {
        self.get(&["configuration"]).await
    }

    /// The operator's nodes.
    pub fn nodes(&self) -> List<'_, NodeView> {
        List::new(self, &["nodes"])
    }

    /// All tasks, deprecated ones too.
    pub fn tasks(&self) -> List<'_, TaskView> {
        List::new(self, &["tasks"])
    }

    /// Stacks of the operator's nodes, or of one, that are filled beyond a fraction from 0 to 1, such as `0.95`.
    pub fn almost_filled_stacks(
        &self,
        node: Option<NodeSmallId>,
        fraction: &str,
    ) -> List<'_, StackView> {
        List::new(self, &["almost_filled_stacks"])
            .below(node)
            .below(Some(fraction))
    }

    /// Open reservations, of all holders and stacks or of one.
    pub fn reservations(
        &self,
        holder: Option<&str>,
        stack: Option<StackSmallId>,
    ) -> List<'_, ReservationView> {
        List::new(self, &["reservations"])
            .with("holder", holder)
            .with("stack_small_id", stack)
    }

    /// Alarms, newest first: all, or those that are `firing`, `acknowledged` or `resolved`.
    pub fn alarms(&self, state: Option<&str>) -> List<'_, AlarmView> {
        List::new(self, &["alarms"]).with("state", state)
    }

    /// Transactions of the journal.
    pub fn transactions(&self, filter: TransactionFilter) -> List<'_, TransactionView> {
        List::new(self, &["transactions"])
            .with("kind", filter.kind)
            .with("status", filter.status)
            .with("node_small_id", filter.node_small_id)
            .with("stack_small_id", filter.stack_small_id)
            .with("tx_digest", filter.tx_digest)
    }

    /// How the autopilot stands.
    ///
    /// # Errors
    /// When the daemon can't be reached.
    pub async fn autopilot(&self) -> Result<AutopilotView, ClientError> {
        self.get(&["autopilot"]).await
    }

    /// What the operator's nodes have to do now or later, and why.
    pub fn duties(&self, filter: DutyFilter) -> List<'_, DutyView> {
        List::new(self, &["duties"])
            .with("duty", filter.duty)
            .with("standing", filter.standing)
            .with("node_small_id", filter.node_small_id)
    }

    /// What the operator's nodes have to do about a stack, and why.
    pub fn duties_of(&self, stack: StackSmallId) -> List<'_, DutyView> {
        List::new(self, &["duties"]).below(Some(stack))
    }

    /// A transaction of the journal, by its number or the digest of one of its attempts.
    ///
    /// # Errors
    /// When there is none, or the daemon can't be reached.
    pub async fn transaction(&self, id: &str) -> Result<TransactionDetailView, ClientError> {
        self.get(&["transactions", id]).await
    }
}
