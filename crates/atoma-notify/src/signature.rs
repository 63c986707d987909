//! The signature of a message.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header with the signature, as `sha256=…` in hexadecimal.
pub const SIGNATURE_HEADER: &str = "X-Atoma-Signature";
/// The header with the time of sending, in seconds since 1970. It is signed too, so that receivers can refuse old messages.
pub const TIMESTAMP_HEADER: &str = "X-Atoma-Timestamp";

/// The signature over a body that is sent at this time: HMAC-SHA256, with the secret's bytes as the key, of the time in decimal, a
/// full stop, and the body.
pub fn sign(secret: &str, timestamp_s: u64, body: &[u8]) -> String {
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    };
    mac.update(timestamp_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of some length'`
    #[test]
    fn a_signature_is_what_openssl_computes() {
        assert_eq!(
            sign("a secret of some length", 1_700_000_000, br#"{"a":1}"#),
            "sha256=e09db3ce6e6e8f9b633a62851e5074a9e9148ac19b1c0e1a8f7c352380be630b"
        );
    }
}
