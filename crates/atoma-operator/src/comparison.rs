//! The Sui node's newest checkpoint compared with the mirror and with this machine's clock.

use std::time::Duration;

use atoma_domain::{CheckpointNumber, TimestampMs};

/// The difference between the newest checkpoint and this machine's clock that is worth a warning.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// How many checkpoints the mirror may be ahead of a node. Several nodes behind one address are not level.
const MIRROR_AHEAD: u64 = 100;

/// What looks wrong about a node with this newest checkpoint, or about this machine's clock, one sentence each.
pub(crate) fn warnings(
    height: CheckpointNumber,
    height_at: TimestampMs,
    covered: Option<CheckpointNumber>,
    now: TimestampMs,
) -> Vec<String> {
    let mut found = Vec::new();
    let tolerance_ms = u64::try_from(CLOCK_TOLERANCE.as_millis()).unwrap_or(u64::MAX);
    let behind_ms = height_at.get().saturating_sub(now.get());
    if behind_ms > tolerance_ms {
        found.push(format!(
            "this machine's clock is {} s behind the ledger, so reservations and the cap on gas are timed wrongly: set \
             it, best by NTP",
            behind_ms / 1_000
        ));
    }
    if let Some(covered) = covered
        && is_ahead(covered, height)
    {
        found.push(format!(
            "the Sui node is at checkpoint {height}, behind the mirror at {covered}: it shows an older state until it \
             has caught up"
        ));
    }
    found
}

/// Whether the mirror is further ahead of a node than nodes behind one address are of each other.
pub fn is_ahead(covered: CheckpointNumber, height: CheckpointNumber) -> bool {
    covered.get() > height.get().saturating_add(MIRROR_AHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(height: u64, height_at: u64, covered: Option<u64>, now: u64) -> Vec<String> {
        let covered = covered.map(CheckpointNumber::new);
        let (at, now) = (TimestampMs::new(height_at), TimestampMs::new(now));
        warnings(CheckpointNumber::new(height), at, covered, now)
    }

    #[test]
    fn a_clock_that_is_behind_is_told_and_one_that_is_ahead_is_not() {
        assert_eq!(found(5, 60_000, None, 0), [""; 0]);
        // The ledger may stand still for a while, so nothing shows that a clock is ahead.
        assert_eq!(found(5, 0, None, u64::MAX), [""; 0]);
        let told = found(5, 90_500, None, 0);
        assert!(told[0].contains("90 s behind"), "{told:?}");
        assert_eq!(told.len(), 1);
        assert_eq!(found(5, u64::MAX, None, 0).len(), 1);
    }

    #[test]
    fn a_node_that_is_behind_the_mirror_is_told() {
        assert_eq!(found(5, 0, Some(105), 0), [""; 0]);
        let told = found(5, 0, Some(106), 0);
        assert!(
            told[0].contains("at checkpoint 5, behind the mirror at 106"),
            "{told:?}"
        );
        assert_eq!(found(u64::MAX, 0, Some(u64::MAX), 0), [""; 0]);
    }
}
