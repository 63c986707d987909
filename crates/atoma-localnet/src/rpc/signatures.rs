//! Types and signatures as messages.

use sui_rpc::proto::sui::rpc::v2::open_signature::Reference;
use sui_rpc::proto::sui::rpc::v2::open_signature_body::Type;
use sui_rpc::proto::sui::rpc::v2::{self as proto, OpenSignature, OpenSignatureBody};
use sui_sdk_types::TypeTag;

use crate::contract::ContractAddresses;
use crate::interface::{Ability, MoveSignature, OpenType};

/// Abilities as a message has them.
pub(super) fn constraints(abilities: &[Ability]) -> Vec<i32> {
    abilities
        .iter()
        .map(|ability| match ability {
            Ability::Copy => proto::Ability::Copy,
            Ability::Drop => proto::Ability::Drop,
            Ability::Store => proto::Ability::Store,
            Ability::Key => proto::Ability::Key,
        })
        .map(i32::from)
        .collect()
}

/// A type in the notation of the interface's tables.
pub(super) fn open(text: &str, contract: &ContractAddresses) -> Option<OpenSignatureBody> {
    OpenType::parse(text).map(|open| open_body(&open, contract))
}

/// A parameter or result in the notation of the interface's tables.
pub(super) fn parsed(text: &str, contract: &ContractAddresses) -> Option<OpenSignature> {
    let parsed = MoveSignature::parse(text)?;
    let body = open_body(&parsed.body, contract);
    Some(with_reference(body, parsed.is_mutable))
}

/// A parameter of a type without type parameters. `is_mutable` is `None` for one taken by value.
pub(super) fn signature(tag: &TypeTag, is_mutable: Option<bool>) -> OpenSignature {
    with_reference(body(tag), is_mutable)
}

fn with_reference(body: OpenSignatureBody, is_mutable: Option<bool>) -> OpenSignature {
    let mut signature = OpenSignature::default();
    match is_mutable {
        Some(true) => signature.set_reference(Reference::Mutable),
        Some(false) => signature.set_reference(Reference::Immutable),
        None => {}
    }
    signature.body = Some(body);
    signature
}

fn open_body(open: &OpenType, contract: &ContractAddresses) -> OpenSignatureBody {
    let mut message = OpenSignatureBody::default();
    match open {
        OpenType::Primitive(tag) => return body(tag),
        OpenType::Vector(inner) => {
            message.type_parameter_instantiation = vec![open_body(inner, contract)];
            message.set_type(Type::Vector);
        }
        OpenType::Parameter(index) => {
            message.type_parameter = u32::try_from(*index).ok();
            message.set_type(Type::Parameter);
        }
        OpenType::Datatype {
            package,
            module,
            name,
            arguments,
        } => {
            let package = package.address(contract);
            message.type_name = Some(format!("{package}::{module}::{name}"));
            message.type_parameter_instantiation = arguments
                .iter()
                .map(|argument| open_body(argument, contract))
                .collect();
            message.set_type(Type::Datatype);
        }
    }
    message
}

fn body(tag: &TypeTag) -> OpenSignatureBody {
    let mut message = OpenSignatureBody::default();
    let kind = match tag {
        TypeTag::Address => Type::Address,
        TypeTag::Bool => Type::Bool,
        TypeTag::U8 => Type::U8,
        TypeTag::U16 => Type::U16,
        TypeTag::U32 => Type::U32,
        TypeTag::U64 => Type::U64,
        TypeTag::U128 => Type::U128,
        TypeTag::U256 => Type::U256,
        TypeTag::Vector(inner) => {
            message.type_parameter_instantiation = vec![body(inner)];
            Type::Vector
        }
        TypeTag::Struct(tag) => {
            message.type_name = Some(format!(
                "{}::{}::{}",
                tag.address(),
                tag.module(),
                tag.name()
            ));
            message.type_parameter_instantiation = tag.type_params().iter().map(body).collect();
            Type::Datatype
        }
        _ => Type::Unknown,
    };
    message.set_type(kind);
    message
}
