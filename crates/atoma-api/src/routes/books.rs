//! The books: totals, lines for accounting, differences, and the history of a stack.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use atoma_api_types::{BookLineView, BooksCheckedView, EarningsView, StackHistoryView};
use atoma_domain::TimestampMs;
use atoma_domain::books::Grouping;
use atoma_domain::ports::Period;
use atoma_operator::{BookFilter, LinePlace, Operator};
use time::{Date, Month};

use super::beginnings::state_list;
use super::endpoint::Endpoint;
use super::node_path::nodes;
use crate::error::{ApiError, ApiResult};
use crate::lists::{CURSOR, LIMIT, ListRequest};
use crate::openapi::{Query, Tag, Values, codes, describe};
use crate::paging::{PageKey, one_more};
use crate::params::{segment, shown};
use crate::views::{book_line_view, books_checked_view, earnings_view, stack_history_view};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at("/earnings").get(
            state_list(
                "list_earnings",
                "Lists the totals of the books by node, task, epoch or day, as JSON or CSV.",
            )
            .query(EARNINGS)
            .lists_or_writes::<EarningsView>("text/csv")
            .errors(codes::NODE),
            earnings,
        ),
        Endpoint::at("/earnings/lines").get(
            state_list(
                "list_book_lines",
                "Lists every amount of the books and the gas with its transaction, for accounting, as JSON or CSV.",
            )
            .query(LINES)
            .lists_or_writes::<BookLineView>("text/csv")
            .errors(codes::NODE),
            lines,
        ),
        Endpoint::at("/earnings/differences").get(
            describe(
                "check_books",
                Tag::State,
                "Compares the books with the events and with the changes of balances.",
            )
            .answers::<BooksCheckedView>(200, "What was found.")
            .errors(codes::STATE)
            .errors(codes::LIST),
            differences,
        ),
        Endpoint::at("/stacks/{stack_small_id}/history").get(
            describe(
                "get_stack_history",
                Tag::State,
                "Tells what happened to a stack, how far it is, and why it stands still.",
            )
            .answers::<StackHistoryView>(200, "The history.")
            .errors(codes::STATE)
            .errors(codes::LIST)
            .errors(&["unknown_stack", "unknown_node"]),
            history,
        ),
    ]
}

const DATE: Values = Values::Text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
const NODE: Query = Query {
    name: "node_small_id",
    about: "Only this node.",
    is_required: false,
    values: Values::Id,
};
const FROM: Query = Query {
    name: "from",
    about: "The first day, in UTC.",
    is_required: false,
    values: DATE,
};
const TO: Query = Query {
    name: "to",
    about: "The last day, in UTC; not before the first.",
    is_required: false,
    values: DATE,
};
const FORMAT: Query = Query {
    name: "format",
    about: "`json`, or `csv` with a line of headings; by default what the header `Accept` prefers.",
    is_required: false,
    values: Values::Name(&FORMATS),
};
const GROUPINGS: [&str; 4] = ["node", "task", "epoch", "day"];
const CSV: &str = "text/csv; charset=utf-8";
const FORMATS: [&str; 2] = ["json", "csv"];
const EARNINGS: &[Query] = &[
    LIMIT,
    CURSOR,
    Query {
        name: "by",
        about: "What the totals are kept apart by; by default the node.",
        is_required: false,
        values: Values::Name(&GROUPINGS),
    },
    NODE,
    FROM,
    TO,
    FORMAT,
];
const LINES: &[Query] = &[
    LIMIT,
    Query {
        values: Values::Text("^g?[0-9]{1,20}-[0-9]{1,20}$"),
        ..CURSOR
    },
    NODE,
    FROM,
    TO,
    FORMAT,
];

/// The place of totals in their list. Those that belong to no group come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GroupKey(u64);

impl GroupKey {
    fn of(group: Option<u64>) -> Self {
        Self(group.unwrap_or(u64::MAX))
    }
}

impl PageKey for GroupKey {
    fn from_cursor(text: &str) -> Option<Self> {
        (!text.starts_with('+')).then(|| text.parse().ok().map(Self))?
    }

    fn to_cursor(&self) -> String {
        self.0.to_string()
    }
}

/// The place of a line, as a cursor. That of gas begins with a `g`.
#[derive(Clone, Copy, Debug)]
struct LineKey(LinePlace);

impl PageKey for LineKey {
    fn from_cursor(text: &str) -> Option<Self> {
        let gas = text.strip_prefix('g');
        let (transaction, place) = gas.unwrap_or(text).split_once('-')?;
        let transaction = GroupKey::from_cursor(transaction)?.0;
        let place = GroupKey::from_cursor(place)?.0;
        Some(Self(match gas {
            Some(_) => LinePlace::Gas(transaction, place),
            None => LinePlace::Amount(transaction, place),
        }))
    }

    fn to_cursor(&self) -> String {
        match self.0 {
            LinePlace::Amount(transaction, place) => format!("{transaction}-{place}"),
            LinePlace::Gas(attempt, place) => format!("g{attempt}-{place}"),
        }
    }
}

