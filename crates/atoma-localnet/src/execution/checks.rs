//! Checks of a transaction that need no objects.

use std::collections::HashSet;

use atoma_domain::ObjectId;
use sui_sdk_types::{
    Address, Argument, Command, Digest, Input, Mutability, ProgrammableTransaction, Transaction,
    TransactionExpiration, TransactionKind, UserSignature,
};

use super::limits;
use super::refusal::TransactionRefusal;

/// The shared `Random` object.
pub(crate) const RANDOM: Address = Address::from_static("0x8");

/// The programmable part of a user transaction.
///
/// # Errors
/// System transactions are refused.
pub(crate) fn programmable(
    transaction: &Transaction,
) -> Result<&ProgrammableTransaction, TransactionRefusal> {
    match &transaction.kind {
        TransactionKind::ProgrammableTransaction(programmable) => Ok(programmable),
        _ => Err(TransactionRefusal::SystemTransaction),
    }
}

/// Checks the size of a transaction with its signatures, as validators receive it.
///
/// # Errors
/// [`TransactionRefusal::SizeLimit`].
pub(crate) fn size(
    transaction: &Transaction,
    signatures: &[UserSignature],
) -> Result<(), TransactionRefusal> {
    /// The intent, and the lengths of two lists.
    const ENVELOPE_BYTES: usize = 3 + 1 + 1;
    let has_no_bcs = |error| TransactionRefusal::Malformed {
        field: "transaction",
        description: format!("the transaction has no BCS form: {error}"),
    };
    let mut size = ENVELOPE_BYTES + bcs::serialized_size(transaction).map_err(has_no_bcs)?;
    for signature in signatures {
        size += bcs::serialized_size(signature).map_err(has_no_bcs)?;
    }
    let max = limits::MAX_TX_SIZE_BYTES;
    if size > max {
        return Err(TransactionRefusal::SizeLimit {
            limit: format!("serialized transaction size exceeded maximum of {max}"),
            value: size,
        });
    }
    Ok(())
}

/// Checks counts, supported inputs and commands, and the rule about `Random`.
///
/// # Errors
/// The first [`TransactionRefusal`] that applies.
pub(crate) fn shape(transaction: &Transaction) -> Result<(), TransactionRefusal> {
    let programmable = programmable(transaction)?;
    at_most(
        "maximum number of gas payment objects",
        transaction.gas_payment.objects.len(),
        limits::MAX_GAS_PAYMENT_OBJECTS,
    )?;
    fewer_than(
        "maximum commands in a programmable transaction",
        programmable.commands.len(),
        limits::MAX_COMMANDS,
    )?;
    inputs(transaction, programmable)?;
    for command in &programmable.commands {
        arguments(command)?;
        supported(command)?;
    }
    random_rule(programmable)
}

/// As in Sui's checks, the message states the limit.
fn at_most(limit: &str, value: usize, max: usize) -> Result<(), TransactionRefusal> {
    if value > max {
        return Err(TransactionRefusal::SizeLimit {
            limit: limit.to_owned(),
            value: max,
        });
    }
    Ok(())
}

/// Sui compares some limits with `<`, so that one less than the limit is the most.
fn fewer_than(limit: &str, value: usize, max: usize) -> Result<(), TransactionRefusal> {
    if value >= max {
        return Err(TransactionRefusal::SizeLimit {
            limit: limit.to_owned(),
            value: max,
        });
    }
    Ok(())
}

fn inputs(
    transaction: &Transaction,
    programmable: &ProgrammableTransaction,
) -> Result<(), TransactionRefusal> {
    let mut seen: HashSet<ObjectId> = HashSet::new();
    for input in &programmable.inputs {
        let id = match input {
            Input::Pure(_) => continue,
            Input::ImmutableOrOwned(reference) => *reference.object_id(),
            Input::Shared(shared) if shared.mutability() == Mutability::NonExclusiveWrite => {
                return Err(not_here("non-exclusive writes"));
            }
            Input::Shared(shared) => shared.object_id(),
            Input::Receiving(_) => return Err(not_here("receiving objects")),
            _ => return Err(not_here("withdrawals from address balances")),
        };
        if !seen.insert(id) {
            return Err(TransactionRefusal::DuplicateInput);
        }
    }
    let packages: HashSet<&Address> = programmable.commands.iter().filter_map(package).collect();
    at_most(
        "maximum input + receiving objects in a transaction",
        seen.len() + packages.len(),
        limits::MAX_INPUT_OBJECTS,
    )?;
    for input in &programmable.inputs {
        if let Input::Pure(bytes) = input {
            fewer_than(
                "maximum pure argument size",
                bytes.len(),
                limits::MAX_PURE_ARGUMENT_BYTES,
            )?;
        }
    }
    for reference in &transaction.gas_payment.objects {
        let id = *reference.object_id();
        if !seen.insert(id) {
            return Err(TransactionRefusal::MutableUsedMoreThanOnce(id));
        }
    }
    Ok(())
}

const fn package(command: &Command) -> Option<&Address> {
    match command {
        Command::MoveCall(call) => Some(&call.package),
        _ => None,
    }
}

fn not_here(feature: &str) -> TransactionRefusal {
    TransactionRefusal::NotOnLocalNetwork(feature.to_owned())
}

