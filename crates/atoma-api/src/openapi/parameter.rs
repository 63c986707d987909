//! Query and path parameters.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Required};

use crate::paging::{DEFAULT_LIMIT, LARGEST_LIMIT};

/// A query parameter.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) is_required: bool,
    pub(crate) values: Values,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values {
    /// A number of the contract, the journal or the database.
    Id,
    /// From 1 to the largest page.
    Limit,
    /// A number from 0 to 1.
    Fraction,
    Boolean,
    /// A text with this pattern.
    Text(&'static str),
    /// One of these names.
    Name(&'static [&'static str]),
}

impl Values {
    fn schema(self) -> RefOr<Schema> {
        let object = ObjectBuilder::new();
        let object = match self {
            Self::Id => object
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::Custom(String::from("uint64"))))
                .minimum(Some(0))
                .maximum(Some(u64::MAX)),
            Self::Limit => object
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .maximum(Some(LARGEST_LIMIT))
                .default(Some(DEFAULT_LIMIT.into())),
            Self::Fraction => object
                .schema_type(Type::Number)
                .minimum(Some(0))
                .maximum(Some(1)),
            Self::Boolean => object
                .schema_type(Type::Boolean)
                .default(Some(false.into())),
            Self::Text(pattern) => object.schema_type(Type::String).pattern(Some(pattern)),
            Self::Name(names) => object
                .schema_type(Type::String)
                .enum_values(Some(names.iter().copied())),
        };
        object.build().into()
    }
}

impl Query {
    pub(super) fn parameter(&self) -> Parameter {
        let required = if self.is_required {
            Required::True
        } else {
            Required::False
        };
        ParameterBuilder::new()
            .name(self.name)
            .parameter_in(ParameterIn::Query)
            .required(required)
            .description(Some(self.about))
            .schema(Some(self.values.schema()))
            .build()
    }
}

/// The parameters in braces of a path.
pub(super) fn of_path(path: &str) -> impl Iterator<Item = Parameter> {
    path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        let (about, values) = match name {
            "node_small_id" => ("The small id of one of the operator's nodes.", Values::Id),
            "fraction" => (
                "Stacks of which more than this share of the units is computed.",
                Values::Fraction,
            ),
            "alarm_id" => ("The daemon's number of the alarm.", Values::Id),
            "reservation_id" => ("The daemon's number of the reservation.", Values::Id),
            _ => (
                "The number of the transaction in the journal, or the digest of one of its attempts.",
                Values::Text("^([0-9]{1,20}|[1-9A-HJ-NP-Za-km-z]{32,44})$"),
            ),
        };
        Some(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some(about))
                .schema(Some(values.schema()))
                .build(),
        )
    })
}
