//! Alarms: what the operator must look at.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path};
use atoma_api_types::{AlarmTestView, AlarmView};
use atoma_domain::AlarmId;
use atoma_domain::alarms::AlarmState;
use atoma_operator::Operator;

use super::endpoint::Endpoint;
use crate::error::{ApiError, ApiResult};
use crate::lists::{CURSOR, LIMIT, ListRequest};
use crate::openapi::{Query, Tag, Values, describe};
use crate::paging::one_more;
use crate::params::segment;
use crate::views::{alarm_test_view, alarm_view};

/// The query parameters of the list: a filter, and the page.
const FILTER: &[Query] = &[
    Query {
        name: "state",
        about: "Only alarms that stand like this.",
        is_required: false,
        values: Values::Name(&AlarmState::NAMES),
    },
    LIMIT,
    CURSOR,
];

pub(super) fn endpoints() -> Vec<Endpoint> {
    let describe = |id, summary| describe(id, Tag::Daemon, summary);
    vec![
        Endpoint::at("/alarms").get(
            describe(
                "list_alarms",
                "Lists what the operator must look at, newest first, with what is over.",
            )
            .query(FILTER)
            .lists::<AlarmView>(),
            alarms,
        ),
        Endpoint::at("/alarms/{alarm_id}/acknowledge").write(
            Method::POST,
            describe(
                "acknowledge_alarm",
                "Acknowledges an alarm: no reminders of it are sent. Repeating it does nothing.",
            )
            .answers::<AlarmView>(200, "The alarm as it is now.")
            .errors(&["unknown_alarm"]),
            acknowledge,
        ),
        Endpoint::at("/alarms/test").write(
            Method::POST,
            describe(
                "test_alarms",
                "Sends a test message to every receiver of alarms, and waits for their answers.",
            )
            .answers::<AlarmTestView>(200, "How each receiver took it."),
            test,
        ),
    ]
}

async fn alarms(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    let page = list.page::<AlarmId>()?;
    let state = list.parameter("state")?.map(|name| {
        AlarmState::from_name(&name).ok_or_else(|| {
            let names = AlarmState::NAMES.join(", ");
            ApiError::invalid(format!("`state` must be one of {names}."))
        })
    });
    let alarms = operator.alarms(state.transpose()?, one_more(page)).await?;
    list.respond(page, alarms, |alarm| alarm.id, alarm_view)
        .await
}

async fn acknowledge(operator: Data<Operator>, path: Path<String>) -> ApiResult {
    let id = segment("alarm_id", &path)?;
    let alarm = operator.acknowledge_alarm(id).await?;
    Ok(HttpResponse::Ok().json(alarm_view(alarm)))
}

async fn test(operator: Data<Operator>) -> ApiResult {
    let told = operator.test_alarms().await;
    Ok(HttpResponse::Ok().json(alarm_test_view(told)))
}
