//! The outcome of a request for one transaction.

use atoma_api_types::{DigestView, DryRun, RegisteredView, SubscribedView};
use atoma_domain::Digest;
use atoma_operator::{Completed, Registered};

fn executed(tx_digest: Digest) -> DigestView {
    DigestView {
        tx_digest: Some(tx_digest),
        dry_run: DryRun::mark(false),
    }
}

/// A transaction's digest, or the estimated gas of a dry run.
pub(crate) fn digest_view(done: Completed) -> DigestView {
    match done {
        Completed::Executed { tx_digest, .. } => executed(tx_digest),
        Completed::Rehearsed { estimated_gas } => DigestView {
            tx_digest: None,
            dry_run: DryRun::with_gas(estimated_gas),
        },
    }
}

/// A subscription that was made or changed.
pub(crate) fn subscribed_view(done: Completed, warnings: Vec<String>) -> SubscribedView {
    SubscribedView {
        done: digest_view(done),
        warnings,
    }
}

/// A registered node.
pub(crate) fn registered_view(node: Registered) -> RegisteredView {
    match node {
        Registered::Executed {
            tx_digest,
            node_small_id,
            node_badge_id,
        } => RegisteredView {
            done: executed(tx_digest),
            node_small_id: Some(node_small_id),
            node_badge_id: Some(node_badge_id),
        },
        Registered::Rehearsed { estimated_gas } => RegisteredView {
            done: digest_view(Completed::Rehearsed { estimated_gas }),
            node_small_id: None,
            node_badge_id: None,
        },
    }
}
