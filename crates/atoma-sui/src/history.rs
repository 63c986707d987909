//! What a node's history is good for.

use atoma_domain::ports::ChainError;
use sui_rpc::client::ResponseExt;
use sui_rpc::proto::sui::rpc::v2 as proto;

use crate::outcome::lacks;

/// A node writes its height into an answer's headers after the answer is made. It is not taken to
/// be past a checkpoint by its headers before it is this much further, some seconds.
const HEADERS_AHEAD: u64 = 16;

/// Checkpoints that a ledger must have before what is absent from it proves anything: first and
/// last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Stretch {
    /// All that precedes an epoch; `None` where its first checkpoint isn't told.
    pub(crate) fn before(epoch: &proto::Epoch) -> Option<Self> {
        let last = epoch.first_checkpoint?.saturating_sub(1);
        Some(Self { first: 0, last })
    }

    /// Whether a node that says so of itself has executed all of it.
    pub(crate) fn is_reached(
        self,
        info: &proto::GetServiceInfoResponse,
    ) -> Result<bool, ChainError> {
        let height = info
            .checkpoint_height
            .ok_or(lacks("the checkpoint height"))?;
        Ok(height >= self.last)
    }

    /// Whether the node that gave an answer had executed all of it, by the answer's headers; false
    /// without them.
    pub(crate) fn is_reached_by_answer(self, headers: &impl ResponseExt) -> bool {
        headers
            .checkpoint_height()
            .is_some_and(|height| height >= self.last.saturating_add(HEADERS_AHEAD))
    }

    /// Checks that a node has thrown none of it away.
    ///
    /// # Errors
    /// [`ChainError::Pruned`] when it has; [`ChainError::Malformed`] when it doesn't say what it
    /// keeps.
    pub(crate) fn is_kept(self, info: &proto::GetServiceInfoResponse) -> Result<(), ChainError> {
        let lowest = info.lowest_available_checkpoint;
        self.is_kept_from(lowest.ok_or(lacks("the lowest available checkpoint"))?)
    }

    /// The same, where the lowest checkpoint that is kept is known.
    ///
    /// # Errors
    /// [`ChainError::Pruned`].
    pub(crate) const fn is_kept_from(self, lowest: u64) -> Result<(), ChainError> {
        if lowest > self.first {
            return Err(ChainError::Pruned {
                lowest,
                wanted: self.first,
            });
        }
        Ok(())
    }
}

/// Checks that the node still has the ledger from a checkpoint on.
///
/// # Errors
/// [`ChainError::Pruned`] when it doesn't.
pub(crate) fn reaches_back(
    info: &proto::GetServiceInfoResponse,
    wanted: u64,
) -> Result<(), ChainError> {
    let lowest = info.lowest_available_checkpoint.unwrap_or_default();
    if lowest > wanted {
        return Err(ChainError::Pruned { lowest, wanted });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataMap;

    use super::*;

    const STRETCH: Stretch = Stretch {
        first: 10,
        last: 20,
    };

    fn node(lowest: u64, height: u64) -> proto::GetServiceInfoResponse {
        proto::GetServiceInfoResponse::default()
            .with_lowest_available_checkpoint(lowest)
            .with_checkpoint_height(height)
    }

    #[test]
    fn a_stretch_is_covered_from_its_first_to_its_last_checkpoint() {
        assert!(!STRETCH.is_reached(&node(0, 19)).unwrap());
        assert!(STRETCH.is_reached(&node(0, 20)).unwrap());
        assert!(STRETCH.is_kept(&node(10, 21)).is_ok());
        assert!(matches!(
            STRETCH.is_kept(&node(11, 21)),
            Err(ChainError::Pruned {
                lowest: 11,
                wanted: 10
            })
        ));
    }

    #[test]
    fn what_a_node_does_not_say_proves_nothing() {
        let silent = proto::GetServiceInfoResponse::default();
        assert!(STRETCH.is_reached(&silent).is_err());
        assert!(STRETCH.is_kept(&silent).is_err());
        assert!(!STRETCH.is_reached_by_answer(&MetadataMap::new()));
        assert_eq!(Stretch::before(&proto::Epoch::default()), None);
    }

    #[test]
    fn headers_are_believed_some_checkpoints_later() {
        let told = |height: u64| {
            let mut headers = MetadataMap::new();
            let height = height.to_string().parse().unwrap();
            headers.insert("x-sui-checkpoint-height", height);
            headers
        };
        assert!(!STRETCH.is_reached_by_answer(&told(20)));
        assert!(!STRETCH.is_reached_by_answer(&told(19 + HEADERS_AHEAD)));
        assert!(STRETCH.is_reached_by_answer(&told(20 + HEADERS_AHEAD)));
    }

    #[test]
    fn what_precedes_an_epoch_ends_before_its_first_checkpoint() {
        let epoch = proto::Epoch::default().with_first_checkpoint(21);
        assert_eq!(Stretch::before(&epoch).map(|past| past.last), Some(20));
    }

    #[test]
    fn history_that_is_gone_is_told() {
        assert!(reaches_back(&node(5, 9), 5).is_ok());
        assert!(matches!(
            reaches_back(&node(5, 9), 4),
            Err(ChainError::Pruned {
                lowest: 5,
                wanted: 4
            })
        ));
        assert!(reaches_back(&proto::GetServiceInfoResponse::default(), 0).is_ok());
    }
}
