//! Committing to a node's public key.

use atoma_domain::HexBytes;
use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::DEVICE_TYPES_END;

use super::nodes::{NodeChoice, actor};
use super::operator::Operator;
use super::single::{Completed, Unsuccessful};

/// The most bytes of a commitment or of evidence. Sui takes less than 16,384 bytes for an argument, and its
/// length takes three of them.
pub const MOST_KEY_BYTES: usize = 16_380;

/// A node's commitment to a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCommitment {
    /// The commitment to the key: 1 to [`MOST_KEY_BYTES`] bytes.
    pub public_key_commitment: HexBytes,
    /// The remote attestation of the hardware that holds it: at most [`MOST_KEY_BYTES`] bytes.
    pub evidence: HexBytes,
    /// The kind of hardware, below 16,000.
    pub device_type: u16,
    /// The key rotation that the evidence is for; `None` for the network's current one.
    pub key_rotation_counter: Option<u64>,
}

impl Operator {
    /// Commits to a node's public key (`rotate_node_public_key`).
    ///
    /// # Errors
    /// When the rotation is not the network's current one, the device has already committed to a key in it, or
    /// the transaction fails.
    pub async fn rotate_key(
        &self,
        commitment: KeyCommitment,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Completed, Unsuccessful> {
        check(&commitment)?;
        self.run_one(async {
            let node = self.acting_node(choice).await?;
            let KeyCommitment {
                public_key_commitment,
                evidence,
                device_type,
                key_rotation_counter,
            } = commitment;
            Ok(NewIntent {
                action: Action::RotateNodeKey {
                    public_key_commitment,
                    evidence,
                    device_type,
                    key_rotation_counter,
                },
                actor: actor(node),
                gas,
            })
        })
        .await
    }
}

fn check(commitment: &KeyCommitment) -> Result<(), Failure> {
    let invalid = |message| Err(Failure::InvalidRequest { message });
    let key = commitment.public_key_commitment.0.len();
    if !(1..=MOST_KEY_BYTES).contains(&key) {
        return invalid(format!(
            "`public_key_commitment` must have 1 to {MOST_KEY_BYTES} bytes; it has {key}."
        ));
    }
    let evidence = commitment.evidence.0.len();
    if evidence > MOST_KEY_BYTES {
        return invalid(format!(
            "`evidence` must have at most {MOST_KEY_BYTES} bytes; it has {evidence}."
        ));
    }
    if commitment.device_type >= DEVICE_TYPES_END {
        return invalid(format!(
            "`device_type` must be below {DEVICE_TYPES_END}; it is {}.",
            commitment.device_type
        ));
    }
    Ok(())
}
