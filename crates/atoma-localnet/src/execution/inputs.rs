//! Loading a transaction's input objects at exactly the versions that it names.

use std::sync::Arc;

use sui_sdk_types::{
    Address, Command, Input, Object, ObjectData, ObjectReference, Owner, StructTag, Transaction,
    TypeTag,
};

use super::checks::{self, RANDOM};
use super::framework;
use super::refusal::TransactionRefusal;
use crate::chain::{ObjectStore, coin_balance};
use crate::contract::{self, ContractAddresses};

/// The shared clock, which like [`RANDOM`] may only be taken immutably.
const CLOCK: Address = Address::from_static("0x6");
const CLOCK_START: u64 = 1;

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

/// What pays for a transaction.
pub(crate) enum GasSource {
    /// The coins that it names.
    Payment,
    /// A coin that exists only in a simulation.
    Mock(Arc<Object>),
}

/// Loads the inputs and checks packages, gas price and budget, the gas balance, digests, owners and versions, in
/// this order. Without `checks` price and budget may be anything.
///
/// # Errors
/// The first [`TransactionRefusal`] that applies.
pub(crate) fn load(
    store: &ObjectStore,
    transaction: &Transaction,
    contract: &ContractAddresses,
    gas: &GasSource,
    reference_gas_price: Option<u64>,
) -> Result<InputObjects, TransactionRefusal> {
    let programmable = checks::programmable(transaction)?;
    let mut reader = Reader {
        store,
        consumed: None,
    };
    let mut read = Vec::with_capacity(programmable.inputs.len());
    for input in &programmable.inputs {
        read.push(reader.input(input)?);
    }
    for command in &programmable.commands {
        callable(store, command, contract)?;
    }
    let coins = match gas {
        GasSource::Payment => transaction
            .gas_payment
            .objects
            .iter()
            .map(|reference| reader.exact(reference))
            .collect::<Result<_, _>>()?,
        GasSource::Mock(coin) => vec![Arc::clone(coin)],
    };
    if let Some(reference) = reference_gas_price {
        checks::price_and_budget(transaction, reference)?;
    }
    let gas_balance = gas_balance(&coins, transaction.gas_payment.budget)?;
    let mut objects = Vec::with_capacity(read.len());
    for (input, object) in programmable.inputs.iter().zip(read) {
        objects.push(match (input, object) {
            (Input::ImmutableOrOwned(reference), Some(object)) => {
                let access = owned(&object, reference, transaction.sender)?;
                Some(InputObject { object, access })
            }
            (Input::Shared(shared), Some(object)) => {
                let mutable = shared.mutability().is_mutable();
                let access = self::shared(&object, shared.version(), mutable)?;
                Some(InputObject { object, access })
            }
            _ => None,
        });
    }
    if matches!(gas, GasSource::Payment) {
        for (reference, coin) in transaction.gas_payment.objects.iter().zip(&coins) {
            owned(coin, reference, transaction.gas_payment.owner)?;
        }
    }
    match reader.consumed {
        Some(refusal) => Err(refusal),
        None => Ok(InputObjects {
            objects,
            gas: coins,
            gas_balance,
        }),
    }
}

/// Reads objects by reference.
struct Reader<'a> {
    store: &'a ObjectStore,
    /// The refusal for the first version that is no longer current. The validators find it, after everything
    /// that is wrong with the transaction itself.
    consumed: Option<TransactionRefusal>,
}

impl Reader<'_> {
    fn input(&mut self, input: &Input) -> Result<Option<Arc<Object>>, TransactionRefusal> {
        match input {
            Input::ImmutableOrOwned(reference) => self.exact(reference).map(Some),
            Input::Shared(shared) => {
                let id = shared.object_id();
                let object = self.store.live(&id);
                object
                    .map(Some)
                    .ok_or(TransactionRefusal::ObjectNotFound { id, version: None })
            }
            _ => Ok(None),
        }
    }

    /// The object at exactly that version, current or not.
    fn exact(&mut self, reference: &ObjectReference) -> Result<Arc<Object>, TransactionRefusal> {
        let id = *reference.object_id();
        let version = reference.version();
        let missing = TransactionRefusal::ObjectNotFound {
            id,
            version: Some(version),
        };
        let Some(live) = self.store.live(&id) else {
            return Err(missing);
        };
        if live.version() == version {
            return Ok(live);
        }
        if live.version() < version {
            return Err(missing);
        }
        let unavailable = TransactionRefusal::VersionUnavailable {
            provided: reference.clone(),
            current: live.version(),
        };
        // Versions have gaps: nothing can be checked of one that never was.
        match self.store.at(&id, version) {
            Some(old) => {
                self.consumed.get_or_insert(unavailable);
                Ok(old)
            }
            None => Err(unavailable),
        }
    }
}

