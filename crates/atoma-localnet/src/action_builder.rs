//! Building the transactions of the network's own accounts.

use atoma_domain::ObjectId;
use serde::Serialize;
use sui_sdk_types::{
    Address, Argument, Command, Identifier, Input, MoveCall, ObjectReference, Owner, SharedInput,
    SplitCoins, TransferObjects,
};

use crate::contract::abi::{self, ObjectKind, ParameterKind, Passing};
use crate::core::NetworkCore;

/// A transaction of the network's own accounts could not be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildActionError {
    /// An input object does not exist.
    #[error("object {0} does not exist")]
    NoObject(ObjectId),
    /// A value can't be encoded.
    #[error("the transaction could not be built")]
    Encode(#[from] bcs::Error),
}

/// An argument of a contract call.
#[derive(Debug, Clone)]
pub(crate) enum ActionArgument {
    /// An object by its id.
    Object(ObjectId),
    /// A BCS value.
    Pure(Vec<u8>),
    /// The `AtomaDb` or `Random`, whichever the parameter takes.
    Implied,
}

impl ActionArgument {
    pub(crate) fn pure<T: Serialize>(value: &T) -> Result<Self, bcs::Error> {
        bcs::to_bytes(value).map(Self::Pure)
    }
}

/// The gas budget of a transaction, in MIST, unless it needs more.
const BUDGET: u64 = 5_000_000_000;

/// A programmable transaction under construction.
#[derive(Debug)]
pub(crate) struct ActionBuilder {
    pub(crate) inputs: Vec<Input>,
    objects: Vec<(ObjectId, Argument)>,
    pub(crate) commands: Vec<Command>,
    /// In MIST.
    pub(crate) budget: u64,
}

impl Default for ActionBuilder {
    fn default() -> Self {
        Self {
            inputs: Vec::new(),
            objects: Vec::new(),
            commands: Vec::new(),
            budget: BUDGET,
        }
    }
}

impl ActionBuilder {
    fn input(&mut self, input: Input) -> Argument {
        let argument = Argument::Input(u16::try_from(self.inputs.len()).unwrap_or(u16::MAX));
        self.inputs.push(input);
        argument
    }

    fn pure<T: Serialize>(&mut self, value: &T) -> Result<Argument, bcs::Error> {
        let bytes = bcs::to_bytes(value)?;
        Ok(self.input(Input::Pure(bytes)))
    }

    /// The input for an object at its current version.
    pub(crate) fn object(
        &mut self,
        core: &NetworkCore,
        id: ObjectId,
        mutable: bool,
    ) -> Result<Argument, BuildActionError> {
        if let Some((_, argument)) = self.objects.iter().find(|(known, _)| *known == id) {
            return Ok(*argument);
        }
        let ledger = core.ledger();
        let object = ledger
            .objects()
            .live(&id)
            .ok_or(BuildActionError::NoObject(id))?;
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

    /// Adds a contract call, with the arguments in the order of the function's parameters.
    pub(crate) fn call(
        &mut self,
        core: &NetworkCore,
        function: &'static str,
        arguments: Vec<ActionArgument>,
    ) -> Result<(), BuildActionError> {
        let parameters = abi::function(function).map_or(&[][..], |function| function.parameters);
        let mut inputs = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.into_iter().enumerate() {
            let kind = parameters.get(index).map(|parameter| parameter.kind);
            let mutable = !matches!(kind, Some(ParameterKind::Object(_, Passing::Reference)));
            inputs.push(match argument {
                ActionArgument::Pure(bytes) => self.input(Input::Pure(bytes)),
                ActionArgument::Object(id) => self.object(core, id, mutable)?,
                ActionArgument::Implied => match kind {
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
            arguments: inputs,
        }));
        Ok(())
    }

    /// Splits `amount` off a coin and transfers it.
    pub(crate) fn pay(
        &mut self,
        coin: Argument,
        amount: u64,
        to: Address,
    ) -> Result<(), BuildActionError> {
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
