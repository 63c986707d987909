//! Lists in pages: `?limit=` and `?cursor=`, and a `Link` header to the next page.

use actix_web::HttpRequest;
use atoma_domain::Epoch;
use atoma_domain::ports::Page;

use crate::error::ApiError;

/// How many entries a page has unless the request says otherwise.
pub(crate) const DEFAULT_LIMIT: u32 = 1_000;
/// How many entries a page may have.
pub(crate) const LARGEST_LIMIT: u32 = 10_000;

/// A key that a list is ordered by, as the text of `?cursor=`.
pub(crate) trait PageKey: Sized {
    /// The key of a cursor.
    fn from_cursor(text: &str) -> Option<Self>;
    /// The cursor that continues after this key.
    fn to_cursor(&self) -> String;
}

macro_rules! id_page_key {
    ($($id:ty),*) => { $(
        impl PageKey for $id {
            fn from_cursor(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn to_cursor(&self) -> String {
                self.to_string()
            }
        }
    )* };
}

id_page_key!(
    atoma_domain::AlarmId,
    atoma_domain::NodeSmallId,
    atoma_domain::StackSmallId,
    atoma_domain::TaskSmallId,
    atoma_domain::IntentId,
    atoma_domain::ReservationId
);

impl PageKey for Epoch {
    fn from_cursor(text: &str) -> Option<Self> {
        // As the ids: digits only, without a sign.
        let number = (!text.starts_with('+')).then(|| text.parse());
        number?.ok().map(Self::new)
    }

    fn to_cursor(&self) -> String {
        self.to_string()
    }
}

impl<A: PageKey, B: PageKey> PageKey for (A, B) {
    fn from_cursor(text: &str) -> Option<Self> {
        let (first, second) = text.split_once('-')?;
        Some((A::from_cursor(first)?, B::from_cursor(second)?))
    }

    fn to_cursor(&self) -> String {
        format!("{}-{}", self.0.to_cursor(), self.1.to_cursor())
    }
}

/// The page that a list's `limit` and `cursor` select.
pub(crate) fn read_page<K: PageKey>(
    limit: Option<String>,
    cursor: Option<String>,
) -> Result<Page<K>, ApiError> {
    let limit = match limit {
        None => DEFAULT_LIMIT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
            .ok_or_else(|| {
                ApiError::invalid(format!("`limit` must be from 1 to {LARGEST_LIMIT}."))
            })?,
    };
    let after = match cursor {
        None => None,
        Some(text) => Some(K::from_cursor(&text).ok_or_else(|| {
            ApiError::invalid("`cursor` must come from the `Link` header of an earlier response.")
        })?),
    };
    Ok(Page { after, limit })
}

/// The page with one entry more, which shows whether a next page exists.
pub(crate) fn one_more<K>(page: Page<K>) -> Page<K> {
    Page {
        limit: page.limit + 1,
        ..page
    }
}

/// The request's own path and query, with the limit and the cursor of the next page.
pub(crate) fn next_page(request: &HttpRequest, limit: usize, cursor: &str) -> String {
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
    fn the_next_page_keeps_the_filters() {
        let request = |uri| TestRequest::get().uri(uri).to_http_request();
        assert_eq!(
            next_page(&request("/stacks?limit=2&cursor=4"), 2, "6"),
            "/stacks?limit=2&cursor=6"
        );
        assert_eq!(
            next_page(&request("/transactions?status=failed&limit=2"), 2, "6"),
            "/transactions?status=failed&limit=2&cursor=6"
        );
        assert_eq!(
            next_page(&request("/tasks"), 5, "1"),
            "/tasks?limit=5&cursor=1"
        );
    }
}