/// Checks an object that is taken as owned by `signer` or immutable.
fn owned(
    object: &Object,
    reference: &ObjectReference,
    signer: Address,
) -> Result<InputAccess, TransactionRefusal> {
    let id = *reference.object_id();
    if matches!(object.data(), ObjectData::Package(_)) {
        return Err(TransactionRefusal::PackageAsObject(id));
    }
    let digest = object.digest();
    if digest != *reference.digest() {
        return Err(TransactionRefusal::InvalidDigest {
            id,
            expected: digest,
        });
    }
    match *object.owner() {
        Owner::Immutable => Ok(InputAccess::Immutable),
        Owner::Address(owner) if owner == signer => Ok(InputAccess::Owned),
        Owner::Address(owner) => Err(TransactionRefusal::WrongOwner { id, owner, signer }),
        Owner::Object(parent) => Err(TransactionRefusal::ChildObject { child: id, parent }),
        _ => Err(TransactionRefusal::NotOwned),
    }
}

fn shared(object: &Object, start: u64, mutable: bool) -> Result<InputAccess, TransactionRefusal> {
    let id = object.object_id();
    // A wrong start of the clock is found first.
    if mutable && (id == RANDOM || id == CLOCK && start == CLOCK_START) {
        return Err(TransactionRefusal::ImmutableExpected);
    }
    match *object.owner() {
        Owner::Shared(actual) if actual != start => Err(TransactionRefusal::SharedStartVersion),
        Owner::Shared(_) if mutable => Ok(InputAccess::SharedWrite),
        Owner::Shared(_) => Ok(InputAccess::SharedRead),
        _ => Err(TransactionRefusal::NotShared),
    }
}

/// Checks that the packages of a call exist, and that this network executes the function.
fn callable(
    store: &ObjectStore,
    command: &Command,
    contract: &ContractAddresses,
) -> Result<(), TransactionRefusal> {
    let Command::MoveCall(call) = command else {
        return Ok(());
    };
    let Some(package) = store.package(&call.package) else {
        return Err(match store.live(&call.package) {
            Some(_) => TransactionRefusal::ObjectAsPackage(call.package),
            None => TransactionRefusal::PackageNotFound(call.package),
        });
    };
    for argument in &call.type_arguments {
        known_packages(store, argument)?;
    }
    if contract::is_version(package, contract)
        || call.package == Address::TWO && framework::is_native(&call.module, &call.function)
    {
        return Ok(());
    }
    Err(TransactionRefusal::NotOnLocalNetwork(format!(
        "calls of {}::{}::{}",
        call.package, call.module, call.function
    )))
}

fn known_packages(store: &ObjectStore, tag: &TypeTag) -> Result<(), TransactionRefusal> {
    match tag {
        TypeTag::Vector(inner) => known_packages(store, inner),
        TypeTag::Struct(tag) => {
            if store.package(tag.address()).is_none() {
                return Err(TransactionRefusal::PackageNotFound(*tag.address()));
            }
            tag.type_params()
                .iter()
                .try_for_each(|parameter| known_packages(store, parameter))
        }
        _ => Ok(()),
    }
}

/// The coins' total balance, which must cover the budget.
fn gas_balance(coins: &[Arc<Object>], budget: u64) -> Result<u64, TransactionRefusal> {
    let mut balance = 0_u128;
    for coin in coins {
        if !matches!(coin.owner(), Owner::Address(_)) {
            return Err(TransactionRefusal::GasObjectNotOwned(*coin.owner()));
        }
        match coin_balance(coin) {
            Some((coin_type, value)) if coin_type == StructTag::sui().into() => {
                balance += u128::from(value);
            }
            _ => return Err(TransactionRefusal::NotAGasObject(coin.object_id())),
        }
    }
    if balance < u128::from(budget) {
        return Err(TransactionRefusal::GasBalanceTooLow {
            balance,
            needed: u128::from(budget),
        });
    }
    Ok(u64::try_from(balance).unwrap_or(u64::MAX))
}
