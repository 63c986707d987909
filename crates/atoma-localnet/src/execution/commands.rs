//! The interpreter of programmable transactions.

use atoma_domain::ObjectId;
use sui_sdk_types::{
    Address, Argument, Command, CommandArgumentError as Wrong, ExecutionError, Input, MergeCoins,
    MoveCall, Mutability, ProgrammableTransaction, SplitCoins, TransferObjects,
};

use super::gas::Meter;
use crate::contract::abi::{self, Passing};
use crate::contract::{self, CallArgument, ContractAddresses};
use crate::vm::{Execution, MoveError};

/// Why a transaction failed, and in which command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) error: Box<ExecutionError>,
    pub(crate) command: Option<u64>,
}

/// A value that an argument can name.
#[derive(Debug, Clone)]
enum Slot {
    Pure(Vec<u8>),
    Object {
        id: ObjectId,
        use_of: Use,
    },
    /// Moved away.
    Gone,
}

/// What commands may do with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Everything.
    Value,
    /// Everything but giving it away: a shared object.
    MutableReference,
    /// Reading alone: an immutable object, or a shared one taken so.
    Reference,
}

/// Runs the commands of one transaction.
#[derive(Debug)]
pub(crate) struct Interpreter<'a, 'b> {
    execution: &'a mut Execution<'b>,
    contract: &'a ContractAddresses,
    gas: Slot,
    inputs: Vec<Slot>,
    results: Vec<Vec<Slot>>,
    meter: Meter,
}

impl<'a, 'b> Interpreter<'a, 'b> {
    /// `immutable` tells which input objects nobody can change.
    pub(crate) fn new(
        execution: &'a mut Execution<'b>,
        contract: &'a ContractAddresses,
        programmable: &ProgrammableTransaction,
        gas: ObjectId,
        immutable: impl Fn(&ObjectId) -> bool,
    ) -> Self {
        let inputs = programmable
            .inputs
            .iter()
            .map(|input| match input {
                Input::Pure(bytes) => Slot::Pure(bytes.clone()),
                Input::ImmutableOrOwned(reference) => Slot::Object {
                    id: *reference.object_id(),
                    use_of: if immutable(reference.object_id()) {
                        Use::Reference
                    } else {
                        Use::Value
                    },
                },
                Input::Shared(shared) => Slot::Object {
                    id: shared.object_id(),
                    use_of: match shared.mutability() {
                        Mutability::Immutable => Use::Reference,
                        _ => Use::MutableReference,
                    },
                },
                _ => Slot::Gone,
            })
            .collect();
        Self {
            execution,
            contract,
            gas: Slot::Object {
                id: gas,
                use_of: Use::Value,
            },
            inputs,
            results: Vec::with_capacity(programmable.commands.len()),
            meter: Meter::default(),
        }
    }

    /// Runs all commands, or up to the first that fails. The meter counts in both cases.
    pub(crate) fn run(
        mut self,
        programmable: &ProgrammableTransaction,
    ) -> (Meter, Result<(), Failure>) {
        for (index, command) in programmable.commands.iter().enumerate() {
            match self.command(command) {
                Ok(results) => self.results.push(results),
                Err(error) => {
                    let failure = Failure {
                        error: Box::new(error),
                        command: u64::try_from(index).ok(),
                    };
                    return (self.meter, Err(failure));
                }
            }
        }
        let unused = self.unused_result();
        (self.meter, unused)
    }

    /// Coins can't be dropped: each that a command returned must have gone somewhere.
    fn unused_result(&self) -> Result<(), Failure> {
        for (result, slots) in self.results.iter().enumerate() {
            for (subresult, slot) in slots.iter().enumerate() {
                if matches!(slot, Slot::Object { .. }) {
                    return Err(Failure {
                        error: Box::new(ExecutionError::UnusedValueWithoutDrop {
                            result: short(result),
                            subresult: short(subresult),
                        }),
                        command: None,
                    });
                }
            }
        }
        Ok(())
    }

