//! The autopilot: how it stands, what it has to do, and its switch.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path};
use atoma_api_types::{AutopilotView, DutyView, PauseRequest, PauseScopeView};
use atoma_domain::autopilot::{Duty, DutyKind, PauseScope};
use atoma_domain::{NodeSmallId, StackSmallId};
use atoma_operator::{Autopilot, AutopilotMode};

use super::endpoint::Endpoint;
use crate::body::JsonBody;
use crate::error::{ApiError, ApiResult};
use crate::lists::{CURSOR, LIMIT, ListRequest};
use crate::openapi::{Query, Tag, Values, describe};
use crate::paging::PageKey;
use crate::params::whole;
use crate::views::{autopilot_view, duty_view};

/// The names of the ways in which a duty stands.
const STANDINGS: [&str; 3] = ["due", "waiting", "blocked"];
/// The names of the kinds of duties.
const KINDS: [&str; 4] = ["attest", "settle", "claim", "withdraw"];

/// The query parameters of the list of duties: filters, and the page.
const FILTERS: &[Query] = &[
    Query {
        name: "duty",
        about: "Only duties of this kind.",
        is_required: false,
        values: Values::Name(&KINDS),
    },
    Query {
        name: "standing",
        about: "Only duties that stand so.",
        is_required: false,
        values: Values::Name(&STANDINGS),
    },
    Query {
        name: "node_small_id",
        about: "Only duties of this node.",
        is_required: false,
        values: Values::Id,
    },
    LIMIT,
    CURSOR_OF_DUTIES,
];

pub(super) fn endpoints() -> Vec<Endpoint> {
    let describe = |id, summary| describe(id, Tag::Autopilot, summary);
    vec![
        Endpoint::at("/autopilot").get(
            describe(
                "autopilot",
                "How the autopilot stands: its rules, why it is paused, and what comes next.",
            )
            .answers::<AutopilotView>(200, "The autopilot.")
            .errors(&["sui_node_error"]),
            autopilot,
        ),
        Endpoint::at("/autopilot/pause").write(
            Method::POST,
            describe(
                "pause_autopilot",
                "Pauses the autopilot until somebody resumes it. What is under way goes on. The pause outlasts a restart.",
            )
            .may_take::<PauseRequest>()
            .answers::<AutopilotView>(200, "The autopilot, which is paused."),
            pause,
        ),
        Endpoint::at("/autopilot/resume").write(
            Method::POST,
            describe(
                "resume_autopilot",
                "Lets the autopilot go on. The disputes and failures of today pause it no more.",
            )
            .answers::<AutopilotView>(200, "The autopilot. If its pause file exists, it is still paused."),
            resume,
        ),
        Endpoint::at("/duties").get(
            describe(
                "list_duties",
                "Lists what the operator's nodes have to do now or later, and why. It doesn't matter whether the \
                 autopilot is on.",
            )
            .query(FILTERS)
            .lists::<DutyView>()
            .errors(&["sui_node_error"]),
            duties,
        ),
        Endpoint::at("/duties/{stack_small_id}").get(
            describe(
                "list_duties_of_stack",
                "Lists what the operator's nodes have to do about a stack; empty if nothing: it is paid, unknown or of \
                 another operator.",
            )
            .query(&[LIMIT, CURSOR_OF_DUTIES])
            .lists::<DutyView>()
            .errors(&["sui_node_error"]),
            duties_of_stack,
        ),
    ]
}

const CURSOR_OF_DUTIES: Query = Query {
    values: Values::Text("^(attest|settle|claim|withdraw)-[0-9]{1,20}-[0-9]{1,20}$"),
    ..CURSOR
};

/// The order of a list of duties. One that is about no stack counts as one about stack 0.
type DutyPageKey = (DutyKind, (StackSmallId, NodeSmallId));

impl PageKey for DutyKind {
    fn from_cursor(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }

    fn to_cursor(&self) -> String {
        self.name().to_owned()
    }
}

async fn autopilot(autopilot: Data<Autopilot>) -> ApiResult {
    respond(&autopilot).await
}

async fn pause(autopilot: Data<Autopilot>, body: JsonBody<PauseRequest>) -> ApiResult {
    let scope = match body.value.scope {
        PauseScopeView::AllButAttestations => PauseScope::AllButAttestations,
        PauseScopeView::All => PauseScope::All,
    };
    autopilot.pause(scope, body.value.note).await?;
    respond(&autopilot).await
}

async fn resume(autopilot: Data<Autopilot>) -> ApiResult {
    autopilot.resume().await?;
    respond(&autopilot).await
}

async fn respond(autopilot: &Autopilot) -> ApiResult {
    let status = autopilot.status().await?;
    // One that is off has not looked.
    let fresh = match (&status.latest, status.mode) {
        (None, AutopilotMode::Off) => autopilot.survey().await.ok(),
        _ => None,
    };
    let survey = status.latest.as_deref().or(fresh.as_ref());
    let view = autopilot_view(&status, survey, &autopilot.config().policy);
    Ok(HttpResponse::Ok().json(view))
}

async fn duties(autopilot: Data<Autopilot>, list: ListRequest) -> ApiResult {
    let kind = name(&list, "duty", &KINDS)?;
    let standing = name(&list, "standing", &STANDINGS)?;
    let node = list.parameter("node_small_id")?;
    let node = node
        .map(|node| whole("node_small_id", &node))
        .transpose()?
        .map(NodeSmallId::new);
    let survey = autopilot.survey().await?;
    let wanted = survey.duties.into_iter().filter(|duty| {
        kind.is_none_or(|kind| kind == duty.kind.name())
            && standing.is_none_or(|standing| standing == duty.standing.name())
            && node.is_none_or(|node| node == duty.node_small_id)
    });
    list_duties(list, wanted.collect()).await
}

async fn duties_of_stack(
    autopilot: Data<Autopilot>,
    list: ListRequest,
    stack: Path<String>,
) -> ApiResult {
    let stack = StackSmallId::new(whole("stack_small_id", &stack)?);
    let duties = autopilot.explain(stack).await?;
    list_duties(list, duties).await
}

async fn list_duties(list: ListRequest, mut duties: Vec<Duty>) -> ApiResult {
    let page = list.page::<DutyPageKey>()?;
    let key = |duty: &Duty| {
        let stack = duty.stack_small_id.unwrap_or(StackSmallId::new(0));
        (duty.kind, (stack, duty.node_small_id))
    };
    duties.sort_by_key(key);
    duties.retain(|duty| page.after.is_none_or(|after| key(duty) > after));
    list.respond(page, duties, key, |duty| duty_view(&duty))
        .await
}

/// The value of a parameter that is one of these names.
fn name(
    list: &ListRequest,
    parameter: &'static str,
    names: &'static [&'static str],
) -> Result<Option<&'static str>, ApiError> {
    let Some(given) = list.parameter(parameter)? else {
        return Ok(None);
    };
    let known = names.iter().find(|name| **name == given);
    let known = known.ok_or_else(|| {
        ApiError::invalid(format!(
            "`{parameter}` must be one of `{}`.",
            names.join("`, `")
        ))
    })?;
    Ok(Some(known))
}
