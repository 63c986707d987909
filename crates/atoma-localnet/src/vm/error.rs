//! The errors of Move calls, as the network reports them.

use sui_sdk_types::{Address, CommandArgumentError, ExecutionError, Identifier, MoveLocation};
use thiserror::Error;

/// The error of a failed command, with which the whole transaction fails.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{kind}")]
pub struct MoveError {
    /// The kind of error, and where it occurred.
    pub kind: MoveErrorKind,
}

/// The kinds of errors.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MoveErrorKind {
    /// The code aborted (`abort`, `assert!`).
    #[error("abort {code} in {package}::{module}::{function}")]
    Abort {
        /// The aborting module's package.
        package: Address,
        /// The aborting module.
        module: Identifier,
        /// The aborting function, which may be a native of the framework.
        function: Identifier,
        /// The abort code.
        code: u64,
    },
    /// An integer overflow, or a division by zero.
    #[error("arithmetic error in {package}::{module}::{function}")]
    Arithmetic {
        /// The failing module's package.
        package: Address,
        /// The failing module.
        module: Identifier,
        /// The failing function.
        function: Identifier,
    },
    /// The transaction accessed more child objects than the runtime caches.
    #[error("more than {limit} child objects accessed, in {package}::{module}::{function}")]
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
    /// The call needs more gas than any budget covers.
    #[error("out of gas")]
    OutOfGas,
    /// An argument of the call doesn't match its parameter.
    #[error("argument {index} is invalid: {kind:?}")]
    WrongArgument {
        /// The argument's index, from 0.
        index: u16,
        /// The mismatch.
        kind: CommandArgumentError,
    },
    /// The call has more or fewer arguments than the function has parameters.
    #[error("{given} arguments given, {expected} expected")]
    WrongArity {
        /// The function's number of parameters.
        expected: usize,
        /// The call's number of arguments.
        given: usize,
    },
    /// The call has type arguments, but the function takes none.
    #[error("{given} type arguments given, none expected")]
    WrongTypeArity {
        /// The call's number of type arguments.
        given: usize,
    },
    /// The module has no such function.
    #[error("no function {function}")]
    FunctionNotFound {
        /// The function's name.
        function: String,
    },
    /// A coin holds less than the amount to split off.
    #[error("coin {coin} holds {balance}, less than {amount}")]
    InsufficientCoinBalance {
        /// The coin.
        coin: Address,
        /// The coin's balance.
        balance: u64,
        /// The amount to split off.
        amount: u64,
    },
    /// The sum of merged coins overflows 64 bits.
    #[error("the balance of coin {coin} would overflow")]
    CoinBalanceOverflow {
        /// The coin.
        coin: Address,
    },
    /// The object's type lacks the `store` ability, so only its own module can transfer it.
    #[error("object {object} can't be transferred by a command")]
    InvalidTransferObject {
        /// The object.
        object: Address,
    },
    /// The state contradicts what the contract guarantees: a bug in this network, not an error of
    /// the user.
    #[error("broken invariant: {0}")]
    Invariant(String),
}

/// A function of a module, as the location of an error.
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

    /// An abort with `code` at this location.
    pub(crate) fn abort(self, code: u64) -> MoveError {
        MoveErrorKind::Abort {
            package: self.package,
            module: Identifier::from_static(self.module),
            function: Identifier::from_static(self.function),
            code,
        }
        .into()
    }

    /// An arithmetic error at this location.
    pub(crate) fn arithmetic(self) -> MoveError {
        MoveErrorKind::Arithmetic {
            package: self.package,
            module: Identifier::from_static(self.module),
            function: Identifier::from_static(self.function),
        }
        .into()
    }

    /// Too many child objects accessed, at this location.
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
    /// A broken invariant of this network's state.
    pub(crate) fn invariant(what: impl Into<String>) -> Self {
        MoveErrorKind::Invariant(what.into()).into()
    }

    /// An argument that doesn't match its parameter.
    pub(crate) fn argument(index: u16, kind: CommandArgumentError) -> Self {
        MoveErrorKind::WrongArgument { index, kind }.into()
    }

    /// The error as reported in transaction effects. There is no bytecode, so a location's function
    /// index and instruction are 0; clients use the function's name.
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
