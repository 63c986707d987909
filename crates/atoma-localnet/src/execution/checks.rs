//! What can be checked of a transaction without looking at any object.

use std::collections::HashSet;

use atoma_domain::ObjectId;
use sui_sdk_types::{
    Address, Argument, Command, Digest, Input, Mutability, ProgrammableTransaction, Transaction,
    TransactionExpiration, TransactionKind,
};

use super::limits;
use super::refusal::Refusal;

/// The shared `Random` object.
pub(crate) const RANDOM: Address = Address::from_static("0x8");

/// The programmable part of a user transaction.
///
/// # Errors
/// System transactions are refused.
pub(crate) fn programmable(transaction: &Transaction) -> Result<&ProgrammableTransaction, Refusal> {
    match &transaction.kind {
        TransactionKind::ProgrammableTransaction(programmable) => Ok(programmable),
        _ => Err(Refusal::Malformed(
            "system transactions can't be sent by users".to_owned(),
        )),
    }
}

/// Sizes, counts, and the rule about `Random`.
///
/// # Errors
/// The first [`Refusal`] that applies.
pub(crate) fn shape(transaction: &Transaction) -> Result<(), Refusal> {
    let size = bcs::serialized_size(transaction)
        .map_err(|error| Refusal::Malformed(format!("the transaction has no BCS form: {error}")))?;
    within(
        "serialized transaction size",
        size,
        limits::MAX_TX_SIZE_BYTES,
    )?;
    let programmable = programmable(transaction)?;
    let gas = &transaction.gas_payment.objects;
    if gas.len() >= limits::MAX_GAS_PAYMENT_OBJECTS {
        return Err(Refusal::SizeLimit {
            limit: "maximum number of gas payment objects",
            value: gas.len(),
        });
    }
    within(
        "maximum commands in a programmable transaction",
        programmable.commands.len(),
        limits::MAX_COMMANDS,
    )?;
    inputs(transaction, programmable)?;
    for command in &programmable.commands {
        supported(command)?;
        arguments(command)?;
    }
    random_rule(programmable)
}

fn within(limit: &'static str, value: usize, most: usize) -> Result<(), Refusal> {
    if value > most {
        return Err(Refusal::SizeLimit { limit, value });
    }
    Ok(())
}

fn inputs(
    transaction: &Transaction,
    programmable: &ProgrammableTransaction,
) -> Result<(), Refusal> {
    let mut seen: HashSet<ObjectId> = HashSet::new();
    for reference in &transaction.gas_payment.objects {
        if !seen.insert(*reference.object_id()) {
            return Err(Refusal::MutableUsedMoreThanOnce(*reference.object_id()));
        }
    }
    for input in &programmable.inputs {
        let id = match input {
            Input::Pure(bytes) => {
                within(
                    "maximum pure argument size",
                    bytes.len(),
                    limits::MAX_PURE_ARGUMENT_BYTES,
                )?;
                continue;
            }
            Input::ImmutableOrOwned(reference) => *reference.object_id(),
            Input::Shared(shared) if shared.mutability() == Mutability::NonExclusiveWrite => {
                return Err(Refusal::Unsupported("non-exclusive writes".to_owned()));
            }
            Input::Shared(shared) => shared.object_id(),
            Input::Receiving(_) => {
                return Err(Refusal::Unsupported("receiving objects".to_owned()));
            }
            _ => {
                return Err(Refusal::Unsupported(
                    "withdrawals from address balances".to_owned(),
                ));
            }
        };
        if !seen.insert(id) {
            return Err(Refusal::MutableUsedMoreThanOnce(id));
        }
    }
    within(
        "maximum input objects in a transaction",
        seen.len(),
        limits::MAX_INPUT_OBJECTS,
    )
}

fn supported(command: &Command) -> Result<(), Refusal> {
    let name = match command {
        Command::MoveCall(_)
        | Command::TransferObjects(_)
        | Command::SplitCoins(_)
        | Command::MergeCoins(_) => return Ok(()),
        Command::Publish(_) => "Publish",
        Command::MakeMoveVector(_) => "MakeMoveVec",
        Command::Upgrade(_) => "Upgrade",
        _ => "this command",
    };
    Err(Refusal::Unsupported(format!("{name} on the local network")))
}

