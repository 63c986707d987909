//! The outcome of a request over several stacks.

use std::collections::BTreeSet;
use std::mem::discriminant;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, HttpResponseBuilder};
use atoma_api_types::{BatchView, ClaimView, DryRun, StackResultStatus, StackResultView};
use atoma_domain::Digest;
use atoma_domain::journal::Failure;
use atoma_operator::{StackResult, StackStatus, Unsuccessful};

use crate::caller::{ErrorCode, Transactions};
use crate::error::{error_body, overall_status, retry_after, unsuccessful_body};

/// The outcome for one stack and one node.
fn stack_result_view(result: StackResult) -> StackResultView {
    StackResultView {
        stack_small_id: result.stack_small_id,
        node_small_id: result.node_small_id,
        status: match result.status {
            StackStatus::Succeeded => StackResultStatus::Succeeded,
            StackStatus::Failed => StackResultStatus::Failed,
            StackStatus::Pending => StackResultStatus::Pending,
        },
        tx_digest: result.tx_digest,
        transaction_id: result.transaction_id,
        estimated_gas: result.estimated_gas,
        error: result.failure.as_ref().map(error_body),
        warnings: result.warnings,
    }
}

/// `tx_digests` has one digest for each success.
pub(crate) fn batch_view(results: Vec<StackResult>, is_dry_run: bool) -> BatchView {
    let error = overall_failure(&results).map(|failure| unsuccessful_body(&failure).into());
    let tx_digests = successes(&results).collect();
    BatchView {
        error: error.unwrap_or_default(),
        dry_run: DryRun::mark(is_dry_run),
        tx_digests,
        results: results.into_iter().map(stack_result_view).collect(),
    }
}

/// The outcome of a claim. Stacks share transactions, so each digest is listed once.
pub(crate) fn claim_view(results: Vec<StackResult>, is_dry_run: bool) -> ClaimView {
    let mut batch = batch_view(results, is_dry_run);
    let mut seen = BTreeSet::new();
    batch.tx_digests.retain(|digest| seen.insert(*digest));
    ClaimView {
        tx_digest: batch.tx_digests.first().copied(),
        batch,
    }
}

fn successes(results: &[StackResult]) -> impl Iterator<Item = Digest> {
    results
        .iter()
        .filter(|result| result.status == StackStatus::Succeeded)
        .filter_map(|result| result.tx_digest)
}

/// A response with the status and headers for these results.
pub(crate) fn batch_response(results: &[StackResult]) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(batch_status(results));
    let overall = overall_failure(results);
    let code = overall
        .as_ref()
        .map(|overall| unsuccessful_body(overall).code);
    let ids: BTreeSet<_> = results
        .iter()
        .filter_map(|result| result.transaction_id)
        .collect();
    {
        let mut extensions = response.extensions_mut();
        extensions.insert(Transactions(ids.iter().map(ToString::to_string).collect()));
        if let Some(code) = code {
            extensions.insert(ErrorCode(code));
        }
    }
    let failure = overall.map(|overall| overall.failure);
    if let Some(seconds) = failure.as_ref().and_then(retry_after) {
        response.insert_header((RETRY_AFTER, seconds));
    }
    response
}

/// 200 if all succeeded, 207 if some did or some are pending beside others, else the status of what
/// the whole request failed with.
fn batch_status(results: &[StackResult]) -> StatusCode {
    let count = |wanted| results.iter().filter(|r| r.status == wanted).count();
    let (succeeded, pending) = (count(StackStatus::Succeeded), count(StackStatus::Pending));
    if succeeded == results.len() {
        StatusCode::OK
    } else if succeeded > 0 || (pending > 0 && pending < results.len()) {
        StatusCode::MULTI_STATUS
    } else {
        overall_failure(results).map_or(StatusCode::INTERNAL_SERVER_ERROR, |overall| {
            overall_status(&overall)
        })
    }
}

