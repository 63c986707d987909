//! Lists in pages.

use std::marker::PhantomData;

use reqwest::Method;
use serde::de::DeserializeOwned;

use crate::{Client, ClientError};

/// The most entries of a page.
const LARGEST_PAGE: u32 = 10_000;

/// A list that is read page by page. Transactions and alarms come newest first, attestations that are due by epoch, then stack,
/// and everything else by ascending id.
#[derive(Clone, Debug)]
pub struct List<'a, T> {
    client: &'a Client,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    /// The query of the next page, as the daemon gave it.
    next: Option<String>,
    is_finished: bool,
    entries: PhantomData<fn() -> T>,
}

impl<'a, T: DeserializeOwned> List<'a, T> {
    pub(crate) fn new(client: &'a Client, path: &[&str]) -> Self {
        Self {
            client,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            next: None,
            is_finished: false,
            entries: PhantomData,
        }
    }

    /// Adds a segment to the path, if there is one.
    pub(crate) fn below(mut self, segment: Option<impl ToString>) -> Self {
        self.path.extend(segment.map(|segment| segment.to_string()));
        self
    }

    /// Adds a parameter, if it has a value.
    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query
            .extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// How many entries a page has, from 1 to 10,000; by default 1,000.
    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        self.with("limit", Some(limit))
    }

    /// The next page, or nothing after the last.
    ///
    /// # Errors
    /// When the daemon can't be reached or refuses.
    pub async fn page(&mut self) -> Result<Option<Vec<T>>, ClientError> {
        if self.is_finished {
            return Ok(None);
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let mut request = self.client.request(Method::GET, &path)?;
        request = match &self.next {
            Some(next) => {
                let pairs: Vec<(String, String)> =
                    reqwest::Url::parse(&format!("http://list/?{next}"))
                        .map_err(|_| ClientError::InvalidUrl)?
                        .query_pairs()
                        .into_owned()
                        .collect();
                request.query(&pairs)
            }
            None => request.query(&self.query),
        };
        let mut answer = self.client.send(request).await?;
        let entries = answer.decode()?;
        let next = answer.next.take();
        // The same page twice would never end.
        self.is_finished = next.is_none() || next == self.next;
        self.next = next;
        Ok(Some(entries))
    }

    /// The first entries, and whether there are more.
    ///
    /// # Errors
    /// When a page can't be read.
    pub async fn first(mut self, count: usize) -> Result<(Vec<T>, bool), ClientError> {
        let limit = u32::try_from(count).unwrap_or(u32::MAX);
        self = self.limit(limit.clamp(1, LARGEST_PAGE));
        let mut first = Vec::new();
        while first.len() < count
            && let Some(page) = self.page().await?
        {
            first.extend(page);
        }
        let has_more = first.len() > count || !self.is_finished;
        first.truncate(count);
        Ok((first, has_more))
    }

    /// All entries, of all pages.
    ///
    /// # Errors
    /// When there are more than `most`, or a page can't be read.
    pub async fn all(mut self, most: usize) -> Result<Vec<T>, ClientError> {
        let mut all = Vec::new();
        while let Some(page) = self.page().await? {
            all.extend(page);
            if all.len() > most {
                return Err(ClientError::TooMany { most });
            }
        }
        Ok(all)
    }
}
