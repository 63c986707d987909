//! Completing a transaction that names objects by their ids only, for a simulation.

use atoma_domain::ObjectId;
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{
    Address, Argument, Command, GasPayment, Input, ObjectReference, Owner, ProgrammableTransaction,
    SharedInput, Transaction, TransactionExpiration, TransactionKind,
};

use super::environment::Environment;
use super::limits::MAX_TX_GAS;
use super::refusal::TransactionRefusal;
use crate::chain::ObjectStore;
use crate::contract::abi::{self, Passing};

/// The complete transaction for a message that may name objects by their ids only.
pub(super) fn resolve(
    environment: &Environment<'_>,
    message: &proto::Transaction,
) -> Result<Transaction, TransactionRefusal> {
    if message.bcs.is_some() {
        return Transaction::try_from(message)
            .map_err(|error| malformed("transaction", &format!("invalid transaction: {error}")));
    }
    let sender: Address = message
        .sender()
        .parse()
        .map_err(|error| malformed("transaction.sender", &error))?;
    let programmable = message.kind().programmable_transaction();
    let commands = programmable
        .commands()
        .iter()
        .map(Command::try_from)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| malformed("transaction.kind.programmable_transaction.commands", &error))?;
    let mut inputs = Vec::with_capacity(programmable.inputs().len());
    for (index, input) in programmable.inputs().iter().enumerate() {
        inputs.push(resolve_input(environment, input, index, &commands)?);
    }
    let payment = message.gas_payment.clone().unwrap_or_default();
    let owner = match &payment.owner {
        Some(owner) => owner
            .parse()
            .map_err(|error| malformed("transaction.gas_payment.owner", &error))?,
        None => sender,
    };
    let objects = payment
        .objects
        .iter()
        .map(|object| resolve_reference(environment.store, object))
        .collect::<Result<_, _>>()?;
    let expiration = match &message.expiration {
        Some(expiration) => TransactionExpiration::try_from(expiration)
            .map_err(|error| malformed("transaction.expiration", &error))?,
        None => TransactionExpiration::None,
    };
    Ok(Transaction {
        kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
            inputs,
            commands,
        }),
        sender,
        gas_payment: GasPayment {
            objects,
            owner,
            price: payment
                .price
                .unwrap_or(environment.epoch.reference_gas_price),
            budget: payment.budget.unwrap_or(MAX_TX_GAS),
        },
        expiration,
    })
}

fn resolve_reference(
    store: &ObjectStore,
    message: &proto::ObjectReference,
) -> Result<ObjectReference, TransactionRefusal> {
    if let Ok(reference) = ObjectReference::try_from(message) {
        return Ok(reference);
    }
    let id: ObjectId = message
        .object_id()
        .parse()
        .map_err(|error| malformed("transaction.gas_payment.objects", &error))?;
    let object = store.live(&id).ok_or(TransactionRefusal::Unresolved(id))?;
    Ok(ObjectReference::new(id, object.version(), object.digest()))
}

fn resolve_input(
    environment: &Environment<'_>,
    message: &proto::Input,
    index: usize,
    commands: &[Command],
) -> Result<Input, TransactionRefusal> {
    if let Ok(input) = Input::try_from(message) {
        return Ok(input);
    }
    if let Some(pure) = &message.pure {
        return Ok(Input::Pure(pure.to_vec()));
    }
    let Some(id) = &message.object_id else {
        return Err(malformed(
            INPUTS,
            &format!("input {index} is neither pure nor an object"),
        ));
    };
    let id: ObjectId = id
        .parse()
        .map_err(|error| malformed(INPUTS, &format!("input {index}: {error}")))?;
    let object = environment
        .store
        .live(&id)
        .ok_or(TransactionRefusal::Unresolved(id))?;
    Ok(match object.owner() {
        Owner::Shared(start) => {
            let mutable = message
                .mutable
                .unwrap_or_else(|| used_mutably(index, commands));
            Input::Shared(SharedInput::new(id, *start, mutable))
        }
        _ => Input::ImmutableOrOwned(ObjectReference::new(id, object.version(), object.digest())),
    })
}

/// Whether any call takes the input by mutable reference or by value.
fn used_mutably(index: usize, commands: &[Command]) -> bool {
    commands.iter().any(|command| match command {
        Command::MoveCall(call) => {
            let function = abi::function(call.function.as_str());
            call.arguments.iter().enumerate().any(|(at, argument)| {
                let named = matches!(
                    argument,
                    Argument::Input(input) if usize::from(*input) == index
                );
                let reads = function
                    .and_then(|function| function.parameters.get(at))
                    .is_some_and(|parameter| parameter.passing() == Passing::Reference);
                named && !reads
            })
        }
        _ => false,
    })
}

const INPUTS: &str = "transaction.kind.programmable_transaction.inputs";

fn malformed(field: &'static str, error: &dyn std::fmt::Display) -> TransactionRefusal {
    TransactionRefusal::Malformed {
        field,
        description: error.to_string(),
    }
}
