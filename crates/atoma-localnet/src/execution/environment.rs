//! What a transaction executes against.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::{NodeSmallId, StackSmallId};

use crate::chain::{EpochRecord, ObjectStore};
use crate::contract::ContractAddresses;

/// Draws whose results are set in advance by a test or demonstration.
#[derive(Debug, Clone, Default)]
pub(crate) struct ForcedDraws {
    /// The attesters of each stack's settlement. Shared, because there can be thousands.
    pub(crate) attesters: Arc<BTreeMap<StackSmallId, Vec<NodeSmallId>>>,
    /// The node that the buyer's next purchase selects.
    pub(crate) selected_node: Option<NodeSmallId>,
}

/// The network's state and settings at the time of an execution.
pub(crate) struct Environment<'a> {
    pub(crate) store: &'a ObjectStore,
    pub(crate) contract: &'a ContractAddresses,
    pub(crate) epoch: EpochRecord,
    pub(crate) seed: u64,
    pub(crate) forced: &'a ForcedDraws,
}
