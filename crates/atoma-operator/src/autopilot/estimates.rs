//! What transactions cost, and what the contract charges: read now and then, since neither changes often.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::autopilot::GasEstimates;
use atoma_domain::journal::{AttemptStatus, Failure, IntentStatus};
use atoma_domain::ports::{Chain, Journal, JournalFilter, Page, ViewQuery};
use atoma_domain::{Digest, IntentId, Mist, Permille};

use crate::causes::{chain_failure, internal};

/// How old an estimate may be.
const LONGEST_USE: Duration = Duration::from_secs(600);
/// How many of the latest intents of a kind are looked at.
const LATEST: u32 = 20;
/// What a settlement costs before one was made: about what one costs on Sui's public networks.
const SETTLEMENT: Mist = Mist::new(10_000_000);
/// What claiming a stack costs before one was claimed.
const CLAIMED_STACK: Mist = Mist::new(3_000_000);
/// The gas units of a transaction that does almost nothing: the first computation bucket.
const SMALLEST_UNITS: u64 = 1_000;

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct Estimates(Mutex<Option<(Duration, Prices)>>);

/// What transactions cost, and the contract's charge for sampling consensus.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prices {
    pub(super) gas: GasEstimates,
    pub(super) charge: Permille,
}

impl Estimates {
    /// The prices, from the last time or read now. `now` is the time that the process has seen pass.
    pub(super) async fn prices(
        &self,
        chain: &dyn Chain,
        journal: &dyn Journal,
        reference_gas_price: Mist,
        now: Duration,
    ) -> Result<Prices, Failure> {
        let known = *self.latest();
        if let Some((at, prices)) = known
            && now.saturating_sub(at) < LONGEST_USE
        {
            return Ok(prices);
        }
        let view = chain.view(&ViewQuery::default()).await;
        let parameters = view.map_err(|error| chain_failure(&error))?.parameters;
        let prices = Prices {
            gas: estimate(journal, reference_gas_price).await?,
            charge: parameters.sampling_consensus_charge,
        };
        *self.latest() = Some((now, prices));
        Ok(prices)
    }

    fn latest(&self) -> MutexGuard<'_, Option<(Duration, Prices)>> {
        // It is assigned at once.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn estimate(journal: &dyn Journal, price: Mist) -> Result<GasEstimates, Failure> {
    let settled = paid(journal, &["settle_stack"]).await?;
    let claimed = paid(journal, &["claim_stack", "claim_confidential_stack"]).await?;
    let claim_transaction = price.get().saturating_mul(SMALLEST_UNITS);
    let claims = claimed
        .gas
        .saturating_sub(claim_transaction.saturating_mul(claimed.transactions));
    Ok(GasEstimates {
        settle: settled
            .gas
            .checked_div(settled.stacks)
            .map_or(SETTLEMENT, Mist::new),
        claim_transaction: Mist::new(claim_transaction),
        claim_stack: claims
            .checked_div(claimed.stacks)
            .map_or(CLAIMED_STACK, Mist::new),
    })
}

/// What the latest transactions of some kinds have cost.
#[derive(Default)]
struct Paid {
    gas: u64,
    transactions: u64,
    stacks: u64,
}

async fn paid(journal: &dyn Journal, kinds: &[&'static str]) -> Result<Paid, Failure> {
    let mut by_digest: BTreeMap<Digest, IntentId> = BTreeMap::new();
    for kind in kinds {
        let filter = JournalFilter {
            kind: Some(kind),
            status: Some(IntentStatus::Succeeded),
            ..JournalFilter::default()
        };
        let latest = journal.list(&filter, Page::first(LATEST)).await;
        for record in latest.map_err(internal)? {
            if let Some(digest) = record.tx_digest {
                by_digest.insert(digest, record.intent.id);
            }
        }
    }
    let mut paid = Paid::default();
    for (digest, intent) in by_digest {
        let attempts = journal.attempts_of(intent).await.map_err(internal)?;
        let succeeded = attempts
            .into_iter()
            .find(|attempt| attempt.digest == digest && attempt.status == AttemptStatus::Succeeded);
        if let Some(attempt) = succeeded
            && let Some(gas) = attempt.gas_used
        {
            paid.gas = paid.gas.saturating_add(gas.get());
            paid.transactions += 1;
            paid.stacks = paid
                .stacks
                .saturating_add(u64::try_from(attempt.intents.len()).unwrap_or(1));
        }
    }
    Ok(paid)
}
