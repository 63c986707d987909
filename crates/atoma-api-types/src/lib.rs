//! The requests and responses of the node daemon's HTTP API.
//!
//! The daemon serves these types, and clients are typed by them. The OpenAPI document is made from them, so their
//! comments are its descriptions. An optional field of a response that has no value is present as `null`.

mod error;
mod outcome;
mod reconciliation;
mod request;
mod reservation;
mod service;
mod settlement;
mod stack;
mod task;
pub mod text;
mod transaction;

pub use error::ErrorBody;
pub use outcome::{
    BatchView, ClaimView, DigestView, DisputedView, DryRun, RegisteredView, StackResultStatus,
    StackResultView, SubscribedView, WholeError,
};
pub use reconciliation::{DifferenceView, EntryKind, ReconciledView};
pub use request::{
    AttestRequest, ClaimRequest, DisputeRequest, IgnoredFields, MessageRequest,
    ModelSubscribeRequest, Price, RegisterRequest, ReservationRequest, ReservationUpdate,
    SettleRequest, TaskSubscribeRequest, TaskUnsubscribeRequest, TransactionOptions,
};
pub use reservation::{ReleasedView, ReservationTerms, ReservationView, ReservedView};
pub use service::{
    HealthStatus, HealthView, NotReadyView, ReadyStatus, ReadyView, SpendingLimitsView,
};
pub use settlement::{
    ClaimedStackView, DisputeView, DueAttestationView, DueNodeView, ResolutionStatus,
};
pub use stack::{NodeView, StackView, WorkView};
pub use task::{SubscriptionView, TaskView};
pub use transaction::{AttemptView, TransactionDetailView, TransactionKind, TransactionView};
