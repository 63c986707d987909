//! The system transactions after genesis: the end of an epoch, and the commit prologue that moves the clock.

use atoma_domain::{Digest, ObjectId};
use sui_sdk_types::{
    Address, ChangedObject, ConsensusCommitPrologue, Ed25519PublicKey, Ed25519Signature,
    ExecutionStatus, GasCostSummary, GasPayment, GenesisTransaction, IdOperation, ObjectIn,
    ObjectOut, ObjectReference, SignedTransaction, SimpleSignature, Transaction,
    TransactionEffects, TransactionEffectsV2, TransactionEvents, TransactionExpiration,
    TransactionKind, UserSignature,
};

use crate::chain::{ObjectStore, TransactionOutputs};
use crate::execution::object_of;
use crate::vm::ObjectState;

pub(crate) const SYSTEM_STATE: Address = Address::from_static("0x5");
pub(crate) const CLOCK: Address = Address::from_static("0x6");

/// The outputs of the transaction that ends an epoch: the system state object gets a new version.
pub(crate) fn change_epoch(
    store: &ObjectStore,
    transaction: &Transaction,
    epoch: u64,
) -> TransactionOutputs {
    rewrite(store, transaction.clone(), epoch, SYSTEM_STATE, |_| {})
}

/// The outputs of the transaction that opens a commit of the consensus: the clock moves.
pub(crate) fn commit_prologue(
    store: &ObjectStore,
    epoch: u64,
    round: u64,
    now_ms: u64,
) -> TransactionOutputs {
    let transaction = Transaction {
        kind: TransactionKind::ConsensusCommitPrologue(ConsensusCommitPrologue {
            epoch,
            round,
            commit_timestamp_ms: now_ms,
        }),
        ..system_transaction()
    };
    rewrite(store, transaction, epoch, CLOCK, |contents| {
        let id_bytes = Address::LENGTH;
        if let Some(time) = contents.get_mut(id_bytes..) {
            time.copy_from_slice(&now_ms.to_le_bytes());
        }
    })
}

/// The outputs of a system transaction that changes one shared object.
fn rewrite(
    store: &ObjectStore,
    transaction: Transaction,
    epoch: u64,
    id: ObjectId,
    change: impl FnOnce(&mut [u8]),
) -> TransactionOutputs {
    let digest = transaction.digest();
    let mut written = Vec::new();
    let mut changed = Vec::new();
    let mut dependencies = Vec::new();
    let mut lamport = 1;
    if let Some(old) = store.live(&id)
        && let Some(mut state) = ObjectState::of(&old)
    {
        change(&mut state.contents);
        lamport = old.version() + 1;
        dependencies.push(old.previous_transaction());
        if let Some(new) = object_of(&state, lamport, digest) {
            changed.push(ChangedObject {
                object_id: id,
                input_state: ObjectIn::Exist {
                    version: old.version(),
                    digest: old.digest(),
                    owner: *old.owner(),
                },
                output_state: ObjectOut::ObjectWrite {
                    digest: new.digest(),
                    owner: *new.owner(),
                },
                id_operation: IdOperation::None,
            });
            written.push(new);
        }
    }
    TransactionOutputs {
        signed: signed_by_the_network(transaction),
        effects: system_effects(epoch, digest, None, dependencies, lamport, changed),
        events: None,
        loaded: Vec::new(),
        written,
        deleted: Vec::new(),
    }
}

/// A system transaction with what Sui has in the place of a signature: zeros.
pub(crate) fn signed_by_the_network(transaction: Transaction) -> SignedTransaction {
    SignedTransaction {
        transaction,
        signatures: vec![UserSignature::Simple(SimpleSignature::Ed25519 {
            signature: [0; Ed25519Signature::LENGTH].into(),
            public_key: [0; Ed25519PublicKey::LENGTH].into(),
        })],
    }
}

/// A system transaction, whose kind is for the caller to set. As on Sui, an object of zeros pays for it.
pub(crate) fn system_transaction() -> Transaction {
    Transaction {
        kind: TransactionKind::Genesis(GenesisTransaction {
            objects: Vec::new(),
        }),
        sender: Address::ZERO,
        gas_payment: GasPayment {
            objects: vec![ObjectReference::new(Address::ZERO, 0, Digest::ZERO)],
            owner: Address::ZERO,
            price: 1,
            budget: 0,
        },
        expiration: TransactionExpiration::None,
    }
}

pub(crate) fn system_effects(
    epoch: u64,
    digest: Digest,
    events: Option<&TransactionEvents>,
    dependencies: Vec<Digest>,
    lamport_version: u64,
    changed_objects: Vec<ChangedObject>,
) -> TransactionEffects {
    TransactionEffects::V2(Box::new(TransactionEffectsV2 {
        status: ExecutionStatus::Success,
        epoch,
        gas_used: GasCostSummary::new(0, 0, 0, 0),
        transaction_digest: digest,
        gas_object_index: None,
        events_digest: events.map(TransactionEvents::digest),
        dependencies,
        lamport_version,
        changed_objects,
        unchanged_consensus_objects: Vec::new(),
        auxiliary_data_digest: None,
    }))
}
