//! Finding a transaction's input objects, exactly as the transaction names them.

use std::sync::Arc;

use sui_sdk_types::{
    Address, Command, Input, Object, ObjectData, ObjectReference, Owner, StructTag, Transaction,
};

use super::checks::{self, RANDOM};
use super::refusal::Refusal;
use crate::chain::{ObjectStore, coin_balance};

/// The shared clock, which like [`RANDOM`] nobody may take mutably.
const CLOCK: Address = Address::from_static("0x6");

/// How a transaction holds an input object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Owned by the sender.
    Owned,
    /// Immutable for ever.
    Immutable,
    /// Shared, and taken for reading only.
    SharedRead,
    /// Shared, and taken for writing.
    SharedWrite,
}

/// One input object.
#[derive(Debug, Clone)]
pub(crate) struct InputObject {
    pub(crate) object: Arc<Object>,
    pub(crate) access: Access,
}

/// All objects that a transaction names.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    /// Beside each input of the transaction: its object, unless it is pure.
    pub(crate) objects: Vec<Option<InputObject>>,
    /// The gas coins, the one that pays first.
    pub(crate) gas: Vec<Arc<Object>>,
    /// The gas coins' balances together.
    pub(crate) gas_balance: u64,
}

/// Finds the inputs and checks version, digest, ownership and gas balance.
///
/// # Errors
/// The first [`Refusal`] in the order of the transaction.
pub(crate) fn load(
    store: &ObjectStore,
    transaction: &Transaction,
    package: Address,
) -> Result<Inputs, Refusal> {
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
            _ => return Err(Refusal::Unsupported("this kind of input".to_owned())),
        });
    }
    for command in &programmable.commands {
        callable(store, command, package)?;
    }
    let (gas, gas_balance) = gas(store, transaction)?;
    Ok(Inputs {
        objects,
        gas,
        gas_balance,
    })
}

fn exact(store: &ObjectStore, reference: &ObjectReference) -> Result<Arc<Object>, Refusal> {
    let id = *reference.object_id();
    let missing = Refusal::ObjectNotFound {
        id,
        version: Some(reference.version()),
    };
    let Some(object) = store.live(&id) else {
        return Err(missing);
    };
    if !matches!(object.data(), ObjectData::Struct(_)) {
        return Err(Refusal::PackageAsObject(id));
    }
    if object.version() > reference.version() {
        return Err(Refusal::VersionUnavailable {
            provided: reference.clone(),
            current: object.version(),
        });
    }
    if object.version() < reference.version() {
        return Err(missing);
    }
    if object.digest() != *reference.digest() {
        return Err(Refusal::InvalidDigest {
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
) -> Result<InputObject, Refusal> {
    let id = *reference.object_id();
    let object = exact(store, reference)?;
    let access = match *object.owner() {
        Owner::Immutable => Access::Immutable,
        Owner::Address(owner) if owner == transaction.sender => Access::Owned,
        Owner::Address(owner) => {
            return Err(Refusal::WrongOwner {
                id,
                owner,
                signer: transaction.sender,
            });
        }
        Owner::Object(parent) => return Err(Refusal::ChildObject { child: id, parent }),
        _ => return Err(Refusal::NotOwned(id)),
    };
    Ok(InputObject { object, access })
}

fn shared(
    store: &ObjectStore,
    id: Address,
    start: u64,
    mutable: bool,
) -> Result<InputObject, Refusal> {
    let object = store
        .live(&id)
        .ok_or(Refusal::ObjectNotFound { id, version: None })?;
    match *object.owner() {
        Owner::Shared(actual) if actual != start => {
            return Err(Refusal::SharedStartVersion { id, actual });
        }
        Owner::Shared(_) => {}
        _ => return Err(Refusal::NotShared(id)),
    }
    if mutable && (id == RANDOM || id == CLOCK) {
        return Err(Refusal::ImmutableExpected(id));
    }
    let access = if mutable {
        Access::SharedWrite
    } else {
        Access::SharedRead
    };
    Ok(InputObject {
        object: Arc::clone(object),
        access,
    })
}

fn callable(store: &ObjectStore, command: &Command, package: Address) -> Result<(), Refusal> {
    let Command::MoveCall(call) = command else {
        return Ok(());
    };
    if call.package == package {
        return Ok(());
    }
    match store.live(&call.package) {
        Some(object) if matches!(object.data(), ObjectData::Package(_)) => {
            Err(Refusal::Unsupported(format!(
                "the local network can't execute {}::{}::{}",
                call.package, call.module, call.function
            )))
        }
        _ => Err(Refusal::PackageNotFound(call.package)),
    }
}

fn gas(store: &ObjectStore, transaction: &Transaction) -> Result<(Vec<Arc<Object>>, u64), Refusal> {
    let payment = &transaction.gas_payment;
    let mut coins = Vec::with_capacity(payment.objects.len());
    let mut balance = 0_u128;
    for reference in &payment.objects {
        let id = *reference.object_id();
        let coin = exact(store, reference)?;
        if *coin.owner() != Owner::Address(payment.owner) {
            return Err(Refusal::GasObjectNotOwned {
                id,
                owner: payment.owner,
            });
        }
        match coin_balance(&coin) {
            Some((coin_type, value)) if coin_type == StructTag::sui().into() => {
                balance += u128::from(value);
            }
            _ => return Err(Refusal::NotAGasObject(id)),
        }
        coins.push(coin);
    }
    if balance < u128::from(payment.budget) {
        return Err(Refusal::GasBalanceTooLow {
            balance,
            needed: u128::from(payment.budget),
        });
    }
    Ok((coins, u64::try_from(balance).unwrap_or(u64::MAX)))
}
