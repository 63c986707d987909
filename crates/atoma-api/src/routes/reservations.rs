//! Reserving compute units for requests in progress.

use actix_web::http::Method;
use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use atoma_domain::model::{Lease, ReservationChange, StackChoice};
use atoma_domain::ports::ReservationFilter;
use atoma_domain::{Address, ComputeUnits, ReservationId, StackSmallId, TaskSmallId};
use atoma_operator::{Operator, WantedUnits};
use serde::Deserialize;
use serde_json::json;

use super::resource::{Endpoint, SIMULATED};
use crate::body::JsonBody;
use crate::error::{ApiError, ApiResult};
use crate::lists::ListRequest;
use crate::paging::one_more;
use crate::params::{address, digest, segment, tag, whole};
use crate::query;
use crate::request_context::RequestContext;
use crate::views::{ReservationView, ReservedView};

/// The query parameters of the list: filters, and the page.
const FILTERS: &[&str] = &["holder", "stack_small_id", "limit", "cursor"];

pub(super) fn configure(config: &mut ServiceConfig) {
    let all = Endpoint::at("/reservations")
        .get(FILTERS, list)
        .write(Method::POST, SIMULATED, reserve)
        .write(Method::DELETE, &["holder"], release_held_by);
    let one = Endpoint::at("/reservations/{id}")
        .write(Method::PATCH, &[], change)
        .write(Method::DELETE, &[], release);
    config.service(all.build()).service(one.build());
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(deserialize_with = "address")]
    owner_address: Address,
    #[serde(default)]
    stack_small_id: Option<StackSmallId>,
    #[serde(default)]
    task_small_id: Option<TaskSmallId>,
    #[serde(default)]
    model_name: Option<String>,
    num_compute_units: ComputeUnits,
    #[serde(default)]
    holder: Option<String>,
    #[serde(default)]
    lease_s: Option<u64>,
    #[serde(default)]
    purchase_tx_digest: Option<String>,
}

impl Wanted {
    fn stack(&self) -> Result<StackChoice, ApiError> {
        match (self.stack_small_id, self.task_small_id, &self.model_name) {
            (Some(stack), None, None) => Ok(StackChoice::Stack(stack)),
            (None, Some(task), None) => Ok(StackChoice::Task(task)),
            (None, None, Some(model)) => Ok(StackChoice::Model(model.clone())),
            _ => Err(ApiError::invalid(
                "Send exactly one of `stack_small_id`, `task_small_id` and `model_name`.",
            )),
        }
    }
}

async fn reserve(context: RequestContext, body: JsonBody<Wanted>) -> ApiResult {
    let operator = context.operator(&body);
    let wanted = body.value;
    let wanted = WantedUnits {
        owner: wanted.owner_address,
        stack: wanted.stack()?,
        num_compute_units: wanted.num_compute_units,
        lease: lease(wanted.lease_s)?.unwrap_or_default(),
        purchase: wanted
            .purchase_tx_digest
            .map(|text| digest("purchase_tx_digest", &text))
            .transpose()?,
        holder: tag("holder", wanted.holder)?,
    };
    let reservation = operator.reserve(wanted).await?;
    Ok(HttpResponse::Ok().json(ReservedView::new(reservation, context.is_dry_run())))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    num_compute_units: Option<ComputeUnits>,
    #[serde(default)]
    lease_s: Option<u64>,
}

async fn change(context: RequestContext, path: Path<String>, body: JsonBody<Change>) -> ApiResult {
    let change = ReservationChange {
        num_compute_units: body.value.num_compute_units,
        lease: lease(body.value.lease_s)?,
    };
    let id = segment("reservation_id", &path)?;
    let operator = context.operator(&body);
    let changed = operator.change_reservation(id, change).await?;
    Ok(HttpResponse::Ok().json(ReservationView::from(changed)))
}

async fn release(operator: Data<Operator>, path: Path<String>) -> ApiResult {
    let id: ReservationId = segment("reservation_id", &path)?;
    operator.release_reservation(id).await?;
    Ok(HttpResponse::Ok().json(json!({"num_released": 1})))
}

async fn release_held_by(operator: Data<Operator>, request: HttpRequest) -> ApiResult {
    let holder = tag("holder", query::value(&request, "holder")?)?;
    let holder = holder.ok_or_else(|| {
        ApiError::invalid(
            "Name the holder to release with `?holder=`, or a reservation in the path.",
        )
    })?;
    let released = operator.release_held_by(&holder).await?;
    Ok(HttpResponse::Ok().json(json!({"num_released": released})))
}

async fn list(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    let page = list.page::<ReservationId>()?;
    let stack = list.parameter("stack_small_id")?;
    let filter = ReservationFilter {
        holder: tag("holder", list.parameter("holder")?)?,
        stack: stack.map(|id| whole("stack_small_id", &id)).transpose()?,
    };
    let open = operator.reservations(&filter, one_more(page)).await?;
    list.respond(page, open, |open| open.id, ReservationView::from)
        .await
}

/// A lease of so many seconds.
fn lease(seconds: Option<u64>) -> Result<Option<Lease>, ApiError> {
    let lease = seconds.map(|seconds| Lease::from_ms(seconds.saturating_mul(1_000)));
    lease.transpose().map_err(|_| {
        ApiError::invalid(
            "`lease_s` must be from 1 to 3600. To hold units for longer, renew the lease.",
        )
    })
}
