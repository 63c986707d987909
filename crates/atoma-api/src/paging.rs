//! Parts of lists: `?limit=` and `?cursor=`, with the next part told by a `Link` header.

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse};
use atoma_domain::ports::Page;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;

const DEFAULT_LIMIT: u32 = 1_000;
const LARGEST_LIMIT: u32 = 10_000;

/// The query of a list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ListQuery {
    limit: Option<String>,
    cursor: Option<String>,
}

/// A key that a list is ordered by, as a cursor's text.
pub(crate) trait Cursor: Sized {
    /// Reads it.
    fn parse(text: &str) -> Option<Self>;
    /// Writes it.
    fn print(&self) -> String;
}

macro_rules! id_cursor {
    ($($id:ty),*) => { $(
        impl Cursor for $id {
            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn print(&self) -> String {
                self.to_string()
            }
        }
    )* };
}

id_cursor!(
    atoma_domain::NodeSmallId,
    atoma_domain::StackSmallId,
    atoma_domain::TaskSmallId,
    atoma_domain::IntentId
);

impl<A: Cursor, B: Cursor> Cursor for (A, B) {
    fn parse(text: &str) -> Option<Self> {
        let (first, second) = text.split_once('-')?;
        Some((A::parse(first)?, B::parse(second)?))
    }

    fn print(&self) -> String {
        format!("{}-{}", self.0.print(), self.1.print())
    }
}

impl ListQuery {
    /// The part asked for.
    pub(crate) fn page<K: Cursor>(&self) -> Result<Page<K>, ApiError> {
        let limit = match &self.limit {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
                .ok_or_else(|| {
                    ApiError::invalid(format!("`limit` must be from 1 to {LARGEST_LIMIT}"))
                })?,
        };
        let after = match &self.cursor {
            None => None,
            Some(text) => Some(K::parse(text).ok_or_else(|| {
                ApiError::invalid("`cursor` must come from the `Link` header of an earlier answer")
            })?),
        };
        Ok(Page { after, limit })
    }
}

/// Reads one entry more than asked for, so that it is known whether there are more.
pub(crate) fn one_more<K>(page: Page<K>) -> Page<K> {
    Page {
        limit: page.limit + 1,
        ..page
    }
}

/// A list's part as a plain array, with the `Link` to the next where there is one. `items` was read
/// with [`one_more`].
pub(crate) fn answer<I, V: Serialize, K: Cursor>(
    request: &HttpRequest,
    limit: u32,
    mut items: Vec<I>,
    key: impl Fn(&I) -> K,
    view: impl Fn(I) -> V,
) -> HttpResponse {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let mut response = HttpResponse::Ok();
    if more && let Some(last) = items.last() {
        let cursor = key(last).print();
        response.insert_header((
            LINK,
            format!("<{}>; rel=\"next\"", next(request, limit, &cursor)),
        ));
    }
    response.json(items.into_iter().map(view).collect::<Vec<_>>())
}

/// The request's own path and query, with the limit and the cursor of the next part.
fn next(request: &HttpRequest, limit: usize, cursor: &str) -> String {
    let others: String = request
        .query_string()
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !name.is_empty() && name != "limit" && name != "cursor"
        })
        .flat_map(|pair| [pair, "&"])
        .collect();
    format!("{}?{others}limit={limit}&cursor={cursor}", request.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_next_part_keeps_the_filters() {
        let request = |uri| TestRequest::get().uri(uri).to_http_request();
        assert_eq!(
            next(&request("/stacks?limit=2&cursor=4"), 2, "6"),
            "/stacks?limit=2&cursor=6"
        );
        assert_eq!(
            next(&request("/transactions?status=failed&limit=2"), 2, "6"),
            "/transactions?status=failed&limit=2&cursor=6"
        );
        assert_eq!(next(&request("/tasks"), 5, "1"), "/tasks?limit=5&cursor=1");
    }
}
