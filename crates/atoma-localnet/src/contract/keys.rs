//! Key rotations of confidential-compute nodes.

use atoma_domain::events::{NewKeyRotation, NodePublicKeyCommitment};
use atoma_domain::{Epoch, HexBytes, ObjectId};

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::NodeEntry;
use crate::vm::MoveError;

/// The upper bound of device types, exclusive.
const DEVICE_TYPES_END: u16 = 16_000;

impl Db<'_, '_> {
    /// `rotate_node_public_key`. Emits its event even when nothing is written.
    pub(super) fn rotate_node_key(
        &mut self,
        badge: &ObjectId,
        public_key: Vec<u8>,
        evidence: Vec<u8>,
        counter: u64,
        device_type: u16,
    ) -> Result<(), MoveError> {
        const HERE: &str = "rotate_node_public_key";
        let known = device_type < DEVICE_TYPES_END;
        self.ensure(known, AbortCode::InvalidDeviceType, HERE)?;
        let current = counter == self.state.key_rotation_counter;
        self.ensure(current, AbortCode::InvalidKeyRotationCounter, HERE)?;

        let node = self.badge(badge)?;
        let mut entry = self.node_mut(node)?;
        if entry.confidential_compute_last_rotation_counter == Some(counter) {
            self.add_device(&mut entry, &public_key, device_type)?;
        } else {
            entry.confidential_compute_last_rotation_counter = Some(counter);
            entry.confidential_compute_last_updated_epoch = Some(self.context.epoch);
            entry.confidential_compute_public_key_commitment = Some(public_key.clone());
            entry.confidential_compute_device_types = vec![device_type];
        }
        self.set_node(node, &entry)?;
        self.emit(NodePublicKeyCommitment {
            epoch: Epoch::new(self.context.epoch),
            key_rotation_counter: counter,
            node_id: node,
            new_public_key: HexBytes(public_key),
            device_type,
            evidence_bytes: HexBytes(evidence),
        })
    }

    /// `handle_existing_node_attestation`: another attestation within the same rotation. A new
    /// device must have the same key; for a known device nothing changes, whatever its key.
    fn add_device(
        &self,
        entry: &mut NodeEntry,
        public_key: &[u8],
        device_type: u16,
    ) -> Result<(), MoveError> {
        let devices = &mut entry.confidential_compute_device_types;
        if devices.contains(&device_type) {
            return Ok(());
        }
        let same = entry.confidential_compute_public_key_commitment.as_deref() == Some(public_key);
        self.ensure(
            same,
            AbortCode::PublicKeyCommitmentMismatch,
            "handle_existing_node_attestation",
        )?;
        devices.push(device_type);
        Ok(())
    }

    /// `new_network_key_rotation`: requests new keys from all confidential-compute nodes.
    pub(super) fn rotate_network_key(&mut self) -> Result<(), MoveError> {
        const HERE: &str = "new_network_key_rotation";
        let counter = self.number(self.state.key_rotation_counter.checked_add(1), HERE)?;
        let nonce = self.vm.generator().next_u64();
        self.state.key_rotation_counter = counter;
        self.state.nonce = nonce;
        self.emit(NewKeyRotation {
            key_rotation_counter: counter,
            epoch: Epoch::new(self.context.epoch),
            nonce,
        })
    }
}