fn arguments(command: &Command) -> Result<(), Refusal> {
    let count = match command {
        Command::MoveCall(call) => call.arguments.len(),
        Command::TransferObjects(transfer) => not_empty(&transfer.objects)?,
        Command::SplitCoins(split) => not_empty(&split.amounts)?,
        Command::MergeCoins(merge) => not_empty(&merge.coins_to_merge)?,
        _ => 0,
    };
    within(
        "maximum arguments in a command",
        count,
        limits::MAX_ARGUMENTS,
    )
}

fn not_empty(arguments: &[Argument]) -> Result<usize, Refusal> {
    if arguments.is_empty() {
        return Err(Refusal::EmptyCommandInput);
    }
    Ok(arguments.len())
}

fn random_rule(programmable: &ProgrammableTransaction) -> Result<(), Refusal> {
    let is_random = |argument: &Argument| match argument {
        Argument::Input(index) => matches!(
            programmable.inputs.get(usize::from(*index)),
            Some(Input::Shared(shared)) if shared.object_id() == RANDOM
        ),
        _ => false,
    };
    let mut drawn = false;
    for command in &programmable.commands {
        match command {
            Command::TransferObjects(_) | Command::MergeCoins(_) => {}
            _ if drawn => return Err(Refusal::PostRandom),
            Command::MoveCall(call) => drawn = call.arguments.iter().any(is_random),
            _ => {}
        }
    }
    Ok(())
}

/// Whether the transaction may still, or already, be executed in `epoch`.
///
/// # Errors
/// [`Refusal::Expired`] or [`Refusal::InvalidExpiration`].
pub(crate) fn expiration(
    transaction: &Transaction,
    epoch: u64,
    chain: Digest,
) -> Result<(), Refusal> {
    match &transaction.expiration {
        TransactionExpiration::None => Ok(()),
        TransactionExpiration::Epoch(last) if epoch <= *last => Ok(()),
        TransactionExpiration::Epoch(_) => Err(Refusal::Expired),
        TransactionExpiration::ValidDuring {
            min_epoch: Some(min),
            max_epoch: Some(max),
            min_timestamp: None,
            max_timestamp: None,
            chain: named,
            ..
        } => {
            if *named != chain {
                return Err(Refusal::InvalidExpiration(format!(
                    "it names chain {named}, this is {chain}"
                )));
            }
            if *max > min.saturating_add(1) || max < min {
                return Err(Refusal::InvalidExpiration(
                    "it must span one epoch, or two that follow each other".to_owned(),
                ));
            }
            if epoch < *min {
                return Err(Refusal::InvalidExpiration(format!(
                    "it is not valid before epoch {min}, this is epoch {epoch}"
                )));
            }
            if epoch > *max {
                return Err(Refusal::Expired);
            }
            Ok(())
        }
        _ => Err(Refusal::InvalidExpiration(
            "both epochs must be given, and no timestamps".to_owned(),
        )),
    }
}

/// Price and budget against the protocol's bounds.
///
/// # Errors
/// The first [`Refusal`] that applies.
pub(crate) fn price_and_budget(transaction: &Transaction) -> Result<(), Refusal> {
    let payment = &transaction.gas_payment;
    if payment.price < limits::REFERENCE_GAS_PRICE {
        return Err(Refusal::GasPriceUnderReference {
            price: payment.price,
            reference: limits::REFERENCE_GAS_PRICE,
        });
    }
    if payment.price >= limits::MAX_GAS_PRICE {
        return Err(Refusal::GasPriceTooHigh(limits::MAX_GAS_PRICE));
    }
    if payment.budget > limits::MAX_TX_GAS {
        return Err(Refusal::BudgetTooHigh {
            budget: payment.budget,
            max: limits::MAX_TX_GAS,
        });
    }
    let min = limits::MIN_COMPUTATION_UNITS * payment.price;
    if payment.budget < min {
        return Err(Refusal::BudgetTooLow {
            budget: payment.budget,
            min,
        });
    }
    if payment.objects.is_empty() {
        return Err(Refusal::MissingGasPayment);
    }
    Ok(())
}
