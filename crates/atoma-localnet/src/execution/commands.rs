//! The interpreter of programmable transactions.

use atoma_domain::ObjectId;
use sui_sdk_types::{
    Address, Argument, Command, CommandArgumentError as Wrong, ExecutionError, Input, MergeCoins,
    MovePackage, Mutability, ProgrammableTransaction, SplitCoins, TransferObjects, TypeTag,
};

use super::gas::Meter;
use super::values::{ArgumentValue, ObjectUse};
use crate::chain::ObjectStore;
use crate::contract::ContractAddresses;
use crate::vm::{Execution, MoveError};

/// The error that a transaction failed with, and the command it occurred in, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandFailure {
    pub(crate) error: Box<ExecutionError>,
    pub(crate) command: Option<u64>,
}

/// What a command returned, and what it changed through its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandOutput {
    pub(crate) returned: Vec<(TypeTag, Vec<u8>)>,
    pub(crate) mutated: Vec<(Argument, TypeTag, Vec<u8>)>,
}

/// The result of running a transaction's commands.
#[derive(Debug, Default)]
pub(crate) struct CommandsRun {
    /// Valid even if a command failed.
    pub(crate) meter: Meter,
    /// The packages that upgrades made.
    pub(crate) packages: Vec<MovePackage>,
    /// One output for each command, if they were recorded and all succeeded.
    pub(crate) outputs: Vec<CommandOutput>,
}

/// Runs the commands of one transaction.
#[derive(Debug)]
pub(crate) struct Interpreter<'a, 'b> {
    pub(super) execution: &'a mut Execution<'b>,
    pub(super) contract: &'a ContractAddresses,
    pub(super) store: &'a ObjectStore,
    gas: ArgumentValue,
    inputs: Vec<ArgumentValue>,
    results: Vec<Vec<ArgumentValue>>,
    /// Whether to record each command's outputs.
    records: bool,
    pub(super) run: CommandsRun,
}

impl<'a, 'b> Interpreter<'a, 'b> {
    /// `immutable` returns whether an input object is immutable.
    pub(crate) fn new(
        execution: &'a mut Execution<'b>,
        contract: &'a ContractAddresses,
        store: &'a ObjectStore,
        programmable: &ProgrammableTransaction,
        gas: ObjectId,
        immutable: impl Fn(&ObjectId) -> bool,
    ) -> Self {
        let inputs = programmable
            .inputs
            .iter()
            .map(|input| match input {
                Input::Pure(bytes) => ArgumentValue::Pure(bytes.clone()),
                Input::ImmutableOrOwned(reference) => ArgumentValue::Object {
                    id: *reference.object_id(),
                    usage: if immutable(reference.object_id()) {
                        ObjectUse::Reference
                    } else {
                        ObjectUse::Value
                    },
                },
                Input::Shared(shared) => ArgumentValue::Object {
                    id: shared.object_id(),
                    usage: match shared.mutability() {
                        Mutability::Immutable => ObjectUse::Reference,
                        _ => ObjectUse::MutableReference,
                    },
                },
                _ => ArgumentValue::Moved,
            })
            .collect();
        Self {
            execution,
            contract,
            store,
            gas: ArgumentValue::Object {
                id: gas,
                usage: ObjectUse::Value,
            },
            inputs,
            results: Vec::with_capacity(programmable.commands.len()),
            records: false,
            run: CommandsRun::default(),
        }
    }

    /// The same interpreter, which records the outputs of each command.
    pub(crate) const fn recording(mut self, records: bool) -> Self {
        self.records = records;
        self
    }

    /// Runs the commands up to the first that fails.
    pub(crate) fn run(
        mut self,
        programmable: &ProgrammableTransaction,
    ) -> (CommandsRun, Result<(), CommandFailure>) {
        for (index, command) in programmable.commands.iter().enumerate() {
            match self.command(command) {
                Ok(results) => {
                    if self.records {
                        let output = self.output(command, &results);
                        self.run.outputs.push(output);
                    }
                    self.results.push(results);
                }
                Err(error) => {
                    let failure = CommandFailure {
                        error: Box::new(error),
                        command: u64::try_from(index).ok(),
                    };
                    self.run.outputs.clear();
                    return (self.run, Err(failure));
                }
            }
        }
        let unused = self.unused_result();
        (self.run, unused)
    }

