//! The endpoints that write.

use atoma_api_types::{
    AlarmTestView, AlarmView, AttestRequest, AutopilotView, BatchView, ClaimRequest, ClaimView,
    DigestView, DisputeRequest, DisputedView, MessageRequest, ModelSubscribeRequest, PauseRequest,
    ReconciledView, RegisterRequest, RegisteredView, ReleasedView, ReservationRequest,
    ReservationUpdate, ReservationView, ReservedView, RotateKeyRequest, SettleRequest,
    SubscribedView, TaskSubscribeRequest, TaskUnsubscribeRequest, TransactionView, WithdrawRequest,
    WorkView,
};
use atoma_domain::{AlarmId, IntentId, ReservationId};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;

use crate::client::Answer;
use crate::{Client, ClientError};

/// The most characters of an idempotency key.
const LONGEST_KEY: usize = 255;

/// How a write is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// `None` for a dry run.
    key: Option<String>,
}

impl Write {
    /// Simulates the request: nothing is sent to the network or stored.
    pub const fn dry_run() -> Self {
        Self { key: None }
    }

    /// Sends the request under this idempotency key.
    ///
    /// # Errors
    /// When it is not of 1 to 255 visible ASCII characters.
    pub fn with_key(key: impl Into<String>) -> Result<Self, ClientError> {
        let key = key.into();
        let is_valid = (1..=LONGEST_KEY).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_valid {
            return Err(ClientError::InvalidKey);
        }
        Ok(Self { key: Some(key) })
    }

    /// Sends the request under a new idempotency key, which [`Write::key`] tells: for repeating the call.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn with_new_key() -> Result<Self, ClientError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| ClientError::NoRandomNumbers)?;
        Self::with_key(hex::encode(bytes))
    }

    /// The idempotency key; `None` for a dry run.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn apply(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request.query(&[("dry_run", "true")]),
        }
    }
}

