//! The outcome of a request for one transaction.

use actix_web::{HttpResponse, HttpResponseBuilder};
use atoma_api_types::{DigestView, DisputedView, DryRun, RegisteredView, SubscribedView};
use atoma_domain::Digest;
use atoma_operator::{Completed, Registered};

use crate::caller::Transactions;

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

/// A successful response, which names its transaction to the audit log.
pub(crate) fn done_response(done: &Completed) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    if let Completed::Executed { transaction_id, .. } = done {
        let transactions = Transactions(vec![transaction_id.to_string()]);
        response.extensions_mut().insert(transactions);
    }
    response
}

/// The same for a registration.
pub(crate) fn registered_response(node: &Registered) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    if let Registered::Executed { tx_digest, .. } = node {
        let transactions = Transactions(vec![tx_digest.to_string()]);
        response.extensions_mut().insert(transactions);
    }
    response
}

/// A subscription that was made or changed.
pub(crate) fn subscribed_view(done: Completed, warnings: Vec<String>) -> SubscribedView {
    SubscribedView {
        done: digest_view(done),
        warnings,
    }
}

/// A dispute that was raised.
pub(crate) fn disputed_view(done: Completed, warnings: Vec<String>) -> DisputedView {
    DisputedView {
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
