//! Committing to a node's public key.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use atoma_api_types::RotateKeyRequest;
use atoma_client::{Client, Write};
use atoma_domain::HexBytes;
use atoma_domain::model::DEVICE_TYPES_END;
use atoma_operator::MOST_KEY_BYTES;
use atoma_sui::read_small_file;
use clap::Args;

use super::spend::{Acting, Spending};
use crate::exit;

/// The flags of `rotate-key`.
#[derive(Debug, Args)]
pub(super) struct RotateKeyArgs {
    /// Commitment to the key, in hexadecimal.
    #[arg(long, value_name = "HEX")]
    commitment: HexBytes,
    /// File with the remote attestation of the hardware that holds the key.
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
    /// Kind of hardware, below 16,000.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(0..i64::from(DEVICE_TYPES_END)))]
    device_type: u16,
    /// Key rotation that the evidence is for. By default it is the network's current one.
    #[arg(long, value_name = "NUMBER")]
    rotation: Option<u64>,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    spending: Spending,
}

impl RotateKeyArgs {
    /// How the transaction is paid.
    pub(super) const fn spending(&self) -> &Spending {
        &self.spending
    }

    pub(super) async fn run(self) -> anyhow::Result<()> {
        let request = RotateKeyRequest {
            options: self.spending.options(self.acting),
            public_key_commitment: self.commitment,
            evidence: evidence(&self.evidence)?,
            device_type: self.device_type,
            key_rotation_counter: self.rotation,
        };
        let what = format!("Commit to a key for device type {}", self.device_type);
        let call = async |client: &Client, write: &Write| client.rotate_key(&request, write).await;
        self.spending.run(&what, call).await
    }
}

/// The evidence in a file.
fn evidence(file: &Path) -> anyhow::Result<HexBytes> {
    let read = read_small_file(file);
    let bytes = read.with_context(|| format!("can't read {}", file.display()))?;
    if bytes.len() > MOST_KEY_BYTES {
        let sentence = format!(
            "{} has {} bytes; evidence has at most {MOST_KEY_BYTES}",
            file.display(),
            bytes.len()
        );
        return Err(exit::UsageError(sentence).into());
    }
    Ok(HexBytes(bytes.to_vec()))
}
