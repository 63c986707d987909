//! Requests over several stacks. Each stack succeeds or fails independently of the others, and the
//! answer has a result for each.

use std::collections::BTreeSet;

use atoma_domain::journal::{Failure, NewIntent, PlannedEntry, RequestEntry};
use atoma_domain::{Digest, IntentId};

use super::attest::raised_dispute;
use super::candidate::{Candidate, plan_repeated};
use super::operator::Operator;
use super::request::no_answer;
use super::stack_result::{StackResult, StackStatus};
use crate::engine::Submission;

/// A submitted part of a request.
#[derive(Debug)]
struct Part {
    /// Its result, to be filled in.
    result: StackResult,
    submission: Submission,
}

impl Operator {
    /// Submits every candidate that can be, waits, and returns the results in order. `candidates`
    /// checks the request and builds them. It does not run if the same request was sent before and all
    /// its parts have a permanent outcome.
    pub(super) async fn run_batch(
        &self,
        candidates: impl Future<Output = Result<Vec<Candidate>, Failure>>,
    ) -> Result<Vec<StackResult>, Failure> {
        let candidates = async {
            self.check_start().await?;
            candidates.await
        };
        if self.is_dry_run {
            return Ok(self.rehearse_batch(candidates.await?).await);
        }
        let known = self.recall_entries().await?;
        let parts = match known {
            Some(known) if !known.iter().any(RequestEntry::can_be_begun) => Part::recalled(known),
            Some(known) => match candidates.await {
                Ok(candidates) => self.submit_batch(candidates, Some(known)).await?,
                // The parts that were accepted before still have an outcome to report.
                Err(_) => Part::recalled(known),
            },
            None => self.submit_batch(candidates.await?, None).await?,
        };
        Ok(self.results_of(parts).await)
    }

    /// Submits every candidate that can be. Of a request with `known` entries, only the parts that
    /// were refused for a transient reason are submitted.
    async fn submit_batch(
        &self,
        mut candidates: Vec<Candidate>,
        known: Option<Vec<RequestEntry>>,
    ) -> Result<Vec<Part>, Failure> {
        let planned: Vec<_> = match &known {
            Some(known) => known
                .iter()
                .map(|entry| plan_repeated(entry, &mut candidates))
                .collect(),
            None => candidates.into_iter().map(Candidate::plan).collect(),
        };
        let (entries, intents): (Vec<PlannedEntry>, Vec<Option<NewIntent>>) =
            planned.into_iter().unzip();
        let intents = intents.into_iter().flatten().collect();
        let Some(submitted) = self.submit(intents, known, entries.clone()).await? else {
            // The same request was submitted a moment ago.
            let known = self.recall_entries().await?;
            return known.map(Part::recalled).ok_or_else(no_answer);
        };
        let mut submitted = submitted.into_iter();
        let parts = entries.into_iter().filter_map(|entry| {
            let stack = entry.stack_small_id?;
            let result = StackResult::unstarted(stack, entry.node_small_id, entry.warnings);
            let known = entry.outcome.map(Submission::from);
            let submission = known.or_else(|| submitted.next())?;
            Some(Part { result, submission })
        });
        Ok(parts.collect())
    }

    /// Waits for the accepted parts and for the mirror to show them, and returns all results in order.
    async fn results_of(&self, parts: Vec<Part>) -> Vec<StackResult> {
        let ids: Vec<IntentId> = parts
            .iter()
            .filter_map(|part| match &part.submission {
                Submission::Accepted(id) => Some(*id),
                Submission::Refused(_) => None,
            })
            .collect();
        let waited = self.engine.wait(&ids, self.request_timeout).await;
        let mut waited = waited.into_iter();
        let mut results = Vec::with_capacity(parts.len());
        for Part {
            mut result,
            submission,
        } in parts
        {
            match submission {
                Submission::Accepted(id) => {
                    result.transaction_id = Some(id);
                    result.status = StackStatus::Pending;
                    if let Some(waited) = waited.next() {
                        result.tx_digest = waited.tx_digest;
                        result.failure = waited.failure;
                        result.status = waited.status.into();
                    }
                }
                Submission::Refused(failure) => result.failure = Some(failure),
            }
            results.push(result);
        }
        let executed: BTreeSet<Digest> = results
            .iter()
            .filter(|result| result.status == StackStatus::Succeeded)
            .filter_map(|result| result.tx_digest)
            .collect();
        self.wait_until_mirrored(executed.into_iter()).await;
        results
    }

    /// Rehearses every candidate that can be, and returns the results in order.
    async fn rehearse_batch(&self, candidates: Vec<Candidate>) -> Vec<StackResult> {
        let mut parts = Vec::with_capacity(candidates.len());
        let mut intents = Vec::new();
        for candidate in candidates {
            let result = StackResult::unstarted(
                candidate.stack_small_id,
                candidate.node_small_id,
                candidate.warnings,
            );
            let refused = candidate.intent.map(|intent| intents.push(intent)).err();
            parts.push((result, refused));
        }
        let rehearsed = self.engine.rehearse(intents, self.request_timeout).await;
        let mut rehearsed = rehearsed.into_iter();
        let results = parts.into_iter().map(|(mut result, refused)| {
            let outcome = match refused {
                Some(failure) => Err(failure),
                None => rehearsed.next().unwrap_or_else(|| Err(no_answer())),
            };
            match outcome {
                Ok(rehearsal) => {
                    result.status = StackStatus::Succeeded;
                    result.estimated_gas = Some(rehearsal.gas_needed);
                    if rehearsal.raises_dispute {
                        let warning = raised_dispute(result.stack_small_id);
                        // The mirror may have told it already.
                        if !result.warnings.contains(&warning) {
                            result.warnings.push(warning);
                        }
                    }
                }
                Err(failure) => result.failure = Some(failure),
            }
            result
        });
        results.collect()
    }
}

impl Part {
    /// The parts of an earlier request.
    fn recalled(entries: Vec<RequestEntry>) -> Vec<Self> {
        let parts = entries.into_iter().filter_map(|entry| {
            let stack = entry.stack_small_id?;
            Some(Self {
                result: StackResult::unstarted(stack, entry.node_small_id, entry.warnings),
                submission: entry.outcome.into(),
            })
        });
        parts.collect()
    }
}
