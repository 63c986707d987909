//! Building the transactions of the network's own accounts.

use atoma_domain::ObjectId;
use serde::Serialize;
use sui_sdk_types::{
    Address, Argument, Command, Identifier, Input, MoveCall, ObjectReference, Owner, SharedInput,
    SplitCoins, TransferObjects,
};

use crate::actions::ActionError;
use crate::contract::abi::{self, ObjectKind, ParameterKind, Passing};
use crate::core::Core;

/// An argument of a contract call.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// An object by its id.
    Object(ObjectId),
    /// A BCS value.
    Pure(Vec<u8>),
    /// The object that the parameter's kind names by itself: the `AtomaDb`, or `Random`.
    System,
}

impl Value {
    pub(crate) fn pure<T: Serialize>(value: &T) -> Result<Self, bcs::Error> {
        bcs::to_bytes(value).map(Self::Pure)
    }
}

/// A programmable transaction in the making.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) inputs: Vec<Input>,
    objects: Vec<(ObjectId, Argument)>,
    pub(crate) commands: Vec<Command>,
}

impl Draft {
    fn input(&mut self, input: Input) -> Argument {
        let argument = Argument::Input(u16::try_from(self.inputs.len()).unwrap_or(u16::MAX));
        self.inputs.push(input);
        argument
    }

    fn pure<T: Serialize>(&mut self, value: &T) -> Result<Argument, bcs::Error> {
        let bytes = bcs::to_bytes(value)?;
        Ok(self.input(Input::Pure(bytes)))
    }

    /// The input of an object, as it is now.
    pub(crate) fn object(
        &mut self,
        core: &Core,
        id: ObjectId,
        mutable: bool,
    ) -> Result<Argument, ActionError> {
        if let Some((_, argument)) = self.objects.iter().find(|(known, _)| *known == id) {
            return Ok(*argument);
        }
        let ledger = core.ledger();
        let object = ledger
            .objects()
            .live(&id)
            .ok_or_else(|| ActionError::Missing(format!("object {id} does not exist")))?;
        let input = match object.owner() {
            Owner::Shared(start) => Input::Shared(SharedInput::new(id, *start, mutable)),
            _ => {
                Input::ImmutableOrOwned(ObjectReference::new(id, object.version(), object.digest()))
            }
        };
        let argument = self.input(input);
        self.objects.push((id, argument));
        Ok(argument)
    }

    /// Adds a call of the contract; arguments as in its interface.
    pub(crate) fn call(
        &mut self,
        core: &Core,
        function: &'static str,
        values: Vec<Value>,
    ) -> Result<(), ActionError> {
        let parameters = abi::function(function).map_or(&[][..], |function| function.parameters);
        let mut arguments = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let kind = parameters.get(index).map(|parameter| parameter.kind);
            let mutable = !matches!(kind, Some(ParameterKind::Object(_, Passing::Reference)));
            arguments.push(match value {
                Value::Pure(bytes) => self.input(Input::Pure(bytes)),
                Value::Object(id) => self.object(core, id, mutable)?,
                Value::System => match kind {
                    Some(ParameterKind::Object(ObjectKind::Random, _)) => {
                        self.object(core, Address::from_static("0x8"), false)?
                    }
                    _ => self.object(core, core.contract.atoma_db, mutable)?,
                },
            });
        }
        self.commands.push(Command::MoveCall(MoveCall {
            package: core.contract.package,
            module: Identifier::from_static("db"),
            function: Identifier::from_static(function),
            type_arguments: Vec::new(),
            arguments,
        }));
        Ok(())
    }

    /// Splits `amount` off a coin and gives it away.
    pub(crate) fn pay(
        &mut self,
        coin: Argument,
        amount: u64,
        to: Address,
    ) -> Result<(), bcs::Error> {
        let amounts = vec![self.pure(&amount)?];
        let result = u16::try_from(self.commands.len()).unwrap_or(u16::MAX);
        self.commands
            .push(Command::SplitCoins(SplitCoins { coin, amounts }));
        let address = self.pure(&to)?;
        self.commands
            .push(Command::TransferObjects(TransferObjects {
                objects: vec![Argument::NestedResult(result, 0)],
                address,
            }));
        Ok(())
    }
}
