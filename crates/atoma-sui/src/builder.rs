//! Plans made into transactions, offline.

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{TransactionPlan, UnsignedTransaction};
use atoma_domain::{Epoch, ObjectId, ObjectReference};
use sui_sdk_types::{Address, Identifier, Transaction, TransactionExpiration};
use sui_transaction_builder::{Argument, Function, ObjectInput, TransactionBuilder};
use thiserror::Error;

use crate::abi::{self, CallArgument};

/// The `Random` object.
pub(crate) const RANDOM: Address = Address::from_static("0x8");

/// Commands a transaction, at most.
const MAX_COMMANDS: usize = 1_024;
/// Bytes of a pure argument, at most.
const MAX_PURE_ARGUMENT_BYTES: usize = 16_384;
/// Bytes of a transaction, at most.
const MAX_TRANSACTION_BYTES: usize = 131_072;
/// Coins that pay for a transaction: fewer than this.
const MAX_GAS_OBJECTS: usize = 256;

/// A plan that no valid transaction can be made of.
#[derive(Debug, Error)]
pub(crate) enum BuildError {
    /// Nothing to do.
    #[error("a transaction needs at least one call")]
    NoCalls,
    /// A call takes the badge, the plan has none.
    #[error("{function} needs the node badge")]
    NoBadge {
        /// The call's function.
        function: &'static str,
    },
    /// A call after the one that takes `Random`.
    #[error("try_settle_stack must be the last call of its transaction")]
    RandomNotLast,
    /// A text that Move's ASCII string can't hold.
    #[error("`{0}` is not printable ASCII")]
    NotAscii(String),
    /// A limit of the network.
    #[error("{what}: {actual} is more than the network's limit of {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// How much it is.
        actual: usize,
        /// How much it may be.
        limit: usize,
    },
    /// The shared objects' versions are learned with the first read.
    #[error("the AtomaDb has not been read yet")]
    ContractNotRead,
    /// The library refused.
    #[error("the transaction builder refused the plan")]
    Builder(#[from] sui_transaction_builder::Error),
    /// A name that is no Move identifier.
    #[error("a name is no Move identifier")]
    Identifier(#[from] sui_sdk_types::TypeParseError),
    /// BCS failed.
    #[error("the transaction has no BCS form")]
    Bcs(#[from] bcs::Error),
}

/// The contract's places that every call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContractAddresses {
    /// The package to call.
    pub(crate) package: ObjectId,
    /// The `AtomaDb`.
    pub(crate) atoma_db: ObjectId,
    /// The version that it became shared at.
    pub(crate) atoma_db_initial_version: u64,
    /// The version that `Random` became shared at.
    pub(crate) random_initial_version: u64,
}

/// Builds the plan's transaction.
pub(crate) fn build(
    contract: &ContractAddresses,
    plan: &TransactionPlan,
) -> Result<UnsignedTransaction, BuildError> {
    let transaction = transaction(contract, plan, Some(plan.expires_after))?;
    let bytes = bcs::to_bytes(&transaction)?;
    within(
        "bytes of the transaction",
        bytes.len(),
        MAX_TRANSACTION_BYTES,
    )?;
    Ok(UnsignedTransaction {
        bytes,
        digest: transaction.digest(),
    })
}

/// The plan's transaction; without expiration only for comparison with foreign ones.
fn transaction(
    contract: &ContractAddresses,
    plan: &TransactionPlan,
    expiration: Option<Epoch>,
) -> Result<Transaction, BuildError> {
    check(plan)?;
    let mut builder = TransactionBuilder::new();
    // Before the calls: after one with `Random` nothing may be split, only handed over.
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

/// The coins that the plan splits off what pays.
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
    within("commands", commands, MAX_COMMANDS)?;
    within("gas coins", plan.gas.len(), MAX_GAS_OBJECTS - 1)?;
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
    contract: &ContractAddresses,
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
    within("bytes of an argument", bytes.len(), MAX_PURE_ARGUMENT_BYTES)?;
    // Not `pure_bytes`: that merges equal arguments, which other Sui SDKs don't.
    Ok(builder.pure_bytes_unique(bytes))
}

fn owned(reference: &ObjectReference) -> ObjectInput {
    ObjectInput::owned(
        *reference.object_id(),
        reference.version(),
        *reference.digest(),
    )
}

fn within(what: &'static str, actual: usize, limit: usize) -> Result<(), BuildError> {
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
