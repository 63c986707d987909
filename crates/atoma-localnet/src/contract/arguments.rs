//! A call's arguments, checked against the function's parameters.

use atoma_domain::ObjectId;
use serde::de::DeserializeOwned;
use sui_sdk_types::{Address, CommandArgumentError};

use super::abi::{Function, ObjectKind, ParameterKind, PureKind};
use super::addresses::ContractAddresses;
use crate::vm::{AsciiString, Execution, MoveError, MoveErrorKind};

/// The shared `Random` object.
const RANDOM_ID: Address = Address::from_static("0x8");

/// An argument of a call, after the network has resolved inputs and results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolvedArgument {
    /// An object: an input, or the result of an earlier command.
    Object(ObjectId),
    /// A BCS value.
    Pure(Vec<u8>),
}

/// Arguments that match their function's parameters.
#[derive(Debug)]
pub(super) struct CheckedArguments<'a> {
    arguments: &'a [ResolvedArgument],
}

impl<'a> CheckedArguments<'a> {
    /// Checks the number, kinds, object types and BCS encoding of all arguments.
    pub(super) fn check(
        execution: &mut Execution<'_>,
        addresses: &ContractAddresses,
        function: &Function,
        arguments: &'a [ResolvedArgument],
    ) -> Result<Self, MoveError> {
        if arguments.len() != function.parameters.len() {
            return Err(MoveErrorKind::WrongArity {
                expected: function.parameters.len(),
                given: arguments.len(),
            }
            .into());
        }
        for (index, (parameter, argument)) in
            (0_u16..).zip(function.parameters.iter().zip(arguments))
        {
            let outcome = match (parameter.kind, argument) {
                (ParameterKind::Object(kind, _), ResolvedArgument::Object(id)) => {
                    check_object(execution, addresses, kind, id)
                }
                (ParameterKind::Object(..), ResolvedArgument::Pure(_)) => {
                    Err(CommandArgumentError::InvalidUsageOfPureArgument)
                }
                (ParameterKind::Pure(_), ResolvedArgument::Object(_)) => {
                    Err(CommandArgumentError::TypeMismatch)
                }
                (ParameterKind::Pure(kind), ResolvedArgument::Pure(bytes)) => {
                    check_pure(kind, bytes)
                }
            };
            outcome.map_err(|kind| MoveError::argument(index, kind))?;
        }
        Ok(Self { arguments })
    }

    /// The object at `index`.
    ///
    /// # Errors
    /// When the argument is not an object.
    pub(super) fn object(&self, index: u16) -> Result<ObjectId, MoveError> {
        match self.arguments.get(usize::from(index)) {
            Some(ResolvedArgument::Object(id)) => Ok(*id),
            _ => Err(MoveError::argument(
                index,
                CommandArgumentError::TypeMismatch,
            )),
        }
    }

    /// The pure value at `index`.
    ///
    /// # Errors
    /// When the argument is not a value of that type.
    pub(super) fn pure<T: DeserializeOwned>(&self, index: u16) -> Result<T, MoveError> {
        match self.arguments.get(usize::from(index)) {
            Some(ResolvedArgument::Pure(bytes)) => bcs::from_bytes(bytes)
                .map_err(|_| MoveError::argument(index, CommandArgumentError::InvalidBcsBytes)),
            _ => Err(MoveError::argument(
                index,
                CommandArgumentError::TypeMismatch,
            )),
        }
    }
}

fn check_object(
    execution: &mut Execution<'_>,
    addresses: &ContractAddresses,
    kind: ObjectKind,
    id: &ObjectId,
) -> Result<(), CommandArgumentError> {
    let fits = match kind {
        // Native code never reads the object, so its id is enough.
        ObjectKind::Random => *id == RANDOM_ID,
        _ => execution
            .object(id)
            .is_some_and(|object| object.object_type == kind.object_type(addresses)),
    };
    fits.then_some(()).ok_or(CommandArgumentError::TypeMismatch)
}

/// Checks that the bytes encode exactly one value of the kind.
fn check_pure(kind: PureKind, bytes: &[u8]) -> Result<(), CommandArgumentError> {
    let fits = match kind {
        PureKind::Bool => parses::<bool>(bytes),
        PureKind::U16 => parses::<u16>(bytes),
        PureKind::U64 => parses::<u64>(bytes),
        PureKind::Bytes => parses::<Vec<u8>>(bytes),
        PureKind::U64s => parses::<Vec<u64>>(bytes),
        PureKind::Ascii => {
            bcs::from_bytes::<AsciiString>(bytes).is_ok_and(|text| text.0.is_ascii())
        }
        PureKind::OptionU8 => parses::<Option<u8>>(bytes),
        PureKind::OptionU16 => parses::<Option<u16>>(bytes),
        PureKind::OptionAscii => bcs::from_bytes::<Option<AsciiString>>(bytes)
            .is_ok_and(|text| text.is_none_or(|text| text.0.is_ascii())),
    };
    fits.then_some(())
        .ok_or(CommandArgumentError::InvalidBcsBytes)
}

fn parses<T: DeserializeOwned>(bytes: &[u8]) -> bool {
    bcs::from_bytes::<T>(bytes).is_ok()
}
