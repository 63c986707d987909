//! What transactions cost, what the contract charges, and the shares that it owes: read now and then, since none changes often.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::autopilot::GasEstimates;
use atoma_domain::journal::{AttemptStatus, Failure, IntentStatus};
use atoma_domain::ports::{Chain, EpochInfo, Journal, JournalFilter, Page, ViewQuery};
use atoma_domain::{Digest, Epoch, IntentId, MicroUsdc, Mist, NodeSmallId, Permille};

use crate::causes::{chain_failure, internal};

/// How old an estimate may be. In a new epoch everything is read anew: others claim then what the nodes attested.
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
pub(super) struct Estimates(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    /// By the time that the process has seen pass.
    at: Duration,
    epoch: Epoch,
    prices: Prices,
}

/// What transactions cost, the contract's charge for sampling consensus, and what it owes the operator's nodes.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    pub(super) gas: GasEstimates,
    pub(super) charge: Permille,
    pub(super) shares: BTreeMap<NodeSmallId, MicroUsdc>,
}

impl Estimates {
    /// The prices, from the last time or read now. `now` is the time that the process has seen pass.
    pub(super) async fn prices(
        &self,
        chain: &dyn Chain,
        journal: &dyn Journal,
        nodes: &[NodeSmallId],
        info: &EpochInfo,
        now: Duration,
    ) -> Result<Prices, Failure> {
        if let Some(known) = self.latest().as_ref()
            && now.saturating_sub(known.at) < LONGEST_USE
            && known.epoch >= info.epoch
        {
            return Ok(known.prices.clone());
        }
        let query = ViewQuery {
            shares: nodes.to_vec(),
            ..ViewQuery::default()
        };
        let view = chain.view(&query).await;
        let view = view.map_err(|error| chain_failure(&error))?;
        let prices = Prices {
            gas: estimate(journal, info.reference_gas_price).await?,
            charge: view.parameters.sampling_consensus_charge,
            shares: view.shares,
        };
        *self.latest() = Some(Known {
            at: now,
            epoch: info.epoch,
            prices: prices.clone(),
        });
        Ok(prices)
    }

    /// Lets everything be read anew: a claim has paid shares and credited others.
    pub(super) fn forget(&self) {
        *self.latest() = None;
    }

    fn latest(&self) -> MutexGuard<'_, Option<Known>> {
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
