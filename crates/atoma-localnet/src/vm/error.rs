//! Why a Move call fails, in the terms in which the network reports it.

use sui_sdk_types::{Address, CommandArgumentError, ExecutionError, Identifier, MoveLocation};
use thiserror::Error;

/// A failed command: the whole transaction fails with it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{kind}")]
pub struct MoveError {
    /// What happened, and where.
    pub kind: MoveErrorKind,
}

/// What happened to a failed command.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MoveErrorKind {
    /// The code refused (`abort`, `assert!`).
    #[error("abort {code} in {package}::{module}::{function}")]
    Abort {
        /// The aborting module's package.
        package: Address,
        /// The aborting module.
        module: Identifier,
        /// The aborting function; for the framework's natives, the native's name.
        function: Identifier,
        /// The abort code.
        code: u64,
    },
    /// An integer expression left its range, or a division by zero.
    #[error("arithmetic error in {package}::{module}::{function}")]
    Arithmetic {
        /// The failing module's package.
        package: Address,
        /// The failing module.
        module: Identifier,
        /// The failing function.
        function: Identifier,
    },
    /// The transaction touched more child objects than the runtime keeps.
    #[error("more than {limit} child objects touched, in {package}::{module}::{function}")]
    TooManyChildObjects {
        /// The failing native's package.
        package: Address,
        /// The failing native's module.
        module: Identifier,
        /// The failing native.
        function: Identifier,
        /// The network's limit.
        limit: usize,
    },
    /// No gas budget covers the work that the call asks for.
    #[error("out of gas")]
    OutOfGas,
    /// An argument of the call doesn't fit its parameter.
    #[error("argument {index} does not fit: {kind:?}")]
    WrongArgument {
        /// The argument's place among the call's arguments, from 0.
        index: u16,
        /// How it fails to fit.
        kind: CommandArgumentError,
    },
    /// The call has more or fewer arguments than the function has parameters.
    #[error("{given} arguments given, {expected} expected")]
    WrongArity {
        /// What the function takes.
        expected: usize,
        /// What the call brought.
        given: usize,
    },
    /// The call has type arguments, and the function takes none.
    #[error("{given} type arguments given, none expected")]
    WrongTypeArity {
        /// What the call brought.
        given: usize,
    },
    /// The module has no such function.
    #[error("no function {function}")]
    FunctionNotFound {
        /// The name asked for.
        function: String,
    },
    /// A coin holds less than is to be split off.
    #[error("coin {coin} holds {balance}, {amount} asked for")]
    InsufficientCoinBalance {
        /// Which coin.
        coin: Address,
        /// What it holds.
        balance: u64,
        /// What was asked for.
        amount: u64,
    },
    /// Merged coins would hold more than 64 bits can say.
    #[error("coin {coin} would overflow")]
    CoinBalanceOverflow {
        /// Which coin.
        coin: Address,
    },
    /// The object's type lacks the `store` ability, so only its own module can transfer it.
    #[error("object {object} can't be transferred by a command")]
    InvalidTransferObject {
        /// Which object.
        object: Address,
    },
    /// The network's own state is not what the contract leaves behind: a defect, not a user's
    /// error.
    #[error("broken invariant: {0}")]
    Invariant(String),
}

/// A function of a module, as a place where an error can arise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodeLocation {
    pub(crate) package: Address,
    pub(crate) module: &'static str,
    pub(crate) function: &'static str,
}

impl CodeLocation {
    /// A function of the Sui framework, package `0x2`.
    pub(crate) const fn framework(module: &'static str, function: &'static str) -> Self {
        Self {
            package: Address::TWO,
            module,
            function,
        }
    }

    /// An abort with `code` here.
    pub(crate) fn abort(self, code: u64) -> MoveError {
        MoveErrorKind::Abort {
            package: self.package,
            module: Identifier::from_static(self.module),
            function: Identifier::from_static(self.function),
            code,
        }
        .into()
    }

    /// An arithmetic error here.
    pub(crate) fn arithmetic(self) -> MoveError {
        MoveErrorKind::Arithmetic {
            package: self.package,
            module: Identifier::from_static(self.module),
            function: Identifier::from_static(self.function),
        }
        .into()
    }

    /// The runtime's cache of child objects is full.
    pub(crate) fn too_many_child_objects(self, limit: usize) -> MoveError {
        MoveErrorKind::TooManyChildObjects {
            package: self.package,
            module: Identifier::from_static(self.module),
            function: Identifier::from_static(self.function),
            limit,
        }
        .into()
    }
}

impl From<MoveErrorKind> for MoveError {
    fn from(kind: MoveErrorKind) -> Self {
        Self { kind }
    }
}

impl MoveError {
    /// A broken invariant of this network's own state.
    pub(crate) fn invariant(what: impl Into<String>) -> Self {
        MoveErrorKind::Invariant(what.into()).into()
    }

    /// An argument that doesn't fit its parameter.
    pub(crate) fn argument(index: u16, kind: CommandArgumentError) -> Self {
        MoveErrorKind::WrongArgument { index, kind }.into()
    }

    /// The error as transaction effects carry it. No bytecode stands behind a location, so
    /// function index and instruction are 0; clients go by the function's name.
    pub fn execution_error(&self) -> ExecutionError {
        let location =
            |package: &Address, module: &Identifier, function: &Identifier| MoveLocation {
                package: *package,
                module: module.clone(),
                function: 0,
                instruction: 0,
                function_name: Some(function.clone()),
            };
        match &self.kind {
            MoveErrorKind::Abort {
                package,
                module,
                function,
                code,
            } => ExecutionError::MoveAbort {
                location: location(package, module, function),
                code: *code,
            },
            MoveErrorKind::Arithmetic {
                package,
                module,
                function,
            }
            | MoveErrorKind::TooManyChildObjects {
                package,
                module,
                function,
                ..
            } => ExecutionError::MovePrimitiveRuntimeError {
                location: Some(location(package, module, function)),
            },
            MoveErrorKind::OutOfGas => ExecutionError::InsufficientGas,
            MoveErrorKind::WrongArgument { index, kind } => ExecutionError::CommandArgumentError {
                argument: *index,
                kind: kind.clone(),
            },
            MoveErrorKind::WrongArity { .. } => ExecutionError::ArityMismatch,
            MoveErrorKind::WrongTypeArity { .. } => ExecutionError::TypeArityMismatch,
            MoveErrorKind::FunctionNotFound { .. } => ExecutionError::FunctionNotFound,
            MoveErrorKind::InsufficientCoinBalance { .. } => {
                ExecutionError::InsufficientCoinBalance
            }
            MoveErrorKind::CoinBalanceOverflow { .. } => ExecutionError::CoinBalanceOverflow,
            MoveErrorKind::InvalidTransferObject { .. } => ExecutionError::InvalidTransferObject,
            MoveErrorKind::Invariant(_) => ExecutionError::InvariantViolation,
        }
    }
}
