//! The endpoints that write.

use atoma_api_types::{
    AttestRequest, BatchView, ClaimRequest, ClaimView, DigestView, DisputeRequest, MessageRequest,
    ModelSubscribeRequest, RegisterRequest, RegisteredView, ReleasedView, ReservationRequest,
    ReservationUpdate, ReservationView, ReservedView, SettleRequest, SubscribedView,
    TaskSubscribeRequest, TaskUnsubscribeRequest, TransactionView, WorkView,
};
use atoma_domain::{IntentId, ReservationId};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;

use crate::client::Answer;
use crate::{Client, ClientError};

/// How a write is sent.
#[derive(Clone, Debug, Default)]
pub struct Write {
    is_dry_run: bool,
    key: Option<String>,
}

impl Write {
    /// Simulates the request: nothing is sent to the network or stored.
    pub fn dry_run() -> Self {
        Self {
            is_dry_run: true,
            key: None,
        }
    }

    /// Sends the request under this idempotency key, of at most 255 visible ASCII characters. By default each
    /// call makes a new one.
    pub fn with_key(key: impl Into<String>) -> Self {
        Self {
            is_dry_run: false,
            key: Some(key.into()),
        }
    }

    /// Sends the request under a new idempotency key, which [`Write::key`] tells: for repeating the call.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn with_new_key() -> Result<Self, ClientError> {
        Ok(Self::with_key(new_key()?))
    }

    /// The idempotency key, if it is known before the call.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn apply(&self, request: RequestBuilder) -> Result<RequestBuilder, ClientError> {
        if self.is_dry_run {
            return Ok(request.query(&[("dry_run", "true")]));
        }
        let key = match &self.key {
            Some(key) => key.clone(),
            None => new_key()?,
        };
        Ok(request.header("Idempotency-Key", key))
    }
}

fn new_key() -> Result<String, ClientError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| ClientError::NoRandomNumbers)?;
    Ok(hex::encode(bytes))
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
    /// Settles stacks. The results are there even if none succeeded.
    settle: "try_settle_stack_ids", SettleRequest => BatchView, send_transactions, decode_any;
    /// Attests settlements. The results are there even if none succeeded.
    attest: "submit_stack_settlement_attestations", AttestRequest => BatchView, send_transactions, decode_any;
    /// Claims the funds of stacks. The results are there even if none succeeded.
    claim: "claim_funds", ClaimRequest => ClaimView, send_transactions, decode_any;
    /// Raises a dispute.
    dispute: "start_attestation_dispute", DisputeRequest => DigestView, send_transactions, decode;
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
        let request = self.request(Method::POST, &[path])?.json(body);
        self.send(write.apply(request)?).await
    }

    /// Posts what the daemon answers only when the transactions are done, or its own time is over.
    async fn send_transactions(
        &self,
        path: &str,
        body: &impl Serialize,
        write: &Write,
    ) -> Result<Answer, ClientError> {
        let request = self.request(Method::POST, &[path])?.json(body);
        let request = request.timeout(self.transaction_timeout);
        self.send(write.apply(request)?).await
    }

    /// Abandons a transaction of the journal of which nothing was sent yet.
    ///
    /// # Errors
    /// When it can't be abandoned, or the daemon can't be reached.
    pub async fn abandon(&self, id: IntentId) -> Result<TransactionView, ClientError> {
        let id = id.to_string();
        let request = self.request(Method::POST, &["transactions", &id, "abandon"])?;
        self.send(request).await?.decode()
    }

    /// Corrects the units of a reservation, or renews its lease.
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

    /// Releases a reservation.
    ///
    /// # Errors
    /// When the daemon refuses or can't be reached.
    pub async fn release(&self, id: ReservationId) -> Result<ReleasedView, ClientError> {
        let request = self.request(Method::DELETE, &["reservations", &id.to_string()])?;
        self.send(request).await?.decode()
    }

    /// Releases all reservations of a holder.
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
