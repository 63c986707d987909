//! The answers to requests for transactions, for people.

use std::fmt::Write as _;

use atoma_api_types::{
    BatchView, ClaimView, DigestView, DisputedView, RegisteredView, StackResultStatus,
    StackResultView, SubscribedView,
};
use atoma_domain::Mist;

use super::advice::told;
use super::spend::Outcome;
use super::table::{optional, plain, table};
use crate::exit::OutcomeError;
use crate::output::{DOUBTFUL, painted};

impl Outcome for BatchView {
    fn estimated_gas(&self) -> Option<Mist> {
        let mut known = self
            .results
            .iter()
            .filter_map(|result| result.estimated_gas);
        let first = known.next()?;
        Some(known.fold(first, Mist::saturating_add))
    }

    fn text(&self) -> String {
        let is_dry_run = self.dry_run.dry_run == Some(true);
        let rows = self.results.iter().map(|result| {
            [
                result.stack_small_id.to_string(),
                optional(result.node_small_id),
                status(result, is_dry_run).to_owned(),
                optional(result.transaction_id),
                optional(result.tx_digest),
            ]
        });
        let mut text = table(["STACK", "NODE", "RESULT", "TRANSACTION", "DIGEST"], rows);
        for result in &self.results {
            let error = result.error.iter().map(told);
            let warnings = result.warnings.iter().map(|warning| plain(warning));
            for sentence in error.chain(warnings) {
                let _ = writeln!(text, "{}", about(result, &sentence));
            }
        }
        text
    }

    fn verdict(&self) -> Result<(), OutcomeError> {
        let all = self.results.len();
        let count = |status| self.results.iter().filter(|r| r.status == status).count();
        let (failed, pending) = (
            count(StackResultStatus::Failed),
            count(StackResultStatus::Pending),
        );
        if failed > 0 {
            return Err(OutcomeError::Failed(format!(
                "{failed} of {all} results failed"
            )));
        }
        if pending > 0 {
            return Err(OutcomeError::Pending(format!(
                "{pending} of {all} results are pending; follow them with `transactions watch`"
            )));
        }
        Ok(())
    }

    fn is_futile(&self) -> bool {
        self.results
            .iter()
            .all(|result| result.status == StackResultStatus::Failed)
    }
}

/// The sentence, with the stack unless it names it itself.
fn about(result: &StackResultView, sentence: &str) -> String {
    let stack = format!("Stack {}", result.stack_small_id);
    if sentence.starts_with(&format!("{stack} ")) {
        sentence.to_owned()
    } else {
        format!("{stack}: {sentence}")
    }
}

fn status(result: &StackResultView, is_dry_run: bool) -> &'static str {
    match (result.status, is_dry_run) {
        (StackResultStatus::Succeeded, false) => "succeeded",
        (StackResultStatus::Failed, false) => "failed",
        (StackResultStatus::Succeeded, true) => "would succeed",
        (StackResultStatus::Failed, true) => "would fail",
        (StackResultStatus::Pending, _) => "pending",
    }
}

impl Outcome for ClaimView {
    fn estimated_gas(&self) -> Option<Mist> {
        self.batch.estimated_gas()
    }

    fn text(&self) -> String {
        self.batch.text()
    }

    fn verdict(&self) -> Result<(), OutcomeError> {
        self.batch.verdict()
    }

    fn is_futile(&self) -> bool {
        self.batch.is_futile()
    }
}

impl Outcome for DigestView {
    fn estimated_gas(&self) -> Option<Mist> {
        self.dry_run.estimated_gas
    }

    fn text(&self) -> String {
        match &self.tx_digest {
            Some(digest) => format!("Succeeded: transaction {digest}\n"),
            None => "Would succeed.\n".to_owned(),
        }
    }
}

fn warned(done: &DigestView, warnings: &[String]) -> String {
    let warnings = warnings
        .iter()
        .map(|warning| format!("{} {}\n", painted(DOUBTFUL, "Warning:"), plain(warning)));
    done.text() + &warnings.collect::<String>()
}

impl Outcome for SubscribedView {
    fn estimated_gas(&self) -> Option<Mist> {
        self.done.estimated_gas()
    }

    fn text(&self) -> String {
        warned(&self.done, &self.warnings)
    }
}

impl Outcome for DisputedView {
    fn estimated_gas(&self) -> Option<Mist> {
        self.done.estimated_gas()
    }

    fn text(&self) -> String {
        warned(&self.done, &self.warnings)
    }
}

impl Outcome for RegisteredView {
    fn estimated_gas(&self) -> Option<Mist> {
        self.done.estimated_gas()
    }

    fn text(&self) -> String {
        let mut text = self.done.text();
        if let (Some(node), Some(badge)) = (self.node_small_id, self.node_badge_id) {
            text.push_str(&format!("Node {node}, badge {badge}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn batch(results: Value) -> BatchView {
        serde_json::from_value(json!({"tx_digests": [], "results": results})).unwrap()
    }

    fn result(stack: u64, status: &str, error: Value) -> Value {
        json!({"stack_small_id": stack, "node_small_id": 1, "status": status, "tx_digest": null,
               "transaction_id": null, "error": error, "warnings": []})
    }

    #[test]
    fn a_batch_has_a_row_for_each_result_and_tells_why_it_failed() {
        let refused = json!({"error": "Stack 14 is not known.", "code": "unknown_stack"});
        let busy = json!({"error": "The node is busy.", "code": "busy"});
        let batch = batch(json!([
            result(13, "succeeded", Value::Null),
            result(14, "failed", refused),
            result(15, "pending", busy),
        ]));
        let expected = "\
STACK  NODE  RESULT     TRANSACTION  DIGEST
13     1     succeeded  -            -
14     1     failed     -            -
15     1     pending    -            -
Stack 14 is not known.
Stack 15: The node is busy.
";
        assert_eq!(
            anstream::adapter::strip_str(&batch.text()).to_string(),
            expected
        );
        assert!(matches!(batch.verdict(), Err(OutcomeError::Failed(_))));
    }

    #[test]
    fn pending_is_not_failed() {
        let pending = batch(json!([
            result(13, "succeeded", Value::Null),
            result(14, "pending", Value::Null),
        ]));
        assert!(matches!(pending.verdict(), Err(OutcomeError::Pending(_))));
        let done = batch(json!([result(13, "succeeded", Value::Null)]));
        assert!(done.verdict().is_ok());
    }
}
