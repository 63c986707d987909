//! The requests and responses of the node daemon's HTTP API.
//!
//! The daemon serves these types, and clients are typed by them. The OpenAPI document is made from them, so their
//! comments are its descriptions. An optional field of a response that has no value is present as `null`.
//! ```
//! use atoma_api_types::MessageRequest;
//! use atoma_domain::{ComputeUnits, Hash32, StackSmallId};
//!
//! let request = MessageRequest {
//!     stack_small_id: StackSmallId::new(13),
//!     message_hash: Hash32::of(&[b"a request and its response"]),
//!     num_compute_units: ComputeUnits::new(1_200),
//!     node_small_id: None,
//!     reservation_id: None,
//!     message_id: Some("request-1".to_owned()),
//! };
//! let json = serde_json::to_value(&request)?;
//! assert_eq!(json["stack_small_id"], 13);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod alarm;
mod autopilot;
mod books;
mod configuration;
mod error;
mod node_key;
mod outcome;
mod overview;
mod reconciliation;
mod request;
mod reservation;
mod service;
mod session;
mod settlement;
mod stack;
mod task;
pub mod text;
mod transaction;

pub use alarm::{AlarmTestView, AlarmView, ToldReceiverView};
pub use autopilot::{
    AutopilotModeView, AutopilotView, DutyCountView, DutyKindView, DutyPoliciesView,
    DutyStandingView, DutyView, PauseRequest, PauseScopeView, PauseView, PolicyView,
    TaskPolicyView,
};
pub use books::{
    AmountView, BookDifferenceView, BookLineView, BooksCheckedView, EarningsView, HistoryStepView,
    StackHistoryView, WaitView,
};
pub use configuration::{ConfigurationView, SettingView};
pub use error::ErrorBody;
pub use node_key::NodeKeyView;
pub use outcome::{
    BatchView, ClaimView, DigestView, DisputedView, DryRun, RegisteredView, StackResultStatus,
    StackResultView, SubscribedView, WholeError,
};
pub use overview::{
    FiringAlarmsView, LaneView, OverviewView, StageNameView, StageView, SuiNodeView,
};
pub use reconciliation::{DifferenceView, EntryKind, ReconciledView};
pub use request::{
    AttestRequest, ClaimRequest, DisputeRequest, IgnoredFields, MessageRequest,
    ModelSubscribeRequest, Price, RegisterRequest, ReservationRequest, ReservationUpdate,
    RotateKeyRequest, SettleRequest, TaskSubscribeRequest, TaskUnsubscribeRequest,
    TransactionOptions, WithdrawRequest,
};
pub use reservation::{ReleasedView, ReservationTerms, ReservationView, ReservedView};
pub use service::{
    HealthStatus, HealthView, NotReadyView, ReadyStatus, ReadyView, SpendingLimitsView,
};
pub use session::{SessionRequest, SessionScopeView, SessionView};
pub use settlement::{
    ClaimedStackView, DisputeView, DueAttestationView, DueNodeView, ResolutionStatus,
};
pub use stack::{NodeView, StackView, WorkView};
pub use task::{SubscriptionView, TaskView};
pub use transaction::{AttemptView, TransactionDetailView, TransactionKind, TransactionView};
