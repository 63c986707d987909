//! Which checkpoints a node has executed and still keeps.

use atoma_domain::ports::ChainError;
use sui_rpc::client::ResponseExt;
use sui_rpc::proto::sui::rpc::v2 as proto;

use crate::response::malformed;

/// A node adds its height to the response headers after it has computed the response, so headers
/// can be ahead of the data. A checkpoint counts as executed only once the height in the headers
/// is this many checkpoints beyond it, a few seconds.
const HEADER_MARGIN: u64 = 16;

/// The range of checkpoints that a ledger must contain for an absence to prove anything. Both ends
/// are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CheckpointRange {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl CheckpointRange {
    /// All checkpoints before an epoch; `None` when the epoch's first checkpoint is unknown.
    pub(crate) fn preceding(epoch: &proto::Epoch) -> Option<Self> {
        let last = epoch.first_checkpoint?.saturating_sub(1);
        Some(Self { first: 0, last })
    }

    /// Whether the node has executed the whole range, according to its service info.
    ///
    /// # Errors
    /// [`ChainError::Malformed`] when the service info has no height.
    pub(crate) fn is_executed_by(
        self,
        info: &proto::GetServiceInfoResponse,
    ) -> Result<bool, ChainError> {
        let height = info
            .checkpoint_height
            .ok_or(malformed("the checkpoint height"))?;
        Ok(height >= self.last)
    }

    /// Whether the responding node had executed the whole range, according to its response
    /// headers; false without headers.
    pub(crate) fn is_executed_by_headers(self, headers: &impl ResponseExt) -> bool {
        headers
            .checkpoint_height()
            .is_some_and(|height| height >= self.last.saturating_add(HEADER_MARGIN))
    }

    /// Checks that the node has pruned nothing of the range, according to its service info.
    ///
    /// # Errors
    /// [`ChainError::Pruned`] when it has; [`ChainError::Malformed`] when the service info has no
    /// lowest available checkpoint.
    pub(crate) fn check_available_at(
        self,
        info: &proto::GetServiceInfoResponse,
    ) -> Result<(), ChainError> {
        let lowest = info.lowest_available_checkpoint;
        self.check_available_from(lowest.ok_or(malformed("the lowest available checkpoint"))?)
    }

    /// Checks that the range starts no lower than the lowest available checkpoint.
    ///
    /// # Errors
    /// [`ChainError::Pruned`] when it does.
    pub(crate) const fn check_available_from(self, lowest: u64) -> Result<(), ChainError> {
        if lowest > self.first {
            return Err(ChainError::Pruned {
                lowest,
                wanted: self.first,
            });
        }
        Ok(())
    }
}

/// Checks that the node still has the ledger from a checkpoint on. A node that doesn't report its
/// lowest available checkpoint is taken to have it all.
///
/// # Errors
/// [`ChainError::Pruned`] when the node has pruned that checkpoint.
pub(crate) fn check_history(
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

    const RANGE: CheckpointRange = CheckpointRange {
        first: 10,
        last: 20,
    };

    fn node(lowest: u64, height: u64) -> proto::GetServiceInfoResponse {
        proto::GetServiceInfoResponse::default()
            .with_lowest_available_checkpoint(lowest)
            .with_checkpoint_height(height)
    }

    #[test]
    fn a_range_is_covered_from_its_first_to_its_last_checkpoint() {
        assert!(!RANGE.is_executed_by(&node(0, 19)).unwrap());
        assert!(RANGE.is_executed_by(&node(0, 20)).unwrap());
        assert!(RANGE.check_available_at(&node(10, 21)).is_ok());
        assert!(matches!(
            RANGE.check_available_at(&node(11, 21)),
            Err(ChainError::Pruned {
                lowest: 11,
                wanted: 10
            })
        ));
    }

    #[test]
    fn missing_information_proves_nothing() {
        let empty = proto::GetServiceInfoResponse::default();
        assert!(RANGE.is_executed_by(&empty).is_err());
        assert!(RANGE.check_available_at(&empty).is_err());
        assert!(!RANGE.is_executed_by_headers(&MetadataMap::new()));
        assert_eq!(CheckpointRange::preceding(&proto::Epoch::default()), None);
    }

    #[test]
    fn a_height_in_headers_counts_some_checkpoints_later() {
        let headers = |height: u64| {
            let mut headers = MetadataMap::new();
            let height = height.to_string().parse().unwrap();
            headers.insert("x-sui-checkpoint-height", height);
            headers
        };
        assert!(!RANGE.is_executed_by_headers(&headers(20)));
        assert!(!RANGE.is_executed_by_headers(&headers(19 + HEADER_MARGIN)));
        assert!(RANGE.is_executed_by_headers(&headers(20 + HEADER_MARGIN)));
    }

    #[test]
    fn the_range_before_an_epoch_ends_before_its_first_checkpoint() {
        let epoch = proto::Epoch::default().with_first_checkpoint(21);
        let past = CheckpointRange::preceding(&epoch);
        assert_eq!(past.map(|past| past.last), Some(20));
    }

    #[test]
    fn pruned_history_is_an_error() {
        assert!(check_history(&node(5, 9), 5).is_ok());
        assert!(matches!(
            check_history(&node(5, 9), 4),
            Err(ChainError::Pruned {
                lowest: 5,
                wanted: 4
            })
        ));
        assert!(check_history(&proto::GetServiceInfoResponse::default(), 0).is_ok());
    }
}
