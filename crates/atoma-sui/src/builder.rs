//! Building transactions from plans, offline.

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{TransactionPlan, UnsignedTransaction};
use atoma_domain::{Epoch, ObjectId, ObjectReference};
use sui_sdk_types::{Address, Identifier, Transaction, TransactionExpiration};
use sui_transaction_builder::{Argument, Function, ObjectInput, TransactionBuilder};
use thiserror::Error;

use crate::abi::{self, CallArgument};

/// The `Random` object.
pub(crate) const RANDOM: Address = Address::from_static("0x8");

// The network's limits.
/// Commands per transaction.
const MAX_COMMANDS: usize = 1_024;
/// Bytes per pure argument.
const MAX_PURE_ARGUMENT_BYTES: usize = 16_384;
/// Bytes per transaction.
const MAX_TRANSACTION_BYTES: usize = 131_072;
/// Gas coins per transaction, exclusive: there must be fewer than this.
const MAX_GAS_OBJECTS: usize = 256;

/// No valid transaction can be built from a plan.
#[derive(Debug, Error)]
pub(crate) enum BuildError {
    /// The plan has no calls.
    #[error("a transaction needs at least one call")]
    NoCalls,
    /// A call takes the badge, but the plan has none.
    #[error("{function} needs the node badge")]
    NoBadge {
        /// The call's function.
        function: &'static str,
    },
    /// A call follows one that takes `Random`.
    #[error("try_settle_stack must be the last call of its transaction")]
    RandomNotLast,
    /// A string that Move's ASCII string can't hold.
    #[error("`{0}` is not ASCII")]
    NotAscii(String),
    /// The plan exceeds a limit of the network.
    #[error("{what}: {actual} is more than the network's limit of {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The plan's value.
        actual: usize,
        /// The largest value allowed.
        limit: usize,
    },
    /// The shared objects' initial versions are unknown until the first read.
    #[error("the AtomaDb has not been read yet")]
    ContractNotRead,
    /// The library rejected the plan.
    #[error("the transaction builder rejected the plan")]
    Builder(#[from] sui_transaction_builder::Error),
    /// A name is not a Move identifier.
    #[error("a name is not a Move identifier")]
    Identifier(#[from] sui_sdk_types::TypeParseError),
    /// BCS failed.
    #[error("the transaction can't be encoded in BCS")]
    Bcs(#[from] bcs::Error),
}

/// The package and the shared objects that calls take as inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContractInputs {
    /// The package to call.
    pub(crate) package: ObjectId,
    /// The `AtomaDb`.
    pub(crate) atoma_db: ObjectId,
    /// The `AtomaDb`'s initial shared version.
    pub(crate) atoma_db_initial_version: u64,
    /// The initial shared version of `Random`.
    pub(crate) random_initial_version: u64,
}

/// Builds the plan's transaction.
pub(crate) fn build(
    contract: &ContractInputs,
    plan: &TransactionPlan,
) -> Result<UnsignedTransaction, BuildError> {
    let transaction = transaction(contract, plan, Some(plan.expires_after))?;
    let bytes = bcs::to_bytes(&transaction)?;
    check_limit(
        "bytes of the transaction",
        bytes.len(),
        MAX_TRANSACTION_BYTES,
    )?;
    Ok(UnsignedTransaction {
        bytes,
        digest: transaction.digest(),
    })
}

/// The plan's transaction. It always expires, except when tests compare it with transactions of
/// other SDKs.
fn transaction(
    contract: &ContractInputs,
    plan: &TransactionPlan,
    expiration: Option<Epoch>,
) -> Result<Transaction, BuildError> {
    check(plan)?;
    let mut builder = TransactionBuilder::new();
    // Split before the calls: after a call with `Random`, coins may be transferred but not split.
    let split = split_off(&mut builder, plan);
    for call in &plan.calls {
        let arguments = abi::arguments(call)
            .into_iter()
            .map(|argument| input(&mut builder, contract, plan, call, argument))
            .collect::<Result<Vec<_>, _>>()?;
        let function = Function::new(
            contract.package,
            Identifier::new(abi::MODULE)?,
            Identifier::new(call.function())?,
        );
        builder.move_call(function, arguments);
    }
    if !split.is_empty() {
        let sender = builder.pure_unique(&plan.sender);
        builder.transfer_objects(split, sender);
    }
    builder.set_sender(plan.sender);
    builder.set_gas_price(plan.gas_price.get());
    builder.set_gas_budget(plan.gas_budget.get());
    builder.add_gas_objects(plan.gas.iter().map(owned));
    if let Some(epoch) = expiration {
        builder.set_expiration(TransactionExpiration::Epoch(epoch.get()));
    }
    Ok(builder.try_build()?)
}

/// The coins that the plan splits off the gas coin.
fn split_off(builder: &mut TransactionBuilder, plan: &TransactionPlan) -> Vec<Argument> {
    if plan.split.is_empty() {
        return Vec::new();
    }
    let gas = builder.gas();
    let amounts = plan
        .split
        .iter()
        .map(|amount| builder.pure_unique(&amount.get()))
        .collect();
    builder.split_coins(gas, amounts)
}

fn check(plan: &TransactionPlan) -> Result<(), BuildError> {
    let commands = plan.calls.len() + if plan.split.is_empty() { 0 } else { 2 };
    check_limit("commands", commands, MAX_COMMANDS)?;
    check_limit("gas coins", plan.gas.len(), MAX_GAS_OBJECTS - 1)?;
    let Some((_, before_last)) = plan.calls.split_last() else {
        return Err(BuildError::NoCalls);
    };
    if before_last.iter().any(ContractCall::uses_random) {
        return Err(BuildError::RandomNotLast);
    }
    Ok(())
}

fn input(
    builder: &mut TransactionBuilder,
    contract: &ContractInputs,
    plan: &TransactionPlan,
    call: &ContractCall,
    argument: CallArgument,
) -> Result<Argument, BuildError> {
    let bytes = match argument {
        CallArgument::AtomaDb => {
            let version = contract.atoma_db_initial_version;
            return Ok(builder.object(ObjectInput::shared(contract.atoma_db, version, true)));
        }
        CallArgument::Badge => {
            let badge = plan.badge.as_ref().ok_or(BuildError::NoBadge {
                function: call.function(),
            })?;
            return Ok(builder.object(owned(badge)));
        }
        CallArgument::Random => {
            let version = contract.random_initial_version;
            return Ok(builder.object(ObjectInput::shared(RANDOM, version, false)));
        }
        CallArgument::U16(value) => bcs::to_bytes(&value)?,
        CallArgument::U64(value) => bcs::to_bytes(&value)?,
        CallArgument::Ascii(value) => {
            if !value.is_ascii() {
                return Err(BuildError::NotAscii(value));
            }
            bcs::to_bytes(&value)?
        }
        CallArgument::Bytes(value) => bcs::to_bytes(&value)?,
        CallArgument::U64s(value) => bcs::to_bytes(&value)?,
    };
    check_limit("bytes of an argument", bytes.len(), MAX_PURE_ARGUMENT_BYTES)?;
    // `pure_bytes` would merge equal arguments, which other Sui SDKs don't do.
    Ok(builder.pure_bytes_unique(bytes))
}

fn owned(reference: &ObjectReference) -> ObjectInput {
    ObjectInput::owned(
        *reference.object_id(),
        reference.version(),
        *reference.digest(),
    )
}

fn check_limit(what: &'static str, actual: usize, limit: usize) -> Result<(), BuildError> {
    if actual > limit {
        return Err(BuildError::Limit {
            what,
            actual,
            limit,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
