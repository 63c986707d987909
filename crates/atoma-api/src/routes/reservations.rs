//! Reserving compute units for requests in progress.

use actix_web::http::Method;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use atoma_api_types::{
    ReleasedView, ReservationRequest, ReservationUpdate, ReservationView, ReservedView,
};
use atoma_domain::ReservationId;
use atoma_domain::model::{Lease, ReservationChange, StackChoice};
use atoma_domain::ports::ReservationFilter;
use atoma_operator::{Operator, WantedUnits};

use super::endpoint::Endpoint;
use crate::body::JsonBody;
use crate::error::{ApiError, ApiResult};
use crate::lists::{CURSOR, LIMIT, ListRequest};
use crate::openapi::{Query, Tag, Values, codes, describe};
use crate::paging::one_more;
use crate::params::{digest, segment, tag, whole};
use crate::query::{self, TRIED};
use crate::request_context::RequestContext;
use crate::views::{reservation_view, reserved_view};

/// The query parameters of the list: filters, and the page.
const FILTERS: &[Query] = &[
    Query {
        is_required: false,
        ..HOLDER
    },
    Query {
        name: "stack_small_id",
        about: "Only reservations of this stack.",
        is_required: false,
        values: Values::Id,
    },
    LIMIT,
    CURSOR,
];

const HOLDER: Query = Query {
    name: "holder",
    about: "The tag of a service instance.",
    is_required: true,
    values: Values::Text("^[!-~]{1,128}$"),
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let describe = |id, summary| describe(id, Tag::ServedWork, summary);
    let write = &["not_ready", "shutting_down"];
    vec![
        Endpoint::at("/reservations")
            .get(
                describe("list_reservations", "Lists the open reservations.")
                    .query(FILTERS)
                    .lists::<ReservationView>()
                    .errors(codes::STATE),
                list,
            )
            .write(
                Method::POST,
                describe(
                    "reserve_units",
                    "Reserves compute units on one of the owner's stacks, the fullest first.",
                )
                .query(TRIED)
                .takes_key()
                .takes::<ReservationRequest>()
                .answers::<ReservedView>(200, "The units are reserved, or would be.")
                .errors(write)
                .errors(&[
                    "no_stack",
                    "unknown_stack",
                    "unknown_task",
                    "unknown_purchase",
                    "not_a_purchase",
                    "not_enough_units",
                    "stack_locked",
                    "sui_node_error",
                ]),
                reserve,
            )
            .write(
                Method::DELETE,
                describe(
                    "release_reservations",
                    "Releases all reservations of a holder.",
                )
                .query(&[HOLDER])
                .answers::<ReleasedView>(200, "They are released.")
                .errors(write),
                release_held_by,
            ),
        Endpoint::at("/reservations/{reservation_id}")
            .write(
                Method::PATCH,
                describe(
                    "change_reservation",
                    "Corrects the units of a reservation, or renews it.",
                )
                .takes::<ReservationUpdate>()
                .answers::<ReservationView>(200, "The reservation as it is now.")
                .errors(write)
                .errors(&["unknown_reservation", "not_enough_units"]),
                change,
            )
            .write(
                Method::DELETE,
                describe("release_reservation", "Releases a reservation.")
                    .answers::<ReleasedView>(200, "It is released.")
                    .errors(write)
                    .errors(&["unknown_reservation"]),
                release,
            ),
    ]
}

/// The stack, or how it is chosen.
fn stack_choice(request: &ReservationRequest) -> Result<StackChoice, ApiError> {
    match (
        request.stack_small_id,
        request.task_small_id,
        &request.model_name,
    ) {
        (Some(stack), None, None) => Ok(StackChoice::Stack(stack)),
        (None, Some(task), None) => Ok(StackChoice::Task(task)),
        (None, None, Some(model)) => Ok(StackChoice::Model(model.clone())),
        _ => Err(ApiError::invalid(
            "Send exactly one of `stack_small_id`, `task_small_id` and `model_name`.",
        )),
    }
}

async fn reserve(context: RequestContext, body: JsonBody<ReservationRequest>) -> ApiResult {
    let operator = context.operator(&body);
    let wanted = body.value;
    let wanted = WantedUnits {
        owner: wanted.owner_address,
        stack: stack_choice(&wanted)?,
        num_compute_units: wanted.num_compute_units,
        lease: lease(wanted.lease_s)?.unwrap_or_default(),
        purchase: wanted
            .purchase_tx_digest
            .map(|text| digest("purchase_tx_digest", &text))
            .transpose()?,
        holder: tag("holder", wanted.holder)?,
    };
    let reservation = operator.reserve(wanted).await?;
    Ok(HttpResponse::Ok().json(reserved_view(&reservation, context.is_dry_run())))
}

async fn change(
    operator: Data<Operator>,
    path: Path<String>,
    body: JsonBody<ReservationUpdate>,
) -> ApiResult {
    let change = ReservationChange {
        num_compute_units: body.value.num_compute_units,
        lease: lease(body.value.lease_s)?,
    };
    let id = segment("reservation_id", &path)?;
    let changed = operator.change_reservation(id, change).await?;
    Ok(HttpResponse::Ok().json(reservation_view(&changed)))
}

async fn release(operator: Data<Operator>, path: Path<String>) -> ApiResult {
    let id: ReservationId = segment("reservation_id", &path)?;
    operator.release_reservation(id).await?;
    Ok(HttpResponse::Ok().json(ReleasedView { num_released: 1 }))
}

async fn release_held_by(operator: Data<Operator>, request: HttpRequest) -> ApiResult {
    let holder = tag("holder", query::value(&request, "holder")?)?;
    let holder = holder.ok_or_else(|| {
        ApiError::invalid(
            "Name the holder to release with `?holder=`, or a reservation in the path.",
        )
    })?;
    let released = operator.release_held_by(&holder).await?;
    Ok(HttpResponse::Ok().json(ReleasedView {
        num_released: released,
    }))
}

async fn list(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    let page = list.page::<ReservationId>()?;
    let stack = list.parameter("stack_small_id")?;
    let filter = ReservationFilter {
        holder: tag("holder", list.parameter("holder")?)?,
        stack: stack.map(|id| whole("stack_small_id", &id)).transpose()?,
    };
    let open = operator.reservations(&filter, one_more(page)).await?;
    list.respond(page, open, |open| open.id, |open| reservation_view(&open))
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
