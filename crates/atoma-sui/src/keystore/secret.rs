//! Decoding private keys into key pairs. Every intermediate copy is wiped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_crypto::secp256k1::Secp256k1PrivateKey;
use sui_crypto::secp256r1::Secp256r1PrivateKey;
use sui_crypto::simple::SimpleKeypair;
use zeroize::Zeroizing;

use super::error::KeyError;

/// The human-readable part of Bech32 private keys.
const HRP: &str = "suiprivkey";

/// Decodes a keystore entry: base64 of flag ‖ 32 bytes, or a `suiprivkey…` string.
pub(super) fn read_entry(text: &str) -> Result<SimpleKeypair, KeyError> {
    if text.starts_with(HRP) {
        return read_suiprivkey(text);
    }
    let bytes = STANDARD.decode(text).map(Zeroizing::new);
    key_pair(&bytes.map_err(|_| KeyError::Encoding)?)
}

/// Decodes a `suiprivkey…` string.
pub(super) fn read_suiprivkey(text: &str) -> Result<SimpleKeypair, KeyError> {
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<bech32::Bech32>(text)
        .map_err(|_| KeyError::Encoding)?;
    if checked.hrp().as_str() != HRP {
        return Err(KeyError::Encoding);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(checked.byte_iter());
    key_pair(&bytes)
}

/// Decodes flag ‖ 32 bytes. The libraries' key types wipe themselves when dropped.
fn key_pair(bytes: &[u8]) -> Result<SimpleKeypair, KeyError> {
    let length = KeyError::Length(bytes.len());
    let (flag, key) = bytes.split_first().ok_or(length)?;
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(key.try_into().map_err(|_| length)?);
    match *flag {
        0 => Ok(Ed25519PrivateKey::new(*key).into()),
        1 => Secp256k1PrivateKey::new(*key)
            .map(Into::into)
            .map_err(|_| KeyError::Range),
        2 => {
            // The library's constructor panics on a value outside the curve's range.
            p256::ecdsa::SigningKey::from_slice(key.as_slice()).map_err(|_| KeyError::Range)?;
            Ok(Secp256r1PrivateKey::new(*key).into())
        }
        other => Err(KeyError::Scheme(other)),
    }
}
