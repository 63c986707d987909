//! The Move types of native values in objects and dynamic fields.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sui_sdk_types::{Address, Identifier, StructTag, TypeTag};

use atoma_domain::ObjectId;

/// A value with a Move type. Its serde encoding is that type's BCS layout. `package` is the
/// contract's address, for types defined there.
pub(crate) trait MoveType: Serialize + DeserializeOwned {
    fn tag(package: Address) -> TypeTag;
}

/// A Move struct with the `key` ability: an object, with its id as the first field.
pub(crate) trait ObjectType: Serialize + DeserializeOwned {
    /// Whether the struct also has the `store` ability.
    const HAS_STORE: bool;

    fn object_type(package: Address) -> StructTag;
    fn id(&self) -> ObjectId;
}

/// `0x1::ascii::String`. The checks of a call's arguments ensure that it is ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct AsciiString(pub(crate) String);

impl MoveType for bool {
    fn tag(_: Address) -> TypeTag {
        TypeTag::Bool
    }
}

impl MoveType for u64 {
    fn tag(_: Address) -> TypeTag {
        TypeTag::U64
    }
}

impl MoveType for AsciiString {
    fn tag(_: Address) -> TypeTag {
        plain_struct(
            const { Address::from_static("0x1") },
            "ascii",
            "String",
            Vec::new(),
        )
        .into()
    }
}

/// The type `0x2::module::name<parameters>`.
pub(crate) fn framework_struct(
    module: &'static str,
    name: &'static str,
    parameters: Vec<TypeTag>,
) -> StructTag {
    plain_struct(Address::TWO, module, name, parameters)
}

/// The type `package::db::name` of the contract.
pub(crate) fn package_struct(package: Address, name: &'static str) -> StructTag {
    plain_struct(package, "db", name, Vec::new())
}

fn plain_struct(
    package: Address,
    module: &'static str,
    name: &'static str,
    parameters: Vec<TypeTag>,
) -> StructTag {
    StructTag::new(
        package,
        Identifier::from_static(module),
        Identifier::from_static(name),
        parameters,
    )
}
