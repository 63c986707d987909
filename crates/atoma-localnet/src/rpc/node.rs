//! The node that answers a call: one that is up to date, or one that lags by an injected fault.

use std::ops::Deref;
use std::sync::{Arc, RwLockReadGuard};

use atoma_domain::ObjectId;
use tonic::Status;

use crate::chain::Ledger;
use crate::core::NetworkCore;
use crate::faults::{FaultKind, Faults};

/// Which of two nodes behind the address a call reaches. Each request has it as an extension.
#[derive(Debug, Clone, Copy)]
pub(super) struct SecondNode(pub(super) bool);

/// A node with its view of the ledger.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) core: Arc<NetworkCore>,
    pub(super) faults: Arc<Faults>,
    is_second: bool,
}

/// A ledger to read: the network's own, or the copy of a node that lags.
#[derive(Debug)]
pub(super) enum LedgerView<'a> {
    Current(RwLockReadGuard<'a, Ledger>),
    Lagging(Arc<Ledger>),
}

impl Deref for LedgerView<'_> {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        match self {
            Self::Current(ledger) => ledger,
            Self::Lagging(ledger) => ledger,
        }
    }
}

impl Node {
    /// The node for a call with these extensions.
    pub(super) fn of(
        core: &Arc<NetworkCore>,
        faults: &Arc<Faults>,
        second: Option<&SecondNode>,
    ) -> Self {
        Self {
            core: Arc::clone(core),
            faults: Arc::clone(faults),
            is_second: second.is_some_and(|second| second.0),
        }
    }

    /// How many checkpoints the node is behind at the moment.
    pub(super) fn behind(&self) -> u64 {
        let now_ms = self.core.clock.now_ms();
        let lag = |kind| self.faults.checkpoints(kind, now_ms);
        let second = self.is_second.then(|| lag(FaultKind::TwoNodes)).flatten();
        lag(FaultKind::NodeLags).or(second).unwrap_or_default()
    }

    /// The lowest checkpoint that the node with this ledger still has.
    pub(super) fn lowest_checkpoint(&self, ledger: &Ledger) -> u64 {
        self.lowest_at(ledger.height())
    }

    /// Whether a fault that lasts is in force.
    pub(super) fn has(&self, kind: FaultKind) -> bool {
        self.lasting(kind).is_some()
    }

    /// The height that the node names: its own, unless a fault makes it name a higher one.
    pub(super) fn named_height(&self, height: u64) -> u64 {
        height.saturating_add(self.lasting(FaultKind::HeightTooHigh).unwrap_or_default())
    }

    fn lasting(&self, kind: FaultKind) -> Option<u64> {
        self.faults.checkpoints(kind, self.core.clock.now_ms())
    }

    /// The lowest checkpoint whose history the node still has at this height: 0, unless a fault has pruned some.
    pub(super) fn lowest_at(&self, height: u64) -> u64 {
        let now_ms = self.core.clock.now_ms();
        let pruned = self.faults.checkpoints(FaultKind::HistoryPruned, now_ms);
        pruned.map_or(0, |lowest| lowest.min(height))
    }

    /// The ledger as the node knows it.
    ///
    /// # Errors
    /// `INTERNAL` when a record can't be decoded.
    pub(super) fn ledger(&self) -> Result<LedgerView<'_>, Status> {
        let behind = self.behind();
        let ledger = self.core.ledger();
        if behind == 0 {
            return Ok(LedgerView::Current(ledger));
        }
        let height = ledger.height().saturating_sub(behind);
        let replica = self.core.replica(&ledger, height);
        let replica = replica.map_err(|error| Status::internal(error.to_string()))?;
        Ok(LedgerView::Lagging(replica))
    }

    /// Whether the node has dropped the transaction at `position` of the ledger.
    pub(super) fn is_pruned(&self, ledger: &Ledger, position: usize) -> bool {
        let lowest = ledger.checkpoint(self.lowest_checkpoint(ledger));
        lowest.is_some_and(|lowest| position < lowest.first_transaction)
    }

    /// Whether the node has dropped an object's version, because a later one was live before its
    /// history begins.
    pub(super) fn is_version_pruned(&self, ledger: &Ledger, id: &ObjectId, version: u64) -> bool {
        let Some(before) = self.lowest_checkpoint(ledger).checked_sub(1) else {
            return false;
        };
        let replica = self.core.replica(ledger, before);
        let live = replica.ok().and_then(|ledger| ledger.objects().live(id));
        live.is_some_and(|live| version < live.version())
    }
}
