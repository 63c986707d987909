//! Why no transaction can be built, and the network's limits.

use atoma_domain::ObjectId;
use atoma_domain::ports::BoxedError;
use thiserror::Error;

/// Commands per transaction.
pub(super) const MAX_COMMANDS: usize = 1_023;
/// Bytes per pure argument.
pub(super) const MAX_PURE_ARGUMENT_BYTES: usize = 16_383;
/// Bytes per transaction.
pub(super) const MAX_TRANSACTION_BYTES: usize = 131_072;
/// Arguments per command.
pub(super) const MAX_ARGUMENTS: usize = 512;
/// Gas coins per transaction, exclusive: there must be fewer than this.
pub(super) const MAX_GAS_OBJECTS: usize = 256;

/// No valid transaction can be built from a plan.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The plan has no calls.
    #[error("a transaction needs at least one call")]
    NoCalls,
    /// A call takes the badge, but the plan has none.
    #[error("{function} needs the node badge")]
    NoBadge {
        /// The call's function.
        function: &'static str,
    },
    /// A purchase names no coin that pays.
    #[error("a purchase needs a coin that pays")]
    NoCoins,
    /// A purchase names a coin twice, or one that also pays the gas.
    #[error("coin {0} is named twice")]
    CoinTwice(ObjectId),
    /// A call follows one that takes `Random`.
    #[error("try_settle_stack must be the last call of its transaction")]
    RandomNotLast,
    /// A string that Move's ASCII string can't hold.
    #[error("`{0}` is not ASCII")]
    NotAscii(String),
    /// The plan exceeds a limit of the network.
    #[error("{what}: {actual} is more than the network's limit of {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The plan's value.
        actual: usize,
        /// The largest value allowed.
        limit: usize,
    },
    /// The library rejected the plan: it needs a gas coin, for example, and each object at most once.
    #[error("the transaction builder rejected the plan")]
    Builder(#[source] BoxedError),
    /// BCS failed.
    #[error("the transaction can't be encoded in BCS")]
    Bcs(#[from] bcs::Error),
}

impl BuildError {
    pub(super) fn refused(error: impl Into<BoxedError>) -> Self {
        Self::Builder(error.into())
    }
}

pub(super) fn check_limit(
    what: &'static str,
    actual: usize,
    limit: usize,
) -> Result<(), BuildError> {
    if actual > limit {
        return Err(BuildError::Limit {
            what,
            actual,
            limit,
        });
    }
    Ok(())
}
