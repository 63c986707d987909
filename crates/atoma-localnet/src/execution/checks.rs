//! Checks of a transaction that need no objects.

use std::collections::HashSet;

use atoma_domain::ObjectId;
use sui_sdk_types::{
    Address, Argument, Command, Digest, Input, Mutability, ProgrammableTransaction, Transaction,
    TransactionExpiration, TransactionKind,
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
        _ => Err(TransactionRefusal::Malformed(
            "system transactions can't be sent by users".to_owned(),
        )),
    }
}

/// Checks sizes, counts, supported inputs and commands, and the rule about `Random`.
///
/// # Errors
/// The first [`TransactionRefusal`] that applies.
pub(crate) fn shape(transaction: &Transaction) -> Result<(), TransactionRefusal> {
    let size = bcs::serialized_size(transaction).map_err(|error| {
        TransactionRefusal::Malformed(format!("the transaction has no BCS form: {error}"))
    })?;
    check_limit(
        "serialized transaction size",
        size,
        limits::MAX_TX_SIZE_BYTES,
    )?;
    let programmable = programmable(transaction)?;
    let gas = &transaction.gas_payment.objects;
    if gas.len() >= limits::MAX_GAS_PAYMENT_OBJECTS {
        return Err(TransactionRefusal::SizeLimit {
            limit: "maximum number of gas payment objects",
            value: gas.len(),
        });
    }
    check_limit(
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

fn check_limit(limit: &'static str, value: usize, max: usize) -> Result<(), TransactionRefusal> {
    if value > max {
        return Err(TransactionRefusal::SizeLimit { limit, value });
    }
    Ok(())
}

fn inputs(
    transaction: &Transaction,
    programmable: &ProgrammableTransaction,
) -> Result<(), TransactionRefusal> {
    let mut seen: HashSet<ObjectId> = HashSet::new();
    for reference in &transaction.gas_payment.objects {
        if !seen.insert(*reference.object_id()) {
            return Err(TransactionRefusal::MutableUsedMoreThanOnce(
                *reference.object_id(),
            ));
        }
    }
    for input in &programmable.inputs {
        let id = match input {
            Input::Pure(bytes) => {
                check_limit(
                    "maximum pure argument size",
                    bytes.len(),
                    limits::MAX_PURE_ARGUMENT_BYTES,
                )?;
                continue;
            }
            Input::ImmutableOrOwned(reference) => *reference.object_id(),
            Input::Shared(shared) if shared.mutability() == Mutability::NonExclusiveWrite => {
                return Err(TransactionRefusal::Unsupported(
                    "non-exclusive writes".to_owned(),
                ));
            }
            Input::Shared(shared) => shared.object_id(),
            Input::Receiving(_) => {
                return Err(TransactionRefusal::Unsupported(
                    "receiving objects".to_owned(),
                ));
            }
            _ => {
                return Err(TransactionRefusal::Unsupported(
                    "withdrawals from address balances".to_owned(),
                ));
            }
        };
        if !seen.insert(id) {
            return Err(TransactionRefusal::MutableUsedMoreThanOnce(id));
        }
    }
    check_limit(
        "maximum input objects in a transaction",
        seen.len(),
        limits::MAX_INPUT_OBJECTS,
    )
}

fn supported(command: &Command) -> Result<(), TransactionRefusal> {
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
    Err(TransactionRefusal::Unsupported(format!(
        "{name} on the local network"
    )))
}

fn arguments(command: &Command) -> Result<(), TransactionRefusal> {
    let count = match command {
        Command::MoveCall(call) => call.arguments.len(),
        Command::TransferObjects(transfer) => not_empty(&transfer.objects)?,
        Command::SplitCoins(split) => not_empty(&split.amounts)?,
        Command::MergeCoins(merge) => not_empty(&merge.coins_to_merge)?,
        _ => 0,
    };
    check_limit(
        "maximum arguments in a command",
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
/// [`TransactionRefusal::Expired`] or [`TransactionRefusal::InvalidExpiration`].
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
            min_epoch: Some(min),
            max_epoch: Some(max),
            min_timestamp: None,
            max_timestamp: None,
            chain: named,
            ..
        } => {
            if *named != chain {
                return Err(TransactionRefusal::InvalidExpiration(format!(
                    "it names chain {named}, this is {chain}"
                )));
            }
            if *max > min.saturating_add(1) || max < min {
                return Err(TransactionRefusal::InvalidExpiration(
                    "it must span one epoch, or two that follow each other".to_owned(),
                ));
            }
            if epoch < *min {
                return Err(TransactionRefusal::InvalidExpiration(format!(
                    "it is not valid before epoch {min}, this is epoch {epoch}"
                )));
            }
            if epoch > *max {
                return Err(TransactionRefusal::Expired);
            }
            Ok(())
        }
        _ => Err(TransactionRefusal::InvalidExpiration(
            "both epochs must be given, and no timestamps".to_owned(),
        )),
    }
}

/// Checks gas price and budget against the protocol's bounds.
///
/// # Errors
/// The first [`TransactionRefusal`] that applies.
pub(crate) fn price_and_budget(transaction: &Transaction) -> Result<(), TransactionRefusal> {
    let payment = &transaction.gas_payment;
    if payment.price < limits::REFERENCE_GAS_PRICE {
        return Err(TransactionRefusal::GasPriceUnderReference {
            price: payment.price,
            reference: limits::REFERENCE_GAS_PRICE,
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
    if payment.objects.is_empty() {
        return Err(TransactionRefusal::MissingGasPayment);
    }
    Ok(())
}