    fn command(&mut self, command: &Command) -> Result<Vec<Slot>, ExecutionError> {
        match command {
            Command::MoveCall(call) => self.call(call).map(|()| Vec::new()),
            Command::TransferObjects(transfer) => self.transfer(transfer).map(|()| Vec::new()),
            Command::SplitCoins(split) => self.split(split),
            Command::MergeCoins(merge) => self.merge(merge).map(|()| Vec::new()),
            _ => Err(ExecutionError::FeatureNotYetSupported),
        }
    }

    fn call(&mut self, call: &MoveCall) -> Result<(), ExecutionError> {
        if call.module.as_str() != "db" {
            return Err(ExecutionError::FunctionNotFound);
        }
        let mut bytes = 0;
        let mut seen: Vec<ObjectId> = Vec::new();
        let mut arguments = Vec::with_capacity(call.arguments.len());
        let function = abi::function(call.function.as_str());
        for (index, argument) in call.arguments.iter().enumerate() {
            let fail = |kind| wrong(index, kind);
            let slot = self.slot(*argument).map_err(fail)?.clone();
            arguments.push(match slot {
                Slot::Gone => return Err(fail(Wrong::InvalidValueUsage)),
                Slot::Pure(value) => {
                    bytes += value.len();
                    CallArgument::Pure(value)
                }
                Slot::Object { id, use_of } => {
                    if seen.contains(&id) || self.execution.object(&id).is_none() {
                        return Err(fail(Wrong::InvalidValueUsage));
                    }
                    seen.push(id);
                    let passing = function
                        .and_then(|function| function.parameters.get(index))
                        .map(abi::Parameter::passing);
                    match passing {
                        Some(Passing::Value) if use_of != Use::Value => {
                            return Err(fail(Wrong::InvalidObjectByValue));
                        }
                        Some(Passing::MutableReference) if use_of == Use::Reference => {
                            return Err(fail(Wrong::InvalidObjectByMutRef));
                        }
                        Some(Passing::Value) => self.take(*argument),
                        _ => {}
                    }
                    CallArgument::Object(id)
                }
            });
        }
        self.meter.command(bytes);
        self.meter.objects(seen.len());
        contract::call(
            self.execution,
            self.contract,
            call.function.as_str(),
            &call.type_arguments,
            &arguments,
        )
        .map_err(|error| execution_error(&error))
    }

    fn transfer(&mut self, transfer: &TransferObjects) -> Result<(), ExecutionError> {
        self.meter.command(32);
        self.meter.objects(transfer.objects.len());
        let to = self.pure::<Address>(transfer.address, transfer.objects.len())?;
        for (index, argument) in transfer.objects.iter().enumerate() {
            let id = self.by_value(*argument, index, true)?;
            self.execution
                .transfer(&id, to)
                .map_err(|error| execution_error(&error))?;
        }
        Ok(())
    }

    fn split(&mut self, split: &SplitCoins) -> Result<Vec<Slot>, ExecutionError> {
        self.meter.command(8 * split.amounts.len());
        self.meter.objects(1 + split.amounts.len());
        let coin = self.coin(split.coin, 0)?;
        let mut amounts = Vec::with_capacity(split.amounts.len());
        for (index, argument) in split.amounts.iter().enumerate() {
            amounts.push(self.pure::<u64>(*argument, 1 + index)?);
        }
        amounts
            .into_iter()
            .map(|amount| {
                let id = self
                    .execution
                    .split_coin(&coin, amount)
                    .map_err(|error| execution_error(&error))?;
                Ok(Slot::Object {
                    id,
                    use_of: Use::Value,
                })
            })
            .collect()
    }

    fn merge(&mut self, merge: &MergeCoins) -> Result<(), ExecutionError> {
        self.meter.command(0);
        self.meter.objects(1 + merge.coins_to_merge.len());
        let into = self.coin(merge.coin, 0)?;
        let wanted = self.execution.object(&into).map(|o| o.object_type.clone());
        let mut from = Vec::with_capacity(merge.coins_to_merge.len());
        for (index, argument) in merge.coins_to_merge.iter().enumerate() {
            let id = self.by_value(*argument, 1 + index, false)?;
            let found = self.execution.object(&id).map(|o| o.object_type.clone());
            if found != wanted {
                return Err(wrong(1 + index, Wrong::TypeMismatch));
            }
            if id == into {
                return Err(wrong(1 + index, Wrong::InvalidValueUsage));
            }
            from.push(id);
        }
        self.execution
            .merge_coins(&into, &from)
            .map_err(|error| execution_error(&error))
    }

