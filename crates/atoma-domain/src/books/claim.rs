//! How a claim divides a stack's money.

use thiserror::Error;

use crate::contract::{Charges, stack_fee};
use crate::{
    Address, ComputeUnits, MicroUsdc, NodeSmallId, PricePerMillion, SecurityLevel, StackSmallId,
    TaskSmallId,
};

/// What a stack was bought for. It never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackTerms {
    /// The stack.
    pub stack_small_id: StackSmallId,
    /// The task.
    pub task_small_id: TaskSmallId,
    /// The buyer.
    pub owner: Address,
    /// The node that serves it.
    pub selected_node_id: NodeSmallId,
    /// The units bought.
    pub num_compute_units: ComputeUnits,
    /// The price.
    pub price_per_one_million_compute_units: PricePerMillion,
    /// How the task is verified.
    pub security_level: SecurityLevel,
}

/// Why the contract's rules give no amount: it would have aborted.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AmountError {
    /// A product is out of the contract's 64 bits.
    #[error("an amount does not fit in the contract's 64 bits")]
    Overflow,
    /// More units are claimed than were bought.
    #[error("more units are claimed than the stack has")]
    TooManyUnits,
    /// A share would be the fee divided by no attesters.
    #[error("the contract draws no attesters, and one attested")]
    NoShare,
}

/// What a claim pays, by the contract's rules (`claim_funds` and `claim_funds_for_stacks`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimSplit {
    /// What the selected node is paid at once.
    pub fee: MicroUsdc,
    /// What the buyer gets back for units that were not claimed.
    pub refund: MicroUsdc,
    /// What each attester is credited, every time that it was drawn: its next claim or withdrawal pays it.
    pub share: MicroUsdc,
    /// The drawn nodes that had attested, in the order of the draw. One that was drawn twice occurs twice, though it
    /// attested once.
    pub credited: Vec<NodeSmallId>,
    /// The drawn nodes that had not attested: they get no share.
    pub late: Vec<NodeSmallId>,
}

/// Divides the money of a stack of which `claimed` units are claimed, at the charges of the claiming transaction. Of the
/// `requested` nodes those that `attested` are credited.
///
/// # Errors
/// When the contract would have aborted.
pub fn split_claim(
    terms: &StackTerms,
    claimed: ComputeUnits,
    requested: &[NodeSmallId],
    attested: &[NodeSmallId],
    charges: &Charges,
) -> Result<ClaimSplit, AmountError> {
    let unused = terms.num_compute_units.checked_sub(claimed);
    let unused = unused.map_err(|_| AmountError::TooManyUnits)?;
    let fee = |units| {
        stack_fee(
            terms.security_level,
            units,
            terms.price_per_one_million_compute_units,
            charges.sampling_consensus,
        )
        .ok_or(AmountError::Overflow)
    };
    let paid = fee(claimed)?;
    let (credited, late): (Vec<NodeSmallId>, Vec<_>) =
        requested.iter().partition(|node| attested.contains(node));
    let share = paid.get().checked_div(charges.extra_nodes_count);
    if share.is_none() && !credited.is_empty() {
        return Err(AmountError::NoShare);
    }
    Ok(ClaimSplit {
        fee: paid,
        refund: fee(unused)?,
        share: MicroUsdc::new(share.unwrap_or_default()),
        credited,
        late,
    })
}