async fn earnings(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    let by = match list.parameter("by")?.as_deref() {
        None | Some("node") => Grouping::Node,
        Some("task") => Grouping::Task,
        Some("epoch") => Grouping::Epoch,
        Some("day") => Grouping::Day,
        Some(other) => return Err(not_one_of("by", &GROUPINGS, other)),
    };
    let is_csv = wants_csv(&list)?;
    let filter = filter(&operator, &list).await?;
    let page = list.page::<GroupKey>()?;
    let totals = operator.earnings(by, &filter).await?;
    let limit = usize::try_from(one_more(page).limit).unwrap_or(usize::MAX);
    let views = totals
        .iter()
        .filter(|totals| {
            page.after
                .is_none_or(|after| GroupKey::of(totals.group) > after)
        })
        .take(limit)
        .map(|totals| Ok((GroupKey::of(totals.group), earnings_view(by, totals)?)));
    let views = views.collect::<Result<Vec<_>, ApiError>>()?;
    let key = |(key, _): &(GroupKey, _)| *key;
    match is_csv {
        true => list.respond_as_text(page, views, CSV, key, |page| {
            let views: Vec<_> = page.into_iter().map(|(_, view)| view).collect();
            EarningsView::csv(&views)
        }),
        false => list.respond(page, views, key, |(_, view)| view).await,
    }
}

/// Whether the answer is wanted as CSV: by the parameter `format`, or by the header `Accept` without it.
fn wants_csv(list: &ListRequest) -> Result<bool, ApiError> {
    match list.parameter("format")?.as_deref() {
        None => Ok(list.prefers("text/csv")),
        Some("json") => Ok(false),
        Some("csv") => Ok(true),
        Some(other) => Err(not_one_of("format", &FORMATS, other)),
    }
}

async fn lines(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    let is_csv = wants_csv(&list)?;
    let filter = filter(&operator, &list).await?;
    let page = list.page::<LineKey>()?;
    let wanted = one_more(page);
    let wanted = atoma_domain::ports::Page {
        after: wanted.after.map(|key| key.0),
        limit: wanted.limit,
    };
    let lines = operator.book_lines(&filter, wanted).await?;
    let key = |(place, _): &(LinePlace, _)| LineKey(*place);
    let view = |(_, line)| book_line_view(&line);
    match is_csv {
        true => list.respond_as_text(page, lines, CSV, key, |page| {
            let views: Vec<_> = page.into_iter().map(view).collect();
            BookLineView::csv(&views)
        }),
        false => list.respond(page, lines, key, view).await,
    }
}

async fn differences(operator: Data<Operator>, _turn: ListRequest) -> ApiResult {
    operator.readiness().require().await?;
    let checked = operator.check_books().await?;
    Ok(HttpResponse::Ok().json(books_checked_view(&checked)))
}

async fn history(operator: Data<Operator>, _turn: ListRequest, stack: Path<String>) -> ApiResult {
    operator.readiness().require().await?;
    let stack = segment("stack_small_id", &stack)?;
    let history = operator.stack_history(stack).await?;
    Ok(HttpResponse::Ok().json(stack_history_view(stack, &history)))
}

/// The nodes and the period of a request.
async fn filter(operator: &Operator, list: &ListRequest) -> Result<BookFilter, ApiError> {
    let node = list.parameter("node_small_id")?;
    let from = list.parameter("from")?.map(|text| date("from", &text));
    let to = list.parameter("to")?.map(|text| date("to", &text));
    let (from, to) = (from.transpose()?, to.transpose()?);
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        return Err(ApiError::invalid(String::from(
            "`to` must not be before `from`: they are the last and the first day.",
        )));
    }
    let mut period = Period::ALWAYS;
    if let Some(from) = from {
        period.from = start_of(from);
    }
    if let Some(last) = to {
        // The day after; the last of all has none.
        period.until = last.next_day().map_or(period.until, start_of);
    }
    Ok(BookFilter {
        nodes: nodes(operator, node.as_deref())
            .await?
            .into_iter()
            .collect(),
        period,
    })
}

/// A date such as `2026-11-28`.
fn date(name: &str, text: &str) -> Result<Date, ApiError> {
    let parse = || {
        let mut parts = text.split('-');
        let mut part = |digits| -> Option<u16> {
            let part = parts.next().filter(|part| part.len() == digits)?;
            part.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| part.parse().ok())?
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        if parts.next().is_some() {
            return None;
        }
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()
    };
    parse().ok_or_else(|| {
        let given = shown(text);
        ApiError::invalid(format!(
            "`{name}` must be a date such as 2026-11-28, not `{given}`."
        ))
    })
}

/// The first millisecond of a day; that of 1970 for an earlier one.
fn start_of(day: Date) -> TimestampMs {
    let seconds = day.midnight().assume_utc().unix_timestamp();
    let seconds = u64::try_from(seconds).unwrap_or_default();
    TimestampMs::new(seconds.saturating_mul(1_000))
}

fn not_one_of(name: &str, names: &[&str], given: &str) -> ApiError {
    let names = names.join("`, `");
    let given = shown(given);
    ApiError::invalid(format!("`{name}` must be one of `{names}`, not `{given}`."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_whole_days_in_utc() {
        for (text, start) in [
            ("1970-01-01", Some(0)),
            ("2023-11-14", Some(1_699_920_000_000)),
            ("2024-02-29", Some(1_709_164_800_000)),
            ("2023-02-29", None),
            ("2023-13-01", None),
            ("23-01-01", None),
            ("2023-1-01", None),
            ("2023-01-01-", None),
            ("+023-01-01", None),
            ("", None),
        ] {
            let found = date("from", text).ok().map(|day| start_of(day).get());
            assert_eq!(found, start, "{text}");
        }
    }

    #[test]
    fn a_cursor_of_lines_has_two_numbers() {
        let read = |text| LineKey::from_cursor(text).map(|key| key.0);
        for (text, place) in [
            ("12-3", LinePlace::Amount(12, 3)),
            ("g12-3", LinePlace::Gas(12, 3)),
        ] {
            assert_eq!(read(text), Some(place));
            assert_eq!(LineKey(place).to_cursor(), text);
        }
        for text in ["gg1-2", "g", "12", "12-", "-3", "+1-2", "1-+2", "a-1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
