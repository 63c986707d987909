//! Calls of the contract.

use atoma_domain::ObjectId;
use sui_sdk_types::{CommandArgumentError as Wrong, ExecutionError, MoveCall};

use super::commands::{Interpreter, execution_error, wrong};
use super::values::{ArgumentValue, MoveValue, ObjectUse};
use crate::contract::abi::{self, Passing};
use crate::contract::{self, ResolvedArgument};

impl Interpreter<'_, '_> {
    /// Calls an entry function of the contract.
    pub(super) fn call(&mut self, call: &MoveCall) -> Result<(), ExecutionError> {
        if call.module.as_str() != "db" {
            return Err(ExecutionError::FunctionNotFound);
        }
        let mut bytes = 0;
        let mut seen: Vec<ObjectId> = Vec::new();
        let mut arguments = Vec::with_capacity(call.arguments.len());
        let function = abi::function(call.function.as_str());
        for (index, argument) in call.arguments.iter().enumerate() {
            let fail = |kind| wrong(index, kind);
            let value = self.value(*argument).map_err(fail)?.clone();
            let parameter = function.and_then(|function| function.parameters.get(index));
            arguments.push(match value {
                ArgumentValue::Moved => return Err(fail(Wrong::InvalidValueUsage)),
                ArgumentValue::Value(MoveValue {
                    tag,
                    bytes: value,
                    is_plain,
                }) => {
                    let fits =
                        parameter.is_none_or(|parameter| parameter.type_tag(self.contract) == tag);
                    if !fits || !is_plain {
                        return Err(fail(Wrong::TypeMismatch));
                    }
                    bytes += value.len();
                    ResolvedArgument::Pure(value)
                }
                ArgumentValue::Pure(value) => {
                    bytes += value.len();
                    ResolvedArgument::Pure(value)
                }
                ArgumentValue::Object { id, usage } => {
                    if seen.contains(&id) || self.execution.object(&id).is_none() {
                        return Err(fail(Wrong::InvalidValueUsage));
                    }
                    seen.push(id);
                    let passing = parameter.map(abi::FunctionParameter::passing);
                    match passing {
                        Some(Passing::Value) if usage != ObjectUse::Value => {
                            return Err(fail(Wrong::InvalidObjectByValue));
                        }
                        Some(Passing::MutableReference) if usage == ObjectUse::Reference => {
                            return Err(fail(Wrong::InvalidObjectByMutRef));
                        }
                        Some(Passing::Value) => self.take(*argument),
                        _ => {}
                    }
                    ResolvedArgument::Object(id)
                }
            });
        }
        self.run.meter.command(bytes);
        self.run.meter.objects(seen.len());
        contract::call(
            self.execution,
            self.contract,
            call.package,
            call.function.as_str(),
            &call.type_arguments,
            &arguments,
        )
        .map_err(|error| execution_error(&error))
    }
}