/// Defines methods for requests with a body.
macro_rules! posts {
    ($($(#[$doc:meta])* $name:ident: $path:literal, $request:ty => $view:ty, $send:ident, $decode:ident;)*) => {
        impl Client {
            $($(#[$doc])*
            ///
            /// # Errors
            /// When the daemon refuses the request or can't be reached.
            pub async fn $name(
                &self,
                request: &$request,
                write: &Write,
            ) -> Result<$view, ClientError> {
                self.$send($path, request, write).await?.$decode()
            })*
        }
    };
}

posts! {
    /// Registers a node.
    register: "register", RegisterRequest => RegisteredView, send_transactions, decode;
    /// Subscribes a node to a model.
    subscribe_to_model: "model_subscribe", ModelSubscribeRequest => DigestView, send_transactions, decode;
    /// Subscribes a node to a task.
    subscribe: "task_subscribe", TaskSubscribeRequest => SubscribedView, send_transactions, decode;
    /// Changes the price of a subscription.
    update_subscription: "task_update_subscription", TaskSubscribeRequest => SubscribedView, send_transactions, decode;
    /// Ends a subscription.
    unsubscribe: "task_unsubscribe", TaskUnsubscribeRequest => DigestView, send_transactions, decode;
    /// Commits to a node's public key.
    rotate_key: "rotate_node_key", RotateKeyRequest => DigestView, send_transactions, decode;
    /// Collects the shares that the contract owes a node.
    withdraw: "withdraw_fees", WithdrawRequest => DigestView, send_transactions, decode;
    /// Settles stacks. The results are there even if none succeeded.
    settle: "try_settle_stack_ids", SettleRequest => BatchView, send_transactions, decode_any;
    /// Attests settlements. The results are there even if none succeeded.
    attest: "submit_stack_settlement_attestations", AttestRequest => BatchView, send_transactions, decode_any;
    /// Claims the funds of stacks. The results are there even if none succeeded.
    claim: "claim_funds", ClaimRequest => ClaimView, send_transactions, decode_any;
    /// Raises a dispute.
    dispute: "start_attestation_dispute", DisputeRequest => DisputedView, send_transactions, decode;
    /// Reserves compute units.
    reserve: "reservations", ReservationRequest => ReservedView, post, decode;
    /// Records a served message.
    record_message: "stack_messages", MessageRequest => WorkView, post, decode;
}

impl Client {
    async fn post(
        &self,
        path: &str,
        body: &impl Serialize,
        write: &Write,
    ) -> Result<Answer, ClientError> {
        self.send(self.posting(path, body, write)?).await
    }

    /// Posts what the daemon answers only when the transactions are done, or its own time is over.
    async fn send_transactions(
        &self,
        path: &str,
        body: &impl Serialize,
        write: &Write,
    ) -> Result<Answer, ClientError> {
        let request = self.posting(path, body, write)?;
        self.send(request.timeout(self.transaction_timeout)).await
    }

    fn posting(
        &self,
        path: &str,
        body: &impl Serialize,
        write: &Write,
    ) -> Result<RequestBuilder, ClientError> {
        let request = self.request(Method::POST, &[path])?.json(body);
        Ok(write.apply(request))
    }

    /// Abandons a transaction of the journal that provably can't execute any more, whether it was sent or not.
    /// Repeating it does no harm: it is refused once the transaction is final.
    ///
    /// # Errors
    /// When it can't be abandoned, or the daemon can't be reached.
    pub async fn abandon(&self, id: IntentId) -> Result<TransactionView, ClientError> {
        let id = id.to_string();
        let request = self.request(Method::POST, &["transactions", &id, "abandon"])?;
        self.send(request).await?.decode()
    }

    /// Acknowledges an alarm: no reminders of it are sent. Repeating it does nothing.
    ///
    /// # Errors
    /// When there is no such alarm, or the daemon can't be reached.
    pub async fn acknowledge_alarm(&self, id: AlarmId) -> Result<AlarmView, ClientError> {
        let path = ["alarms", &id.to_string(), "acknowledge"];
        let request = self.request(Method::POST, &path)?;
        self.send(request).await?.decode()
    }

    /// Sends a test message to every receiver of alarms. Repeating it sends another one.
    ///
    /// # Errors
    /// When the daemon can't be reached. That a receiver can't is in the answer.
    pub async fn test_alarms(&self) -> Result<AlarmTestView, ClientError> {
        let request = self.request(Method::POST, &["alarms", "test"])?;
        self.send(request).await?.decode()
    }

    /// Compares the mirror with the contract's own state, and repairs it unless it is a dry run. Repeating it does no
    /// harm.
    ///
    /// # Errors
    /// When the daemon can't be reached, or can't read the contract.
    pub async fn reconcile(&self, is_dry_run: bool) -> Result<ReconciledView, ClientError> {
        let request = self.request(Method::POST, &["reconcile"])?;
        let request = match is_dry_run {
            true => request.query(&[("dry_run", "true")]),
            false => request,
        };
        self.send(request).await?.decode()
    }

    /// Rebuilds the mirror from the contract's state at one version. Repeating it does no harm.
    ///
    /// # Errors
    /// When the daemon can't be reached, or can't read the contract.
    pub async fn rebuild_mirror(&self) -> Result<ReconciledView, ClientError> {
        let request = self.request(Method::POST, &["reconcile", "rebuild"])?;
        self.send(request).await?.decode()
    }

    /// Pauses the autopilot. Repeating it does no harm.
    ///
    /// # Errors
    /// When the daemon can't be reached.
    pub async fn pause_autopilot(
        &self,
        request: &PauseRequest,
    ) -> Result<AutopilotView, ClientError> {
        let sent = self
            .request(Method::POST, &["autopilot", "pause"])?
            .json(request);
        self.send(sent).await?.decode()
    }

    /// Lets the autopilot go on. Repeating it does no harm.
    ///
    /// # Errors
    /// When the daemon can't be reached.
    pub async fn resume_autopilot(&self) -> Result<AutopilotView, ClientError> {
        let request = self.request(Method::POST, &["autopilot", "resume"])?;
        self.send(request).await?.decode()
    }

    /// Corrects the units of a reservation, or renews its lease. Repeating it does no harm.
    ///
    /// # Errors
    /// When there is no such reservation, or the daemon can't be reached.
    pub async fn update_reservation(
        &self,
        id: ReservationId,
        update: &ReservationUpdate,
    ) -> Result<ReservationView, ClientError> {
        let path = ["reservations", &id.to_string()];
        let request = self.request(Method::PATCH, &path)?.json(update);
        self.send(request).await?.decode()
    }

    /// Releases a reservation. Repeating it does no harm.
    ///
    /// # Errors
    /// When the daemon refuses or can't be reached.
    pub async fn release(&self, id: ReservationId) -> Result<ReleasedView, ClientError> {
        let request = self.request(Method::DELETE, &["reservations", &id.to_string()])?;
        self.send(request).await?.decode()
    }

    /// Releases all reservations of a holder. Repeating it also releases those that the holder has made since.
    ///
    /// # Errors
    /// When the daemon refuses or can't be reached.
    pub async fn release_all(&self, holder: &str) -> Result<ReleasedView, ClientError> {
        let request = self.request(Method::DELETE, &["reservations"])?;
        self.send(request.query(&[("holder", holder)]))
            .await?
            .decode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_bounded_and_visible() {
        let longest = "k".repeat(255);
        for good in ["a", &longest] {
            assert_eq!(Write::with_key(good).unwrap().key(), Some(good));
        }
        for bad in ["", "with space", "line\n", "tab\t", "ä", &"k".repeat(256)] {
            let refused = Write::with_key(bad);
            assert!(matches!(refused, Err(ClientError::InvalidKey)), "{bad:?}");
        }
        let new = Write::with_new_key().unwrap();
        assert_ne!(new, Write::with_new_key().unwrap());
        assert_eq!(Write::dry_run().key(), None);
    }
}
