//! The outputs of commands, for simulations.

use atoma_domain::ObjectId;
use sui_sdk_types::{Argument, Command, TypeTag};

use super::commands::{CommandOutput, Interpreter};
use super::values::ArgumentValue;
use crate::contract::abi::{self, Passing};

impl Interpreter<'_, '_> {
    /// What a command that has run returned, and what it changed through its arguments.
    pub(super) fn output(&mut self, command: &Command, results: &[ArgumentValue]) -> CommandOutput {
        let returned = results
            .iter()
            .filter_map(|value| match value {
                ArgumentValue::Object { id, .. } => self.typed(id),
                ArgumentValue::Value(value) => Some((value.tag.clone(), value.bytes.clone())),
                ArgumentValue::Pure(_) | ArgumentValue::Moved => None,
            })
            .collect();
        let mutated = mutable_arguments(command)
            .into_iter()
            .filter_map(|argument| {
                let ArgumentValue::Object { id, .. } = self.value(argument).ok()? else {
                    return None;
                };
                let id = *id;
                let (tag, bytes) = self.typed(&id)?;
                Some((argument, tag, bytes))
            })
            .collect();
        CommandOutput { returned, mutated }
    }

    fn typed(&mut self, id: &ObjectId) -> Option<(TypeTag, Vec<u8>)> {
        let object = self.execution.object(id)?;
        Some((object.object_type.clone().into(), object.contents.clone()))
    }
}

/// The arguments that a command takes by mutable reference.
fn mutable_arguments(command: &Command) -> Vec<Argument> {
    match command {
        Command::SplitCoins(split) => vec![split.coin],
        Command::MergeCoins(merge) => vec![merge.coin],
        Command::MoveCall(call) => {
            let function = abi::function(call.function.as_str());
            let parameters = function.map_or(&[][..], |function| function.parameters);
            call.arguments
                .iter()
                .zip(parameters)
                .filter(|(_, parameter)| parameter.passing() == Passing::MutableReference)
                .map(|(argument, _)| *argument)
                .collect()
        }
        _ => Vec::new(),
    }
}