    /// Checks that no command's result is left over, because coins can't be dropped.
    fn unused_result(&self) -> Result<(), CommandFailure> {
        for (result, values) in self.results.iter().enumerate() {
            for (subresult, value) in values.iter().enumerate() {
                let must_be_used = match value {
                    ArgumentValue::Object { .. } => true,
                    ArgumentValue::Value(value) => !value.is_plain,
                    ArgumentValue::Pure(_) | ArgumentValue::Moved => false,
                };
                if must_be_used {
                    return Err(CommandFailure {
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

    fn command(&mut self, command: &Command) -> Result<Vec<ArgumentValue>, ExecutionError> {
        match command {
            Command::MoveCall(call) if self.is_framework(call) => self.framework_call(call),
            Command::MoveCall(call) => self.call(call).map(|()| Vec::new()),
            Command::TransferObjects(transfer) => self.transfer(transfer).map(|()| Vec::new()),
            Command::SplitCoins(split) => self.split(split),
            Command::MergeCoins(merge) => self.merge(merge).map(|()| Vec::new()),
            Command::MakeMoveVector(vector) => self.make_vector(vector),
            Command::Upgrade(upgrade) => self.upgrade(upgrade),
            _ => Err(ExecutionError::FeatureNotYetSupported),
        }
    }

    fn transfer(&mut self, transfer: &TransferObjects) -> Result<(), ExecutionError> {
        self.run.meter.command(32);
        self.run.meter.objects(transfer.objects.len());
        let to = self.pure::<Address>(transfer.address, transfer.objects.len())?;
        for (index, argument) in transfer.objects.iter().enumerate() {
            let id = self.by_value(*argument, index, true)?;
            self.execution
                .transfer(&id, to)
                .map_err(|error| execution_error(&error))?;
        }
        Ok(())
    }

    fn split(&mut self, split: &SplitCoins) -> Result<Vec<ArgumentValue>, ExecutionError> {
        self.run.meter.command(8 * split.amounts.len());
        self.run.meter.objects(1 + split.amounts.len());
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
                Ok(ArgumentValue::Object {
                    id,
                    usage: ObjectUse::Value,
                })
            })
            .collect()
    }

    fn merge(&mut self, merge: &MergeCoins) -> Result<(), ExecutionError> {
        self.run.meter.command(0);
        self.run.meter.objects(1 + merge.coins_to_merge.len());
        let into = self.coin(merge.coin, 0)?;
        let coin_type = self.execution.object(&into).map(|o| o.object_type.clone());
        let mut from = Vec::with_capacity(merge.coins_to_merge.len());
        for (index, argument) in merge.coins_to_merge.iter().enumerate() {
            let id = self.by_value(*argument, 1 + index, false)?;
            let found = self.execution.object(&id).map(|o| o.object_type.clone());
            if found != coin_type {
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

    /// A coin that a command changes.
    pub(super) fn coin(
        &mut self,
        argument: Argument,
        index: usize,
    ) -> Result<ObjectId, ExecutionError> {
        let (id, usage) = match self.value(argument).map_err(|kind| wrong(index, kind))? {
            ArgumentValue::Object { id, usage } => (*id, *usage),
            ArgumentValue::Pure(_) | ArgumentValue::Value(_) => {
                return Err(wrong(index, Wrong::TypeMismatch));
            }
            ArgumentValue::Moved => return Err(wrong(index, Wrong::InvalidValueUsage)),
        };
        let Some(object) = self.execution.object(&id) else {
            return Err(wrong(index, Wrong::InvalidValueUsage));
        };
        if object.coin_value().is_none() {
            return Err(wrong(index, Wrong::TypeMismatch));
        }
        if usage == ObjectUse::Reference {
            return Err(wrong(index, Wrong::InvalidObjectByMutRef));
        }
        Ok(id)
    }

    /// An object that a command takes by value.
    pub(super) fn by_value(
        &mut self,
        argument: Argument,
        index: usize,
        allow_gas: bool,
    ) -> Result<ObjectId, ExecutionError> {
        if argument == Argument::Gas && !allow_gas {
            return Err(wrong(index, Wrong::InvalidGasCoinUsage));
        }
        let id = match self.value(argument).map_err(|kind| wrong(index, kind))? {
            ArgumentValue::Object {
                id,
                usage: ObjectUse::Value,
            } => *id,
            ArgumentValue::Object { .. } => return Err(wrong(index, Wrong::InvalidObjectByValue)),
            ArgumentValue::Pure(_) | ArgumentValue::Value(_) => {
                return Err(wrong(index, Wrong::TypeMismatch));
            }
            ArgumentValue::Moved => return Err(wrong(index, Wrong::InvalidValueUsage)),
        };
        if self.execution.object(&id).is_none() {
            return Err(wrong(index, Wrong::InvalidValueUsage));
        }
        self.take(argument);
        Ok(id)
    }

    pub(super) fn pure<T: serde::de::DeserializeOwned>(
        &mut self,
        argument: Argument,
        index: usize,
    ) -> Result<T, ExecutionError> {
        match self.value(argument).map_err(|kind| wrong(index, kind))? {
            ArgumentValue::Pure(bytes) => {
                bcs::from_bytes(bytes).map_err(|_| wrong(index, Wrong::InvalidBcsBytes))
            }
            ArgumentValue::Object { .. } | ArgumentValue::Value(_) => {
                Err(wrong(index, Wrong::TypeMismatch))
            }
            ArgumentValue::Moved => Err(wrong(index, Wrong::InvalidValueUsage)),
        }
    }

    pub(super) fn value(&mut self, argument: Argument) -> Result<&mut ArgumentValue, Wrong> {
        match argument {
            Argument::Gas => Ok(&mut self.gas),
            Argument::Input(index) => self
                .inputs
                .get_mut(usize::from(index))
                .ok_or(Wrong::IndexOutOfBounds { index }),
            Argument::Result(result) => {
                let values = self
                    .results
                    .get_mut(usize::from(result))
                    .ok_or(Wrong::IndexOutOfBounds { index: result })?;
                match values.as_mut_slice() {
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

    pub(super) fn take(&mut self, argument: Argument) {
        if let Ok(value) = self.value(argument) {
            *value = ArgumentValue::Moved;
        }
    }
}

pub(super) fn execution_error(error: &MoveError) -> ExecutionError {
    tracing::debug!(%error, "a command failed");
    error.execution_error()
}

pub(super) fn wrong(index: usize, kind: Wrong) -> ExecutionError {
    ExecutionError::CommandArgumentError {
        argument: short(index),
        kind,
    }
}

/// Converts an index. The protocol limits indices to far below 65,536.
fn short(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}