fn supported(command: &Command) -> Result<(), TransactionRefusal> {
    match command {
        Command::MoveCall(_)
        | Command::TransferObjects(_)
        | Command::SplitCoins(_)
        | Command::MergeCoins(_)
        | Command::MakeMoveVector(_) => Ok(()),
        Command::Publish(_) => Err(not_here("the command Publish")),
        Command::Upgrade(_) => Err(not_here("the command Upgrade")),
        _ => Err(not_here("this command")),
    }
}

fn arguments(command: &Command) -> Result<(), TransactionRefusal> {
    let count = match command {
        Command::MoveCall(call) => {
            return fewer_than(
                "maximum arguments in a move call",
                call.arguments.len(),
                limits::MAX_ARGUMENTS,
            );
        }
        Command::TransferObjects(transfer) => not_empty(&transfer.objects)?,
        Command::SplitCoins(split) => not_empty(&split.amounts)?,
        Command::MergeCoins(merge) => not_empty(&merge.coins_to_merge)?,
        Command::MakeMoveVector(vector) if vector.type_.is_none() => not_empty(&vector.elements)?,
        Command::MakeMoveVector(vector) => vector.elements.len(),
        _ => 0,
    };
    fewer_than(
        "maximum arguments in a programmable transaction command",
        count,
        limits::MAX_ARGUMENTS,
    )
}

fn not_empty(arguments: &[Argument]) -> Result<usize, TransactionRefusal> {
    if arguments.is_empty() {
        return Err(TransactionRefusal::EmptyCommandInput);
    }
    Ok(arguments.len())
}

fn random_rule(programmable: &ProgrammableTransaction) -> Result<(), TransactionRefusal> {
    let is_random = |argument: &Argument| match argument {
        Argument::Input(index) => matches!(
            programmable.inputs.get(usize::from(*index)),
            Some(Input::Shared(shared)) if shared.object_id() == RANDOM
        ),
        _ => false,
    };
    let mut after_random = false;
    for command in &programmable.commands {
        match command {
            Command::TransferObjects(_) | Command::MergeCoins(_) => {}
            _ if after_random => return Err(TransactionRefusal::PostRandom),
            Command::MoveCall(call) => after_random = call.arguments.iter().any(is_random),
            _ => {}
        }
    }
    Ok(())
}

/// Checks that the transaction is valid in `epoch`.
///
/// # Errors
/// The first [`TransactionRefusal`] that applies.
pub(crate) fn expiration(
    transaction: &Transaction,
    epoch: u64,
    chain: Digest,
) -> Result<(), TransactionRefusal> {
    match &transaction.expiration {
        TransactionExpiration::None => Ok(()),
        TransactionExpiration::Epoch(last) if epoch <= *last => Ok(()),
        TransactionExpiration::Epoch(_) => Err(TransactionRefusal::Expired),
        TransactionExpiration::ValidDuring {
            min_timestamp: None,
            max_timestamp: None,
            min_epoch: Some(min),
            max_epoch: Some(max),
            chain: named,
            ..
        } => {
            if *max != *min && *max != min.saturating_add(1) {
                return Err(TransactionRefusal::Unsupported(
                    "max_epoch must be at most min_epoch + 1",
                ));
            }
            if *named != chain {
                return Err(TransactionRefusal::OtherChain {
                    provided: *named,
                    expected: chain,
                });
            }
            if epoch < *min || epoch > *max {
                return Err(TransactionRefusal::Expired);
            }
            Ok(())
        }
        TransactionExpiration::ValidDuring {
            min_timestamp: None,
            max_timestamp: None,
            ..
        } => Err(TransactionRefusal::Unsupported(
            "Both min_epoch and max_epoch must be specified",
        )),
        _ => Err(TransactionRefusal::Unsupported(
            "Timestamp-based transaction expiration is not yet supported",
        )),
    }
}

/// Checks that gas coins pay. A transaction that names none is to be paid from an address balance, which Sui
/// allows with an expiration that prevents its repetition.
///
/// # Errors
/// [`TransactionRefusal::NotOnLocalNetwork`] or [`TransactionRefusal::MissingGasPayment`].
pub(crate) fn payment(transaction: &Transaction) -> Result<(), TransactionRefusal> {
    if !transaction.gas_payment.objects.is_empty() {
        return Ok(());
    }
    match &transaction.expiration {
        TransactionExpiration::None | TransactionExpiration::Epoch(_) => {
            Err(TransactionRefusal::MissingGasPayment)
        }
        _ => Err(not_here(
            "gas payment from an address balance; name a gas coin",
        )),
    }
}

/// Checks gas price and budget against the protocol's bounds and the epoch's reference gas price.
///
/// # Errors
/// The first [`TransactionRefusal`] that applies.
pub(crate) fn price_and_budget(
    transaction: &Transaction,
    reference: u64,
) -> Result<(), TransactionRefusal> {
    let payment = &transaction.gas_payment;
    if payment.price < reference {
        return Err(TransactionRefusal::GasPriceUnderReference {
            price: payment.price,
            reference,
        });
    }
    if payment.price >= limits::MAX_GAS_PRICE {
        return Err(TransactionRefusal::GasPriceTooHigh(limits::MAX_GAS_PRICE));
    }
    if payment.budget > limits::MAX_TX_GAS {
        return Err(TransactionRefusal::BudgetTooHigh {
            budget: payment.budget,
            max: limits::MAX_TX_GAS,
        });
    }
    let min = limits::MIN_COMPUTATION_UNITS * payment.price;
    if payment.budget < min {
        return Err(TransactionRefusal::BudgetTooLow {
            budget: payment.budget,
            min,
        });
    }
    Ok(())
}
