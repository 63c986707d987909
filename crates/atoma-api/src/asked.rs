//! How a transaction is asked for: for real, or as a dry run.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::{Data, Query};
use actix_web::{FromRequest, HttpRequest};
use atoma_operator::Operator;
use serde::Deserialize;

use crate::error::ApiError;

/// The use cases as a transaction request asks for them.
#[derive(Debug)]
pub(crate) struct Asked {
    operator: Data<Operator>,
    dry: bool,
}

#[derive(Debug, Deserialize)]
struct AskedQuery {
    #[serde(default)]
    dry_run: bool,
}

impl Asked {
    /// The use cases, once writes may begin.
    pub(crate) async fn operator(&self) -> Result<Operator, ApiError> {
        self.operator.readiness().require_for_writes().await?;
        Ok(if self.dry {
            self.operator.dry()
        } else {
            self.operator.as_ref().clone()
        })
    }

    /// Whether nothing is to be written or sent.
    pub(crate) const fn is_dry(&self) -> bool {
        self.dry
    }
}

impl FromRequest for Asked {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request))
    }
}

fn read(request: &HttpRequest) -> Result<Asked, ApiError> {
    let query = Query::<AskedQuery>::from_query(request.query_string())
        .map_err(|_| ApiError::invalid("`dry_run` must be true or false"))?;
    let operator = request
        .app_data::<Data<Operator>>()
        .ok_or_else(|| ApiError::invalid("the API is not set up"))?;
    Ok(Asked {
        operator: operator.clone(),
        dry: query.dry_run,
    })
}
