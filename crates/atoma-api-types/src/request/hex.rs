//! Addresses and object ids of any length, as requests may write them.

use atoma_domain::Address;
use serde::de;

/// 1 to 64 hexadecimal digits; missing ones are leading zeros.
fn parse<E: de::Error>(text: &str) -> Result<Address, E> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let invalid = || E::custom("an address or object id has 1 to 64 hexadecimal digits");
    if digits.is_empty() || digits.len() > 64 {
        return Err(invalid());
    }
    format!("0x{digits:0>64}").parse().map_err(|_| invalid())
}

/// An address that must be present.
pub(super) mod required {
    use atoma_domain::Address;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::request) fn serialize<S: Serializer>(
        address: &Address,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        address.serialize(serializer)
    }

    pub(in crate::request) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Address, D::Error> {
        super::parse(&String::deserialize(deserializer)?)
    }
}

/// An address that may be absent.
pub(super) mod optional {
    use atoma_domain::Address;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::request) fn serialize<S: Serializer>(
        address: &Option<Address>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        address.serialize(serializer)
    }

    pub(in crate::request) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Address>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::parse(&text)).transpose()
    }
}
