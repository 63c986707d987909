//! The description of one operation.

use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Content, Required, Response, ResponseBuilder};

use super::codes;
use super::errors::{self, Bodies};
use super::parameter::{self, Query};
use super::schemas::{Reference, Schemas, reference, text_header};
use super::tag::Tag;

/// What the document says about an operation.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    id: &'static str,
    tag: Tag,
    summary: &'static str,
    query: &'static [Query],
    body: Option<Reference>,
    is_body_required: bool,
    takes_key: bool,
    is_public: bool,
    responses: Vec<(u16, &'static str, Answer)>,
    errors: Vec<&'static str>,
    error_bodies: Bodies,
}

/// What a response contains.
#[derive(Clone, Copy, Debug)]
enum Answer {
    One(Reference),
    /// A page of a list.
    Page(Reference),
    /// A page of a list, as JSON or as text of this type.
    PageOrText(Reference, &'static str),
    /// A JSON document.
    Any,
    /// Text of this type.
    Text(&'static str),
}

/// Begins the description of an operation. `summary` is one sentence or several.
pub(crate) fn describe(id: &'static str, tag: Tag, summary: &'static str) -> Description {
    Description {
        id,
        tag,
        summary,
        query: &[],
        body: None,
        is_body_required: true,
        takes_key: false,
        is_public: false,
        responses: Vec::new(),
        errors: [codes::ALWAYS, codes::LIMITED, codes::TOKEN].concat(),
        error_bodies: Bodies::default(),
    }
}

impl Description {
    /// The same operation under another id.
    pub(crate) const fn with_id(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }

    /// The names of its query parameters.
    pub(crate) fn query_names(&self) -> Vec<&'static str> {
        self.query.iter().map(|query| query.name).collect()
    }

    /// The codes of its errors.
    #[cfg(test)]
    pub(crate) fn codes(&self) -> &[&'static str] {
        &self.errors
    }

    /// It needs no token.
    pub(crate) fn public(mut self) -> Self {
        self.is_public = true;
        self.errors.retain(|code| !codes::TOKEN.contains(code));
        self
    }

    /// It counts towards no limit.
    pub(crate) fn unlimited(mut self) -> Self {
        self.errors.retain(|code| !codes::LIMITED.contains(code));
        self
    }

    /// Its query parameters.
    pub(crate) const fn query(mut self, query: &'static [Query]) -> Self {
        self.query = query;
        self
    }

    /// The JSON body of its requests.
    pub(crate) fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some(reference::<T>);
        self.errors(codes::BODY)
    }

    /// The JSON body of its requests, which may be missing.
    pub(crate) fn may_take<T: ToSchema>(mut self) -> Self {
        self.is_body_required = false;
        self.takes::<T>()
    }

    /// It takes the header `Idempotency-Key`.
    pub(crate) fn takes_key(mut self) -> Self {
        self.takes_key = true;
        self.errors(&["idempotency_key_reused"])
    }

    /// A successful response.
    pub(crate) fn answers<T: ToSchema>(mut self, status: u16, about: &'static str) -> Self {
        self.responses
            .push((status, about, Answer::One(reference::<T>)));
        self
    }

    /// A successful response with a page of a list, which takes its turn among other lists.
    pub(crate) fn lists<T: ToSchema>(self) -> Self {
        self.lists_at_once::<T>().errors(codes::LIST)
    }

    /// A successful response with a page of a list that is always short.
    pub(crate) fn lists_at_once<T: ToSchema>(mut self) -> Self {
        self.responses
            .push((200, "A page of the list.", Answer::Page(reference::<T>)));
        self
    }

    /// The same, or text of this content type.
    pub(crate) fn lists_or_writes<T: ToSchema>(mut self, content_type: &'static str) -> Self {
        let answer = Answer::PageOrText(reference::<T>, content_type);
        self.responses.push((200, "A page of the list.", answer));
        self.errors(codes::LIST)
    }

    /// A successful response with any JSON.
    pub(crate) fn answers_json(mut self, about: &'static str) -> Self {
        self.responses.push((200, about, Answer::Any));
        self
    }

    /// A successful response with text of this content type.
    pub(crate) fn answers_text(mut self, content_type: &'static str, about: &'static str) -> Self {
        self.responses
            .push((200, about, Answer::Text(content_type)));
        self
    }

