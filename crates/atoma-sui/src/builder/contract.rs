//! The contract, and transactions of its calls for nodes.

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{TransactionPlan, UnsignedTransaction};
use atoma_domain::{Epoch, ObjectId, ObjectReference};
use sui_sdk_types::{Address, Identifier, Transaction, TransactionExpiration};
use sui_transaction_builder::{Argument, Function, ObjectInput, TransactionBuilder};

use super::error::{
    BuildError, MAX_COMMANDS, MAX_GAS_OBJECTS, MAX_PURE_ARGUMENT_BYTES, MAX_TRANSACTION_BYTES,
    check_limit,
};
use crate::abi::{self, CallArgument};

/// The `Random` object.
pub(crate) const RANDOM: Address = Address::from_static("0x8");

/// The package and the shared objects that calls take as inputs. They never change for one deployment of the
/// contract, except that an upgrade has another package.
///
/// # Examples
///
/// A signed transaction without any connection:
///
/// ```
/// use atoma_domain::contract::ContractCall;
/// use atoma_domain::ports::{Signer as _, TransactionPlan};
/// use atoma_domain::{
///     Digest, EchelonId, Epoch, Mist, ObjectReference, PricePerMillion, TaskSmallId,
/// };
/// use atoma_sui::{ContractInputs, KeystoreSigner};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let contract = ContractInputs {
///     package: "0xa70a0001".parse()?,
///     atoma_db: "0xa70adb01".parse()?,
///     atoma_db_initial_version: 349_223_371,
///     random_initial_version: 10,
/// };
/// let signer = KeystoreSigner::from_suiprivkey(
///     "suiprivkey1qqrswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswxzszc4",
/// )?;
/// let badge = ObjectReference::new("0xba09e001".parse()?, 349_223_400, Digest::new([17; 32]));
/// let coin = ObjectReference::new("0x9a5c0140".parse()?, 349_223_401, Digest::new([18; 32]));
/// let unsigned = contract.build(&TransactionPlan {
///     sender: signer.address(),
///     badge: Some(badge),
///     calls: vec![
///         ContractCall::AddNodeToModel {
///             model_name: String::from("llama"),
///             echelon: EchelonId::new(1),
///         },
///         ContractCall::SubscribeToTask {
///             task: TaskSmallId::new(7),
///             price: PricePerMillion::new(2_000),
///         },
///     ],
///     gas: vec![coin],
///     split: Vec::new(),
///     gas_price: Mist::new(1_000),
///     gas_budget: Mist::new(50_000_000),
///     expires_after: Epoch::new(812),
/// })?;
/// let signed = signer.sign(unsigned).await?;
/// assert_eq!(signed.signatures.len(), 1);
/// # Ok(())
/// # }
/// # futures::executor::block_on(example()).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContractInputs {
    /// The package to call.
    pub package: ObjectId,
    /// The `AtomaDb`.
    pub atoma_db: ObjectId,
    /// The `AtomaDb`'s initial shared version.
    pub atoma_db_initial_version: u64,
    /// The initial shared version of `Random`, the object `0x8`.
    pub random_initial_version: u64,
}

impl ContractInputs {
    /// Builds the plan's transaction. It expires after the plan's epoch, so that it can't execute when nobody
    /// expects it any more.
    ///
    /// # Errors
    /// When the plan has no calls, lacks the badge that a call needs, has a call behind one that takes `Random`,
    /// or exceeds a limit of the network.
    pub fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, BuildError> {
        unsigned(&transaction(self, plan, Some(plan.expires_after))?)
    }

    /// Builds the plan's transaction without an expiration: it can execute in any epoch, until another
    /// transaction consumes one of its owned objects. [`TransactionPlan::expires_after`] isn't used.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn build_unexpiring(
        &self,
        plan: &TransactionPlan,
    ) -> Result<UnsignedTransaction, BuildError> {
        unsigned(&transaction(self, plan, None)?)
    }
}

pub(super) fn unsigned(transaction: &Transaction) -> Result<UnsignedTransaction, BuildError> {
    let bytes = bcs::to_bytes(transaction)?;
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
            Identifier::new(abi::MODULE).map_err(BuildError::refused)?,
            Identifier::new(call.function()).map_err(BuildError::refused)?,
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
    builder.try_build().map_err(BuildError::refused)
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

pub(super) fn owned(reference: &ObjectReference) -> ObjectInput {
    ObjectInput::owned(
        *reference.object_id(),
        reference.version(),
        *reference.digest(),
    )
}

#[cfg(test)]
mod tests;
