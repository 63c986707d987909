//! Lists: a bounded number of them at a time, in pages.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{Accept, ContentType, ETag, EntityTag, Header, IfNoneMatch, LINK};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use atoma_domain::journal::Failure;
use atoma_domain::ports::Page;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use xxhash_rust::xxh3::Xxh3;

use crate::error::{ApiError, ApiResult};
use crate::limits::ApiLimits;
use crate::openapi::{Query, Values};
use crate::paging::{PageKey, next_page, read_page};
use crate::query;

/// The query parameters of every list.
pub(crate) const PAGING: &[Query] = &[LIMIT, CURSOR];

pub(crate) const LIMIT: Query = Query {
    name: "limit",
    about: "How many entries the page may have.",
    is_required: false,
    values: Values::Limit,
};

pub(crate) const CURSOR: Query = Query {
    name: "cursor",
    about: "Where the page begins; from the `Link` header of the page before.",
    is_required: false,
    values: Values::Text("^[0-9]{1,20}$"),
};

/// The query parameters of lists whose entries have two ids.
pub(crate) const PAIR_PAGING: &[Query] = &[
    LIMIT,
    Query {
        values: Values::Text("^[0-9]{1,20}-[0-9]{1,20}$"),
        ..CURSOR
    },
];

/// How many entries are written as JSON sooner than another thread would take the work over.
const SHORT: usize = 100;

/// The turns of lists: how many are read at once, and how many are in memory until their client has
/// them.
#[derive(Debug)]
pub(crate) struct ListTurns {
    reading: Arc<Semaphore>,
    answers: Arc<Semaphore>,
    wait: Duration,
}

impl ListTurns {
    pub(crate) fn new(limits: &ApiLimits) -> Self {
        Self {
            reading: Arc::new(Semaphore::new(limits.lists)),
            answers: Arc::new(Semaphore::new(limits.list_answers)),
            wait: limits.list_wait,
        }
    }

    /// Waits for a turn, for a bounded time.
    async fn take(&self) -> Result<Turn, ApiError> {
        let both = async {
            let answer = Arc::clone(&self.answers).acquire_owned().await.map(Held);
            let reading = Arc::clone(&self.reading).acquire_owned().await.map(Held);
            Some(Turn {
                _reading: reading.ok()?,
                answer: answer.ok()?,
            })
        };
        let turn = tokio::time::timeout(self.wait, both).await;
        turn.ok().flatten().ok_or(ApiError::Busy { what: "lists" })
    }
}

/// A permit that lists hold while they read the local database, and never across a call to the network.
#[derive(Debug)]
struct Held(#[expect(dead_code, reason = "it is only dropped")] OwnedSemaphorePermit);

#[derive(Debug)]
struct Turn {
    _reading: Held,
    answer: Held,
}

/// A request for a list, which has its turn until it is answered or its client leaves.
#[derive(Debug)]
pub(crate) struct ListRequest {
    request: HttpRequest,
    /// `None` for a list that is always short.
    turn: Option<Turn>,
}

/// A request for a list that is always short, such as the operator's nodes. It needs no turn.
#[derive(Debug)]
pub(crate) struct ShortListRequest(pub(crate) ListRequest);

impl FromRequest for ShortListRequest {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        ready(Ok(Self(ListRequest {
            request,
            turn: None,
        })))
    }
}

impl FromRequest for ListRequest {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let turns = request.app_data::<Data<ListTurns>>().cloned();
        let request = request.clone();
        Box::pin(async move {
            let turns = turns.ok_or_else(|| Failure::Internal {
                reason: String::from("the API runs without its limits"),
            })?;
            let turn = Some(turns.take().await?);
            Ok(Self { request, turn })
        })
    }
}

impl ListRequest {
    /// The page that the query selects.
    pub(crate) fn page<K: PageKey>(&self) -> Result<Page<K>, ApiError> {
        read_page(self.parameter("limit")?, self.parameter("cursor")?)
    }

