//! What the connections to several nodes of one chain share.

use std::sync::{Arc, OnceLock};

use atoma_domain::Digest;

use super::freshness::{Freshness, MaxLag};
use super::versions::Versions;

/// What all nodes of one chain are measured by: the chain that each of them must be on, and what they
/// have shown so far. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    /// The chain that every response must come from, once it is known.
    pub(crate) expected: Arc<OnceLock<Digest>>,
    pub(crate) freshness: Freshness,
    pub(crate) versions: Arc<Versions>,
}

impl Peers {
    pub(crate) fn new(max_lag: Option<MaxLag>) -> Self {
        Self {
            expected: Arc::default(),
            freshness: Freshness::new(max_lag),
            versions: Arc::default(),
        }
    }
}
