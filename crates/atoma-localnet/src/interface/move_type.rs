//! Types in the notation of the tables, with type parameters.

use sui_sdk_types::{Identifier, StructTag, TypeTag};

use super::package::PackageName;
use crate::contract::ContractAddresses;

/// A type that may contain type parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OpenType {
    /// A type without parameters that is no datatype: a number, `bool`, `address`.
    Primitive(TypeTag),
    Vector(Box<OpenType>),
    Datatype {
        package: PackageName,
        module: String,
        name: String,
        arguments: Vec<OpenType>,
    },
    Parameter(usize),
}

/// A parameter or result: a type, taken by value or by reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MoveSignature {
    /// `Some(true)` for `&mut`, `Some(false)` for `&`.
    pub(crate) is_mutable: Option<bool>,
    pub(crate) body: OpenType,
}

impl MoveSignature {
    /// Parses a type after `&mut `, `&` or nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (is_mutable, body) = if let Some(body) = text.strip_prefix("&mut ") {
            (Some(true), body)
        } else if let Some(body) = text.strip_prefix('&') {
            (Some(false), body)
        } else {
            (None, text)
        };
        Some(Self {
            is_mutable,
            body: OpenType::parse(body)?,
        })
    }
}

impl OpenType {
    /// Parses a type; `None` if it is not one of the tables' notation.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (head, arguments) = match text.strip_suffix('>') {
            Some(rest) => {
                let (head, inside) = rest.split_once('<')?;
                let arguments = split_arguments(inside)
                    .into_iter()
                    .map(Self::parse)
                    .collect::<Option<_>>()?;
                (head, arguments)
            }
            None => (text, Vec::new()),
        };
        if head == "vector" {
            return Some(Self::Vector(Box::new(arguments.into_iter().next()?)));
        }
        if let Some(parameter) = head.strip_prefix('T')
            && let Ok(index) = parameter.parse()
        {
            return Some(Self::Parameter(index));
        }
        let primitive = match head {
            "bool" => TypeTag::Bool,
            "address" => TypeTag::Address,
            "u8" => TypeTag::U8,
            "u16" => TypeTag::U16,
            "u32" => TypeTag::U32,
            "u64" => TypeTag::U64,
            _ => {
                let mut parts = head.split("::");
                let package = match parts.next()? {
                    "0x1" => PackageName::Std,
                    "0x2" => PackageName::Sui,
                    "0x3" => PackageName::System,
                    "usdc" => PackageName::Usdc,
                    "atoma" => PackageName::Atoma,
                    _ => return None,
                };
                return Some(Self::Datatype {
                    package,
                    module: parts.next()?.to_owned(),
                    name: parts.next()?.to_owned(),
                    arguments,
                });
            }
        };
        Some(Self::Primitive(primitive))
    }

    /// The type with `parameters` in place of its type parameters.
    pub(crate) fn instantiate(
        &self,
        parameters: &[TypeTag],
        addresses: &ContractAddresses,
    ) -> Option<TypeTag> {
        Some(match self {
            Self::Primitive(tag) => tag.clone(),
            Self::Vector(inner) => {
                TypeTag::Vector(Box::new(inner.instantiate(parameters, addresses)?))
            }
            Self::Parameter(index) => parameters.get(*index)?.clone(),
            Self::Datatype {
                package,
                module,
                name,
                arguments,
            } => {
                let arguments = arguments
                    .iter()
                    .map(|argument| argument.instantiate(parameters, addresses))
                    .collect::<Option<_>>()?;
                StructTag::new(
                    package.address(addresses),
                    Identifier::new(module).ok()?,
                    Identifier::new(name).ok()?,
                    arguments,
                )
                .into()
            }
        })
    }
}

/// Splits at the commas that are not inside angle brackets.
fn split_arguments(text: &str) -> Vec<&str> {
    let mut arguments = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                arguments.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    arguments.extend(text.get(start..));
    arguments
}
