//! Connections that end in the middle of a call.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::faults::{FaultKind, Faults};
use crate::server::GoAway;

/// Answers a call, unless an injected fault ends its connection after the call has taken effect.
pub(super) async fn interrupt(
    State(faults): State<Arc<Faults>>,
    Extension(connection): Extension<GoAway>,
    request: Request,
    next: Next,
) -> Response {
    let is_interrupted = faults.take(FaultKind::GoAway).is_some();
    let response = next.run(request).await;
    if is_interrupted {
        connection.send();
        std::future::pending::<()>().await;
    }
    response
}
