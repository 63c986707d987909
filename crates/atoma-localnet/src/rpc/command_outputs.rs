//! What the commands of a simulation returned and changed.

use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{Argument, TypeTag};

use crate::contract::ContractAddresses;
use crate::execution::CommandOutput;
use crate::interface::json;

/// The outputs of each command of a simulation.
pub(crate) fn command_outputs(
    contract: &ContractAddresses,
    commands: &[CommandOutput],
) -> Vec<proto::CommandResult> {
    let output = |argument: Option<Argument>, tag: &TypeTag, bytes: &[u8]| {
        let mut value = proto::Bcs::from(bytes.to_vec());
        value.name = Some(tag.to_string());
        let mut message = proto::CommandOutput::default();
        message.argument = argument.map(Into::into);
        message.value = Some(value);
        if let TypeTag::Struct(tag) = tag {
            message.json = json(contract, tag, bytes).map(Box::new);
        }
        message
    };
    commands
        .iter()
        .map(|command| {
            let mut message = proto::CommandResult::default();
            message.return_values = command
                .returned
                .iter()
                .map(|(tag, bytes)| output(None, tag, bytes))
                .collect();
            message.mutated_by_ref = command
                .mutated
                .iter()
                .map(|(argument, tag, bytes)| output(Some(*argument), tag, bytes))
                .collect();
            message
        })
        .collect()
}
