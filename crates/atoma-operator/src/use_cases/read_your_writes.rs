//! Answering only once the mirror shows what a request did, so that clients read their own writes.

use std::time::Duration;

use atoma_domain::Digest;

use super::operator::Operator;

/// The longest that an answer waits for the mirror.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl Operator {
    /// Waits until the mirror has applied these transactions, for [`LONGEST_WAIT`] in total. Stops
    /// waiting when the daemon stops, because the mirror then stops too.
    pub(super) async fn wait_until_mirrored(&self, digests: impl Iterator<Item = Digest>) {
        let all = async {
            for digest in digests {
                if !self.is_mirrored(digest).await {
                    self.applied.wait_for(digest, LONGEST_WAIT).await;
                }
            }
        };
        // Running out of time is no failure: the answer is right, only the mirror lags.
        tokio::select! {
            biased;
            () = all => {}
            () = tokio::time::sleep(LONGEST_WAIT) => {}
            () = self.engine.stop_requested() => {}
        }
    }

    /// Whether the mirror has applied a transaction, in this process or before; false if the database
    /// can't be read.
    pub(super) async fn is_mirrored(&self, digest: Digest) -> bool {
        self.applied.has(digest) || matches!(self.ports.events.has_applied(digest).await, Ok(true))
    }
}