    /// The value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Result<Option<String>, ApiError> {
        query::value(&self.request, name)
    }

    /// Whether the header `Accept` names this media type, and JSON not before it.
    pub(crate) fn prefers(&self, wanted: &str) -> bool {
        let Ok(accept) = Accept::parse(&self.request) else {
            return false;
        };
        let mut ranked = accept.ranked().into_iter();
        let first = ranked.find(|range| {
            let range = range.essence_str();
            range == wanted || ["application/json", "application/*", "*/*"].contains(&range)
        });
        first.is_some_and(|range| range.essence_str() == wanted)
    }

    /// Answers with a page as a plain array, and with a `Link` to the next one if there is one. `items`
    /// must be read with [`one_more`](crate::paging::one_more).
    pub(crate) async fn respond<I, V, K>(
        self,
        page: Page<K>,
        items: Vec<I>,
        key: impl Fn(&I) -> K,
        view: impl Fn(I) -> V,
    ) -> ApiResult
    where
        V: Serialize + Send + 'static,
        K: PageKey,
    {
        let (mut response, items, next) = self.begin(page, items, key);
        let views: Vec<_> = items.into_iter().map(view).collect();
        let internal = |error: &dyn std::error::Error| Failure::Internal {
            reason: error.to_string(),
        };
        let is_short = views.len() <= SHORT;
        let write = move || {
            let json = serde_json::to_vec(&views)?;
            let tag = entity_tag(&json, next.as_deref());
            Ok::<_, serde_json::Error>((json, tag))
        };
        let written = match is_short {
            true => write(),
            // A long list takes a while, in which this thread goes on with other requests.
            false => actix_web::web::block(write)
                .await
                .map_err(|error| internal(&error))?,
        };
        let (json, tag) = written.map_err(|error| internal(&error))?;
        response.insert_header(ETag(tag.clone()));
        if is_known(&self.request, &tag) {
            return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
        }
        Ok(response.content_type(ContentType::json()).body(ListBody {
            json: Bytes::from(json),
            _held: self.turn.map(|turn| turn.answer),
        }))
    }

    /// Answers with a page as a text of this type, and with a `Link` to the next one, like [`respond`](Self::respond).
    pub(crate) fn respond_as_text<I, K: PageKey>(
        self,
        page: Page<K>,
        items: Vec<I>,
        content_type: &'static str,
        key: impl Fn(&I) -> K,
        text: impl FnOnce(Vec<I>) -> String,
    ) -> ApiResult {
        let (mut response, items, _) = self.begin(page, items, key);
        let text = text(items);
        Ok(response.content_type(content_type).body(ListBody {
            json: Bytes::from(text),
            _held: self.turn.map(|turn| turn.answer),
        }))
    }

    /// The answer with the `Link` to the next page, the page's items, and that link.
    fn begin<I, K: PageKey>(
        &self,
        page: Page<K>,
        mut items: Vec<I>,
        key: impl Fn(&I) -> K,
    ) -> (HttpResponseBuilder, Vec<I>, Option<String>) {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let mut response = HttpResponse::Ok();
        let next = items.last().filter(|_| has_more);
        let next = next.map(|last| next_page(&self.request, limit, &key(last).to_cursor()));
        if let Some(next) = &next {
            response.insert_header((LINK, format!("<{next}>; rel=\"next\"")));
        }
        (response, items, next)
    }
}

/// Identifies the content of a page and its link to the next, which comes and goes with the entries of later pages.
/// It is weak: compression changes the bytes, and not what they say.
fn entity_tag(json: &[u8], next: Option<&str>) -> EntityTag {
    // A list begins with a bracket, and no link has one: no other pair has the same bytes.
    let mut hash = Xxh3::new();
    hash.update(next.unwrap_or_default().as_bytes());
    hash.update(json);
    EntityTag::new_weak(format!("{:032x}", hash.digest128()))
}

/// Whether the client has this content already.
fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

/// The bytes of a list, which count as in memory until the client has them.
struct ListBody {
    json: Bytes,
    _held: Option<Held>,
}

impl MessageBody for ListBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.json.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Pin::new(&mut self.json).poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_without_a_turn_is_refused_after_a_while() {
        let turns = ListTurns::new(&ApiLimits {
            lists: 1,
            list_wait: Duration::ZERO,
            ..ApiLimits::default()
        });
        let first = turns.take().await.unwrap();
        assert!(matches!(turns.take().await, Err(ApiError::Busy { .. })));
        drop(first);
        assert!(turns.take().await.is_ok());
    }

    #[tokio::test]
    async fn a_list_in_memory_keeps_its_place_but_not_its_turn_to_read() {
        let turns = ListTurns::new(&ApiLimits {
            lists: 1,
            list_answers: 2,
            list_wait: Duration::ZERO,
            ..ApiLimits::default()
        });
        let body = |turn: Turn| ListBody {
            json: Bytes::from_static(b"[]"),
            _held: Some(turn.answer),
        };
        let first = body(turns.take().await.unwrap());
        let second = body(turns.take().await.unwrap());
        assert!(turns.take().await.is_err());
        drop(first);
        assert!(turns.take().await.is_ok());
        drop(second);
    }
}