    /// A coin that a command will change.
    fn coin(&mut self, argument: Argument, index: usize) -> Result<ObjectId, ExecutionError> {
        let (id, use_of) = match self.slot(argument).map_err(|kind| wrong(index, kind))? {
            Slot::Object { id, use_of } => (*id, *use_of),
            Slot::Pure(_) => return Err(wrong(index, Wrong::TypeMismatch)),
            Slot::Gone => return Err(wrong(index, Wrong::InvalidValueUsage)),
        };
        let Some(object) = self.execution.object(&id) else {
            return Err(wrong(index, Wrong::InvalidValueUsage));
        };
        if object.coin_value().is_none() {
            return Err(wrong(index, Wrong::TypeMismatch));
        }
        if use_of == Use::Reference {
            return Err(wrong(index, Wrong::InvalidObjectByMutRef));
        }
        Ok(id)
    }

    /// An object that a command takes away.
    fn by_value(
        &mut self,
        argument: Argument,
        index: usize,
        gas_too: bool,
    ) -> Result<ObjectId, ExecutionError> {
        if argument == Argument::Gas && !gas_too {
            return Err(wrong(index, Wrong::InvalidGasCoinUsage));
        }
        let id = match self.slot(argument).map_err(|kind| wrong(index, kind))? {
            Slot::Object {
                id,
                use_of: Use::Value,
            } => *id,
            Slot::Object { .. } => return Err(wrong(index, Wrong::InvalidObjectByValue)),
            Slot::Pure(_) => return Err(wrong(index, Wrong::TypeMismatch)),
            Slot::Gone => return Err(wrong(index, Wrong::InvalidValueUsage)),
        };
        if self.execution.object(&id).is_none() {
            return Err(wrong(index, Wrong::InvalidValueUsage));
        }
        self.take(argument);
        Ok(id)
    }

    fn pure<T: serde::de::DeserializeOwned>(
        &mut self,
        argument: Argument,
        index: usize,
    ) -> Result<T, ExecutionError> {
        match self.slot(argument).map_err(|kind| wrong(index, kind))? {
            Slot::Pure(bytes) => {
                bcs::from_bytes(bytes).map_err(|_| wrong(index, Wrong::InvalidBcsBytes))
            }
            Slot::Object { .. } => Err(wrong(index, Wrong::TypeMismatch)),
            Slot::Gone => Err(wrong(index, Wrong::InvalidValueUsage)),
        }
    }

    fn slot(&mut self, argument: Argument) -> Result<&mut Slot, Wrong> {
        match argument {
            Argument::Gas => Ok(&mut self.gas),
            Argument::Input(index) => self
                .inputs
                .get_mut(usize::from(index))
                .ok_or(Wrong::IndexOutOfBounds { index }),
            Argument::Result(result) => {
                let slots = self
                    .results
                    .get_mut(usize::from(result))
                    .ok_or(Wrong::IndexOutOfBounds { index: result })?;
                match slots.as_mut_slice() {
                    [only] => Ok(only),
                    _ => Err(Wrong::InvalidResultArity { result }),
                }
            }
            Argument::NestedResult(result, subresult) => self
                .results
                .get_mut(usize::from(result))
                .ok_or(Wrong::IndexOutOfBounds { index: result })?
                .get_mut(usize::from(subresult))
                .ok_or(Wrong::SecondaryIndexOutOfBounds { result, subresult }),
        }
    }

    fn take(&mut self, argument: Argument) {
        if let Ok(slot) = self.slot(argument) {
            *slot = Slot::Gone;
        }
    }
}

fn execution_error(error: &MoveError) -> ExecutionError {
    tracing::debug!(%error, "a command failed");
    error.execution_error()
}

fn wrong(index: usize, kind: Wrong) -> ExecutionError {
    ExecutionError::CommandArgumentError {
        argument: short(index),
        kind,
    }
}

/// Indices are limited by the protocol to far below 65,536.
fn short(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}
