//! The text of execution errors, which clients show to their users.

use sui_sdk_types::{CommandArgumentError, ExecutionError, MoveLocation};

/// An execution error as a Sui full node describes it: the error with its fields, and the command.
pub(super) fn description(error: &ExecutionError, command: Option<u64>) -> String {
    let text = match error {
        ExecutionError::MoveAbort { location, code } => {
            format!("MoveAbort({}, {code})", location_text(location))
        }
        ExecutionError::MovePrimitiveRuntimeError { location } => {
            let location = location.as_ref().map_or_else(
                || "None".to_owned(),
                |location| format!("Some({})", location_text(location)),
            );
            format!("MovePrimitiveRuntimeError(MoveLocationOpt({location}))")
        }
        ExecutionError::CommandArgumentError { argument, kind } => format!(
            "CommandArgumentError {{ arg_idx: {argument}, kind: {} }}",
            argument_text(kind)
        ),
        ExecutionError::UnusedValueWithoutDrop { result, subresult } => {
            format!("UnusedValueWithoutDrop {{ result_idx: {result}, secondary_idx: {subresult} }}")
        }
        ExecutionError::ExecutionCanceledDueToConsensusObjectCongestion { congested_objects } => {
            let objects: Vec<String> = congested_objects.iter().map(ToString::to_string).collect();
            format!(
                "ExecutionCancelledDueToSharedObjectCongestion {{ congested_objects: CongestedObjects([{}]) }}",
                objects.join(", ")
            )
        }
        error => format!("{error:?}"),
    };
    match command {
        Some(command) => format!("{text} in command {command}"),
        None => text,
    }
}

fn location_text(location: &MoveLocation) -> String {
    let address = location.package.to_string();
    let address = address.trim_start_matches("0x");
    let name = location.function_name.as_ref().map_or_else(
        || "None".to_owned(),
        |name| format!("Some(\"{}\")", name.as_str()),
    );
    format!(
        "MoveLocation {{ module: ModuleId {{ address: {address}, name: Identifier(\"{}\") }}, function: {}, instruction: {}, function_name: {name} }}",
        location.module.as_str(),
        location.function,
        location.instruction,
    )
}

fn argument_text(kind: &CommandArgumentError) -> String {
    match kind {
        CommandArgumentError::IndexOutOfBounds { index } => {
            format!("IndexOutOfBounds {{ idx: {index} }}")
        }
        CommandArgumentError::SecondaryIndexOutOfBounds { result, subresult } => format!(
            "SecondaryIndexOutOfBounds {{ result_idx: {result}, secondary_idx: {subresult} }}"
        ),
        CommandArgumentError::InvalidResultArity { result } => {
            format!("InvalidResultArity {{ result_idx: {result} }}")
        }
        kind => format!("{kind:?}"),
    }
}
