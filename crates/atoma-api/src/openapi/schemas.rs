//! Schemas of types and headers, and references to them.

use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Header, Ref, RefOr};

/// Schemas by the names that references use.
pub(crate) type Schemas = Vec<(String, RefOr<Schema>)>;
/// Adds a type's schemas, and returns a reference to it.
pub(super) type Reference = fn(&mut Schemas) -> RefOr<Schema>;

/// A reference to the schema of a type, which is added with all that it refers to.
pub(super) fn reference<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    let name = T::name();
    schemas.push((name.to_string(), T::schema()));
    T::schemas(schemas);
    RefOr::Ref(Ref::from_schema_name(name))
}

/// A header of a response.
pub(super) fn text_header(about: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some(about))
        .build()
}
