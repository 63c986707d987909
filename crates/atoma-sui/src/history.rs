//! What a node's history is good for.

use atoma_domain::ports::ChainError;
use sui_rpc::proto::sui::rpc::v2 as proto;

use crate::outcome::lacks;

/// Whether the node has everything that was executed in an epoch. A digest that is absent from it
/// proves something only then: the epoch's last checkpoint must be there, and none of its
/// checkpoints thrown away.
///
/// # Errors
/// [`ChainError::Pruned`] when some were.
pub(crate) fn covers(
    epoch: &proto::Epoch,
    info: &proto::GetServiceInfoResponse,
) -> Result<bool, ChainError> {
    let Some(last) = epoch.last_checkpoint else {
        return Ok(false);
    };
    let height = info
        .checkpoint_height
        .ok_or(lacks("the checkpoint height"))?;
    if height < last {
        return Ok(false);
    }
    let first = epoch
        .first_checkpoint
        .ok_or(lacks("epoch.first_checkpoint"))?;
    reaches_back(info, first)?;
    Ok(true)
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
    use super::*;

    fn node(lowest: u64, height: u64) -> proto::GetServiceInfoResponse {
        proto::GetServiceInfoResponse::default()
            .with_lowest_available_checkpoint(lowest)
            .with_checkpoint_height(height)
    }

    #[test]
    fn an_epoch_is_covered_from_its_first_to_its_last_checkpoint() {
        let running = proto::Epoch::default().with_first_checkpoint(10);
        assert!(!covers(&running, &node(0, 99)).unwrap());
        let over = running.with_last_checkpoint(20);
        assert!(!covers(&over, &node(0, 19)).unwrap());
        assert!(covers(&over, &node(0, 20)).unwrap());
        assert!(covers(&over, &node(10, 21)).unwrap());
        assert!(matches!(
            covers(&over, &node(11, 21)),
            Err(ChainError::Pruned {
                lowest: 11,
                wanted: 10
            })
        ));
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
