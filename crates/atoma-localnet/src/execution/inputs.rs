//! Loading a transaction's input objects at exactly the versions that it names.

use std::sync::Arc;

use sui_sdk_types::{
    Address, Command, Input, Object, ObjectData, ObjectReference, Owner, StructTag, Transaction,
};

use super::checks::{self, RANDOM};
use super::refusal::TransactionRefusal;
use crate::chain::{ObjectStore, coin_balance};

/// The shared clock, which like [`RANDOM`] may only be taken immutably.
const CLOCK: Address = Address::from_static("0x6");

/// How a transaction may access an input object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputAccess {
    /// Owned by the sender.
    Owned,
    /// Immutable.
    Immutable,
    /// Shared, taken immutably.
    SharedRead,
    /// Shared, taken mutably.
    SharedWrite,
}

/// An input object.
#[derive(Debug, Clone)]
pub(crate) struct InputObject {
    pub(crate) object: Arc<Object>,
    pub(crate) access: InputAccess,
}

/// The objects that a transaction names.
#[derive(Debug, Clone)]
pub(crate) struct InputObjects {
    /// For each input of the transaction its object, or `None` for a pure value.
    pub(crate) objects: Vec<Option<InputObject>>,
    /// The gas coins. The others are merged into the first.
    pub(crate) gas: Vec<Arc<Object>>,
    /// The total balance of the gas coins.
    pub(crate) gas_balance: u64,
}

/// Loads the inputs and checks their versions, digests and owners, and the gas balance.
///
/// # Errors
/// The first [`TransactionRefusal`] in the order of the transaction.
pub(crate) fn load(
    store: &ObjectStore,
    transaction: &Transaction,
    package: Address,
) -> Result<InputObjects, TransactionRefusal> {
    let programmable = checks::programmable(transaction)?;
    let mut objects = Vec::with_capacity(programmable.inputs.len());
    for input in &programmable.inputs {
        objects.push(match input {
            Input::Pure(_) => None,
            Input::ImmutableOrOwned(reference) => Some(owned(store, reference, transaction)?),
            Input::Shared(shared) => {
                let mutable = shared.mutability().is_mutable();
                Some(self::shared(
                    store,
                    shared.object_id(),
                    shared.version(),
                    mutable,
                )?)
            }
            _ => {
                return Err(TransactionRefusal::Unsupported(
                    "this kind of input".to_owned(),
                ));
            }
        });
    }
    for command in &programmable.commands {
        callable(store, command, package)?;
    }
    let (gas, gas_balance) = gas(store, transaction)?;
    Ok(InputObjects {
        objects,
        gas,
        gas_balance,
    })
}

fn exact(
    store: &ObjectStore,
    reference: &ObjectReference,
) -> Result<Arc<Object>, TransactionRefusal> {
    let id = *reference.object_id();
    let missing = TransactionRefusal::ObjectNotFound {
        id,
        version: Some(reference.version()),
    };
    let Some(object) = store.live(&id) else {
        return Err(missing);
    };
    if !matches!(object.data(), ObjectData::Struct(_)) {
        return Err(TransactionRefusal::PackageAsObject(id));
    }
    if object.version() > reference.version() {
        return Err(TransactionRefusal::VersionUnavailable {
            provided: reference.clone(),
            current: object.version(),
        });
    }
    if object.version() < reference.version() {
        return Err(missing);
    }
    if object.digest() != *reference.digest() {
        return Err(TransactionRefusal::InvalidDigest {
            id,
            expected: *reference.digest(),
        });
    }
    Ok(Arc::clone(object))
}

fn owned(
    store: &ObjectStore,
    reference: &ObjectReference,
    transaction: &Transaction,
) -> Result<InputObject, TransactionRefusal> {
    let id = *reference.object_id();
    let object = exact(store, reference)?;
    let access = match *object.owner() {
        Owner::Immutable => InputAccess::Immutable,
        Owner::Address(owner) if owner == transaction.sender => InputAccess::Owned,
        Owner::Address(owner) => {
            return Err(TransactionRefusal::WrongOwner {
                id,
                owner,
                signer: transaction.sender,
            });
        }
        Owner::Object(parent) => return Err(TransactionRefusal::ChildObject { child: id, parent }),
        _ => return Err(TransactionRefusal::NotOwned(id)),
    };
    Ok(InputObject { object, access })
}

fn shared(
    store: &ObjectStore,
    id: Address,
    start: u64,
    mutable: bool,
) -> Result<InputObject, TransactionRefusal> {
    let object = store
        .live(&id)
        .ok_or(TransactionRefusal::ObjectNotFound { id, version: None })?;
    match *object.owner() {
        Owner::Shared(actual) if actual != start => {
            return Err(TransactionRefusal::SharedStartVersion { id, actual });
        }
        Owner::Shared(_) => {}
        _ => return Err(TransactionRefusal::NotShared(id)),
    }
    if mutable && (id == RANDOM || id == CLOCK) {
        return Err(TransactionRefusal::ImmutableExpected(id));
    }
    let access = if mutable {
        InputAccess::SharedWrite
    } else {
        InputAccess::SharedRead
    };
    Ok(InputObject {
        object: Arc::clone(object),
        access,
    })
}

fn callable(
    store: &ObjectStore,
    command: &Command,
    package: Address,
) -> Result<(), TransactionRefusal> {
    let Command::MoveCall(call) = command else {
        return Ok(());
    };
    if call.package == package {
        return Ok(());
    }
    match store.live(&call.package) {
        Some(object) if matches!(object.data(), ObjectData::Package(_)) => {
            Err(TransactionRefusal::Unsupported(format!(
                "the local network can't execute {}::{}::{}",
                call.package, call.module, call.function
            )))
        }
        _ => Err(TransactionRefusal::PackageNotFound(call.package)),
    }
}

fn gas(
    store: &ObjectStore,
    transaction: &Transaction,
) -> Result<(Vec<Arc<Object>>, u64), TransactionRefusal> {
    let payment = &transaction.gas_payment;
    let mut coins = Vec::with_capacity(payment.objects.len());
    let mut balance = 0_u128;
    for reference in &payment.objects {
        let id = *reference.object_id();
        let coin = exact(store, reference)?;
        if *coin.owner() != Owner::Address(payment.owner) {
            return Err(TransactionRefusal::GasObjectNotOwned {
                id,
                owner: payment.owner,
            });
        }
        match coin_balance(&coin) {
            Some((coin_type, value)) if coin_type == StructTag::sui().into() => {
                balance += u128::from(value);
            }
            _ => return Err(TransactionRefusal::NotAGasObject(id)),
        }
        coins.push(coin);
    }
    if balance < u128::from(payment.budget) {
        return Err(TransactionRefusal::GasBalanceTooLow {
            balance,
            needed: u128::from(payment.budget),
        });
    }
    Ok((coins, u64::try_from(balance).unwrap_or(u64::MAX)))
}
