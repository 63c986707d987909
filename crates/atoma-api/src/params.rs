//! Fields and path segments that several requests share.

use std::str::FromStr;

use atoma_api_types::{Price, TransactionOptions};
use atoma_domain::journal::GasOptions;
use atoma_domain::model::TagError;
use atoma_domain::{Digest, PricePerMillion};
use atoma_operator::NodeChoice;

use crate::error::ApiError;

/// The most characters of a client's text that an error repeats.
const MOST_SHOWN: usize = 60;

/// How the transaction is paid.
pub(crate) const fn gas(options: &TransactionOptions) -> GasOptions {
    GasOptions {
        coin: options.gas,
        budget: options.gas_budget,
        price: options.gas_price,
    }
}

/// Which node acts.
pub(crate) const fn node(options: &TransactionOptions) -> NodeChoice {
    NodeChoice {
        node_small_id: options.node_small_id,
        node_badge_id: options.node_badge_id,
    }
}

/// The price in the contract's unit.
pub(crate) fn per_million(price: &Price) -> Result<PricePerMillion, ApiError> {
    match (
        &price.price_per_compute_unit,
        price.price_per_one_million_compute_units,
    ) {
        (None, Some(price)) => Ok(price),
        (Some(price), None) => times_million(price).map(PricePerMillion::new).ok_or_else(|| {
            ApiError::invalid(
                "`price_per_compute_unit` times 1,000,000 must be a whole number of micro-USDC that fits in 64 bits.",
            )
        }),
        _ => Err(ApiError::invalid(
            "Send exactly one of `price_per_compute_unit` and `price_per_one_million_compute_units`.",
        )),
    }
}

/// A million times the number, if the product is exact, whole and not negative.
fn times_million(number: &serde_json::Number) -> Option<u64> {
    if let Some(whole) = number.as_u64() {
        return whole.checked_mul(1_000_000);
    }
    // Up to 15 digits, the shortest decimal text of a double is what the client wrote.
    let text = number.as_f64()?.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.len() > 6 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let millionths: u64 = format!("{fraction:0<6}").parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(millionths)
}

/// A tag that the client chose.
pub(crate) fn tag<T>(name: &str, text: Option<String>) -> Result<Option<T>, ApiError>
where
    T: FromStr<Err = TagError>,
{
    let tag = text.map(|text| text.parse());
    tag.transpose()
        .map_err(|error| ApiError::invalid(format!("`{name}` can't be used: {error}.")))
}

/// An id or another whole number in the path.
pub(crate) fn segment<T: FromStr>(name: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| {
        ApiError::invalid(format!(
            "`{name}` in the path must be an integer from 0 to 2^64 - 1, not `{}`.",
            shown(text)
        ))
    })
}

/// An id or another whole number of a parameter.
pub(crate) fn whole<T: FromStr>(name: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| {
        ApiError::invalid(format!(
            "`{name}` must be an integer from 0 to 2^64 - 1, not `{}`.",
            shown(text)
        ))
    })
}

/// The digest of a transaction.
pub(crate) fn digest(name: &str, text: &str) -> Result<Digest, ApiError> {
    // The parser takes a text that is too short for a digest with zeros at its end.
    text.parse()
        .ok()
        .filter(|digest: &Digest| digest.to_string() == text)
        .ok_or_else(|| {
            ApiError::invalid(format!(
                "`{name}` must be the digest of a transaction, 32 bytes in Base58, not `{}`.",
                shown(text)
            ))
        })
}

/// The beginning of what a client sent, for an error.
pub(crate) fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let mut shown: String = letters.by_ref().take(MOST_SHOWN).collect();
    if letters.next().is_some() {
        shown.push_str("...");
    }
    shown
}

/// A fraction from 0 to 1. `name` begins the sentence of the error.
pub(crate) fn fraction(name: &str, text: &str) -> Result<f64, ApiError> {
    text.parse()
        .ok()
        .filter(|fraction| (0.0..=1.0).contains(fraction) && !text.starts_with('+'))
        .ok_or_else(|| ApiError::invalid(format!("{name} must be a number from 0 to 1.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_domain::NodeSmallId;

    fn price(json: &str) -> Option<u64> {
        let price = serde_json::from_str::<Price>(json).ok()?;
        per_million(&price).ok().map(PricePerMillion::get)
    }

    #[test]
    fn prices_come_in_one_of_two_units() {
        assert_eq!(price(r#"{"price_per_compute_unit": 10}"#), Some(10_000_000));
        assert_eq!(price(r#"{"price_per_compute_unit": 0.0015}"#), Some(1_500));
        assert_eq!(price(r#"{"price_per_compute_unit": 2.5}"#), Some(2_500_000));
        assert_eq!(price(r#"{"price_per_compute_unit": 3.0}"#), Some(3_000_000));
        assert_eq!(
            price(r#"{"price_per_compute_unit": 100000.000001}"#),
            Some(100_000_000_001)
        );
        assert_eq!(
            price(r#"{"price_per_one_million_compute_units": 18446744073709551615}"#),
            Some(u64::MAX)
        );
        for bad in [
            "{}",
            r#"{"price_per_compute_unit": 1, "price_per_one_million_compute_units": 1000000}"#,
            r#"{"price_per_compute_unit": 18446744073710}"#,
            r#"{"price_per_compute_unit": 0.0000001}"#,
            r#"{"price_per_compute_unit": 1e-13}"#,
            r#"{"price_per_compute_unit": 1.0000001}"#,
            r#"{"price_per_compute_unit": 1e30}"#,
            r#"{"price_per_compute_unit": -1}"#,
            r#"{"price_per_one_million_compute_units": -1}"#,
            r#"{"price_per_one_million_compute_units": 1.5}"#,
        ] {
            assert_eq!(price(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_digest_is_complete_and_an_error_names_its_parameter() {
        let full = "11111111111111111111111111111111";
        assert_eq!(digest("tx_digest", full).unwrap().to_string(), full);
        for bad in ["foo", "", "1", &"1".repeat(33), "O0Il", &"z".repeat(44)] {
            let refused = digest("tx_digest", bad).unwrap_err().to_string();
            assert!(refused.starts_with("`tx_digest` must be"), "{refused}");
        }
        let refused = whole::<NodeSmallId>("node_small_id", "-1").unwrap_err();
        assert!(refused.to_string().starts_with("`node_small_id` must be"));
        assert_eq!(shown(&"x".repeat(100)).len(), 63);
    }

    #[test]
    fn object_ids_may_be_short() {
        let common = |json| serde_json::from_str::<TransactionOptions>(json);
        let short = common(r#"{"gas": "0x789", "someone": "else's field"}"#).unwrap();
        assert_eq!(
            gas(&short).coin.unwrap().to_string(),
            format!("0x{:0>64}", "789")
        );
        for bad in [r#"{"gas": "0x"}"#, r#"{"gas": "0xzz"}"#, r#"{"gas": 7}"#] {
            assert!(common(bad).is_err(), "{bad}");
        }
        assert!(common(&format!(r#"{{"gas": "0x{}"}}"#, "1".repeat(65))).is_err());
    }
}
