//! Values rendered as JSON, with the rules of a Sui full node.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_types::Value;
use prost_types::value::Kind;
use sui_sdk_types::{Address, StructTag, TypeTag};

use super::datatype::Ability;
use super::move_type::OpenType;
use super::package::definition;
use crate::contract::ContractAddresses;

/// How deep values may be nested, because a message can't be nested deeper than 100 levels.
const MAX_DEPTH: usize = 80;

/// A value of the given type as JSON; `None` if the network does not know the type's definition, or the bytes
/// are no value of it.
///
/// Integers of 64 bits and more, addresses and ids are strings; bytes are base64; a balance is its amount; an
/// option is its value or `null`.
pub(crate) fn json(
    addresses: &ContractAddresses,
    object_type: &StructTag,
    contents: &[u8],
) -> Option<Value> {
    let mut reader = Reader {
        addresses,
        rest: contents,
    };
    let value = reader.datatype(object_type, MAX_DEPTH)?;
    reader.rest.is_empty().then_some(value)
}

/// Whether the bytes are a value of that type which a transaction may give as a pure argument: a primitive, a
/// string, an id, or an option or vector of these.
pub(crate) fn is_value(addresses: &ContractAddresses, tag: &TypeTag, bytes: &[u8]) -> bool {
    let mut reader = Reader {
        addresses,
        rest: bytes,
    };
    is_pure(tag) && reader.value(tag, MAX_DEPTH).is_some() && reader.rest.is_empty()
}

fn is_pure(tag: &TypeTag) -> bool {
    match tag {
        TypeTag::Vector(inner) => is_pure(inner),
        TypeTag::Struct(tag) => match (tag.module().as_str(), tag.name().as_str()) {
            ("ascii" | "string", "String") | ("object", "ID") => true,
            ("option", "Option") => tag.type_params().iter().all(is_pure),
            _ => false,
        },
        _ => true,
    }
}

/// Whether values of a type can be copied and dropped.
pub(crate) fn is_plain(addresses: &ContractAddresses, tag: &TypeTag) -> bool {
    match tag {
        TypeTag::Vector(inner) => is_plain(addresses, inner),
        TypeTag::Struct(tag) => {
            let has = |ability| {
                definition(tag, addresses)
                    .is_some_and(|datatype| datatype.abilities.contains(&ability))
            };
            has(Ability::Copy)
                && has(Ability::Drop)
                && tag
                    .type_params()
                    .iter()
                    .all(|parameter| is_plain(addresses, parameter))
        }
        _ => true,
    }
}

struct Reader<'a> {
    addresses: &'a ContractAddresses,
    rest: &'a [u8],
}

impl Reader<'_> {
    fn value(&mut self, tag: &TypeTag, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        Some(match tag {
            TypeTag::Bool => match self.array::<1>()? {
                [0] => Value::from(false),
                [1] => Value::from(true),
                _ => return None,
            },
            TypeTag::U8 => Value::from(u8::from_le_bytes(self.array()?)),
            TypeTag::U16 => Value::from(u16::from_le_bytes(self.array()?)),
            TypeTag::U32 => Value::from(u32::from_le_bytes(self.array()?)),
            TypeTag::U64 => Value::from(u64::from_le_bytes(self.array()?).to_string()),
            TypeTag::U128 => Value::from(u128::from_le_bytes(self.array()?).to_string()),
            TypeTag::Address => Value::from(Address::new(self.array()?).to_string()),
            TypeTag::Vector(inner) if **inner == TypeTag::U8 => {
                let bytes = self.bytes()?;
                Value::from(STANDARD.encode(bytes))
            }
            TypeTag::Vector(inner) => {
                let count = self.length()?;
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(self.value(inner, depth)?);
                }
                Value::from(values)
            }
            TypeTag::Struct(tag) => self.datatype(tag, depth)?,
            _ => return None,
        })
    }

    fn datatype(&mut self, tag: &StructTag, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let is_framework = [Address::TWO, const { Address::from_static("0x1") }];
        if is_framework.contains(tag.address()) {
            match (tag.module().as_str(), tag.name().as_str()) {
                ("ascii" | "string", "String") | ("url", "Url") => {
                    let text = std::str::from_utf8(self.bytes()?).ok()?;
                    return Some(Value::from(text));
                }
                ("object", "ID" | "UID") => return self.value(&TypeTag::Address, depth),
                ("balance", "Balance") => return self.value(&TypeTag::U64, depth),
                ("option", "Option") => {
                    return match self.length()? {
                        0 => Some(Kind::NullValue(0).into()),
                        1 => self.value(tag.type_params().first()?, depth),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        let mut fields = prost_types::Struct::default();
        for (name, field_type) in definition(tag, self.addresses)?.fields {
            let field_type =
                OpenType::parse(field_type)?.instantiate(tag.type_params(), self.addresses)?;
            let value = self.value(&field_type, depth)?;
            fields.fields.insert((*name).to_owned(), value);
        }
        Some(Kind::StructValue(fields).into())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*array)
    }

    fn bytes(&mut self) -> Option<&[u8]> {
        let length = self.length()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    /// A length in ULEB128.
    fn length(&mut self) -> Option<usize> {
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(length);
            }
        }
        None
    }
}