    /// The codes of errors that it may return.
    pub(crate) fn errors(mut self, codes: &[&'static str]) -> Self {
        self.errors.extend_from_slice(codes);
        self
    }

    /// What may come instead of the plain error when the use case fails. It is an error as well, and has more.
    pub(crate) fn may_fail_with<T: ToSchema>(mut self) -> Self {
        self.error_bodies.of_failures = Some(reference::<T>);
        self
    }

    /// What comes instead of the plain error with these codes. It is an error as well, and has more.
    pub(crate) fn fails_with<T: ToSchema>(mut self, codes: &'static [&'static str]) -> Self {
        self.error_bodies.of_codes = Some((codes, reference::<T>));
        self.errors(codes)
    }

    /// The operation at this path. `later` marks the second name of an operation, whose id must differ.
    pub(crate) fn operation(&self, path: &str, later: bool, schemas: &mut Schemas) -> Operation {
        let id = if later {
            format!("{}_by_its_later_name", self.id)
        } else {
            self.id.to_owned()
        };
        let mut operation = OperationBuilder::new()
            .tag(self.tag.name())
            .operation_id(Some(id))
            .summary(Some(self.summary));
        if self.is_public {
            operation = operation.securities(Some([]));
        }
        for parameter in parameter::of_path(path) {
            operation = operation.parameter(parameter);
        }
        for query in self.query {
            operation = operation.parameter(query.parameter());
        }
        if self.takes_key {
            operation = operation.parameter(key_header());
        }
        if self
            .responses
            .iter()
            .any(|(.., answer)| matches!(answer, Answer::Page(_) | Answer::PageOrText(..)))
        {
            let unchanged =
                ResponseBuilder::new().description("The page is the one with the given `ETag`.");
            operation = operation
                .parameter(etag_header())
                .response("304", with_page_headers(unchanged));
        }
        if let Some(body) = self.body {
            let body = RequestBodyBuilder::new()
                .required(Some(match self.is_body_required {
                    true => Required::True,
                    false => Required::False,
                }))
                .content("application/json", Content::new(Some(body(schemas))))
                .build();
            operation = operation.request_body(Some(body));
        }
        for (status, about, answer) in &self.responses {
            operation = operation.response(status.to_string(), answer.response(about, schemas));
        }
        for (status, response) in errors::responses(&self.errors, &self.error_bodies, schemas) {
            operation = operation.response(status.to_string(), response);
        }
        operation.build()
    }
}

impl Answer {
    fn response(self, about: &str, schemas: &mut Schemas) -> Response {
        let schema = match self {
            Self::One(reference) => Some(reference(schemas)),
            Self::Page(reference) | Self::PageOrText(reference, _) => {
                let items = reference(schemas);
                Some(ArrayBuilder::new().items(items).build().into())
            }
            Self::Any => Some(ObjectBuilder::new().build().into()),
            Self::Text(_) => Some(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .build()
                    .into(),
            ),
        };
        let content_type = match self {
            Self::Text(content_type) => content_type,
            Self::One(_) | Self::Page(_) | Self::PageOrText(..) | Self::Any => "application/json",
        };
        let response = ResponseBuilder::new()
            .description(about)
            .content(content_type, Content::new(schema));
        match self {
            Self::Page(_) => with_page_headers(response),
            Self::PageOrText(_, text) => {
                let schema = ObjectBuilder::new().schema_type(Type::String).build();
                with_page_headers(response.content(text, Content::new(Some(schema))))
            }
            Self::One(_) | Self::Any | Self::Text(_) => response.build(),
        }
    }
}

fn with_page_headers(response: ResponseBuilder) -> Response {
    response
        .header(
            "Link",
            text_header("The next page, as `<…>; rel=\"next\"`. Absent on the last page."),
        )
        .header(
            "ETag",
            text_header("Identifies the page's content and its `Link`, for `If-None-Match`."),
        )
        .build()
}

fn key_header() -> utoipa::openapi::path::Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "1 to 255 visible ASCII characters, kept for 7 days. The same request with the same key submits nothing \
             twice and returns the current outcome.",
        ))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(255))
                .pattern(Some("^[!-~]+$")),
        ))
        .build()
}

fn etag_header() -> utoipa::openapi::path::Parameter {
    ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The `ETag` of an earlier response. If the page is still the same, the response is 304 without a body.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}