/// Why the whole request failed; `None` unless all results are pending, or all failed.
fn overall_failure(results: &[StackResult]) -> Option<Unsuccessful> {
    let all = |wanted| results.iter().all(|result| result.status == wanted);
    if all(StackStatus::Pending) {
        let first = results.first()?;
        let transaction_id = first.transaction_id?;
        let tx_digest = first.tx_digest;
        return Some(Unsuccessful {
            failure: common_reason(results).unwrap_or(Failure::OutcomeUnknown {
                transaction_id,
                tx_digest,
            }),
            // What to poll, whatever the reason.
            transaction_id: Some(transaction_id),
            tx_digest,
            is_pending: true,
        });
    }
    if all(StackStatus::Failed) {
        let failure = results.iter().find_map(|result| result.failure.clone());
        return failure.map(Unsuccessful::from);
    }
    None
}

/// Why all of these are waiting, if all have the same reason.
fn common_reason(results: &[StackResult]) -> Option<Failure> {
    let (first, others) = results.split_first()?;
    let reason = first.failure.as_ref()?;
    let is_same = |result: &StackResult| {
        let failure = result.failure.as_ref();
        failure.is_some_and(|other| discriminant(other) == discriminant(reason))
    };
    others.iter().all(is_same).then(|| reason.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_domain::{IntentId, StackSmallId};

    fn result(status: StackStatus) -> StackResult {
        StackResult {
            stack_small_id: StackSmallId::new(1),
            node_small_id: None,
            status,
            tx_digest: (status != StackStatus::Failed).then(|| Digest::new([1; 32])),
            transaction_id: Some(IntentId::new(1)),
            estimated_gas: None,
            failure: (status == StackStatus::Failed).then(|| Failure::AlreadySettling {
                stack_small_id: StackSmallId::new(1),
            }),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn the_status_tells_all_some_or_none() {
        use StackStatus::{Failed, Pending, Succeeded};
        let status = |statuses: &[StackStatus]| {
            let results: Vec<_> = statuses.iter().copied().map(result).collect();
            batch_status(&results).as_u16()
        };
        assert_eq!(status(&[Succeeded, Succeeded]), 200);
        assert_eq!(status(&[Succeeded, Failed]), 207);
        assert_eq!(status(&[Succeeded, Pending]), 207);
        assert_eq!(status(&[Pending, Failed]), 207);
        assert_eq!(status(&[Failed, Failed]), 409);
        assert_eq!(status(&[Pending, Pending]), 504);
        let held = StackResult {
            failure: Some(Failure::TreasuryShort {}),
            ..result(Pending)
        };
        assert_eq!(batch_status(&[held.clone(), held.clone()]).as_u16(), 422);
        // One of them is still running, without a reason to wait.
        assert_eq!(batch_status(&[result(Pending), held.clone()]).as_u16(), 504);
        assert_eq!(batch_status(&[held.clone(), result(Pending)]).as_u16(), 504);
        let otherwise = StackResult {
            failure: Some(Failure::QueueFull {
                node_small_id: None,
            }),
            ..result(Pending)
        };
        assert_eq!(batch_status(&[held, otherwise]).as_u16(), 504);
    }

    #[test]
    fn pending_results_name_the_transaction_to_poll() {
        let held = StackResult {
            failure: Some(Failure::TreasuryShort {}),
            ..result(StackStatus::Pending)
        };
        for results in [vec![held.clone()], vec![held, result(StackStatus::Pending)]] {
            let view = serde_json::to_value(batch_view(results, false)).unwrap();
            assert_eq!(view["details"]["transaction_id"], 1);
            assert_eq!(
                view["details"]["tx_digest"],
                Digest::new([1; 32]).to_string()
            );
        }
    }

    #[test]
    fn a_claim_lists_each_digest_once() {
        let results = vec![
            result(StackStatus::Succeeded),
            result(StackStatus::Succeeded),
        ];
        let view = serde_json::to_value(claim_view(results, false)).unwrap();
        assert_eq!(view["tx_digests"].as_array().unwrap().len(), 1);
        assert_eq!(view["tx_digest"], view["tx_digests"][0]);
        assert_eq!(view["results"].as_array().unwrap().len(), 2);
        assert!(view.get("error").is_none());
    }
}
