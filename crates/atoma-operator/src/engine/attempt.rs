//! One attempt: prepare, lease, build, sign, write down, send, conclude.

use std::sync::Arc;

use atoma_domain::Mist;
use atoma_domain::journal::{Action, Attempt, Failure, Intent};
use atoma_domain::ports::{ChainError, ContractView, StoreError, TransactionPlan};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::budget::CallClass;
use super::fate::{Sent, pursue};
use super::funding::class;
use super::gas::GasLease;
use super::lane::Lane;
use super::prepare::{self, Local};
use super::reads::ask;
use crate::causes::{chain_failure, with_causes};

/// What a try came to.
#[derive(Debug)]
pub(super) enum Step {
    /// Every intent is final.
    Finished,
    /// These are queued again and want another signature.
    Again(Vec<Intent>),
    /// Nothing was signed because the database can't be used; later.
    Wait(Vec<Intent>),
    /// One of these is bad: try halves.
    Split(Vec<Intent>),
    /// The daemon stops.
    Stopped,
}

/// A batch ready to be signed.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) intents: Vec<Intent>,
    pub(super) plan: TransactionPlan,
    pub(super) lease: GasLease,
    pub(super) funds: Funds,
}

/// What the conclusion must know of how an attempt was paid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Funds {
    /// Which learned budget was used.
    pub(super) class: CallClass,
    /// How much was split off the paying coin.
    pub(super) split: Mist,
}

impl Lane {
    /// Tries a batch once.
    pub(super) async fn attempt(&mut self, batch: Vec<Intent>) -> Step {
        let shared = Arc::clone(&self.shared);
        let prepared = tokio::select! {
            biased;
            prepared = self.prepare(batch) => prepared,
            // Nothing is signed yet: the journal keeps the intents queued.
            () = shared.grace() => return Step::Stopped,
        };
        let ready = match prepared {
            Ok(ready) => ready,
            Err(step) => return step,
        };
        let signed = match shared.ports.chain.build(&ready.plan) {
            Ok(unsigned) => shared
                .ports
                .signer
                .sign(unsigned)
                .await
                .map_err(|error| with_causes(&error)),
            Err(error) => Err(with_causes(&error)),
        };
        let transaction = match signed {
            Ok(transaction) => transaction,
            Err(reason) => {
                return self
                    .fail_all(&ready.intents, &Failure::Internal { reason })
                    .await;
            }
        };
        let attempt = Attempt {
            intents: ready.intents.iter().map(|intent| intent.id).collect(),
            transaction,
            expires_after: ready.plan.expires_after,
            badge: ready.plan.badge.clone(),
            gas: ready.plan.gas.clone(),
            gas_budget: ready.plan.gas_budget,
        };
        let now = shared.ports.clock.now();
        match shared
            .ports
            .journal
            .record_attempt(&attempt, None, now)
            .await
        {
            Ok(()) => {}
            Err(StoreError::Transition { .. }) => {
                drop(ready.lease);
                return self.journalled_already(ready.intents).await;
            }
            Err(error) => {
                error!(
                    error = with_causes(&error),
                    "the attempt can't be written down, so it is not sent"
                );
                return Step::Wait(ready.intents);
            }
        }
        self.look_ahead(&ready.intents);
        let sent_at = Instant::now();
        let fate = pursue(&self.shared, &attempt, Sent::Never).await;
        self.pace.execution = sent_at.elapsed();
        self.settle_fate(
            &attempt,
            ready.intents,
            fate,
            ready.lease,
            Some(&ready.funds),
        )
        .await
    }

    /// What to do when the journal takes no new attempt for these intents: either the answer to an
    /// earlier writing was lost, and there is an attempt of theirs to be pursued, or these very bytes
    /// were refused before and nothing has changed since.
    async fn journalled_already(&mut self, intents: Vec<Intent>) -> Step {
        let unfinished = match self.shared.ports.journal.unfinished().await {
            Ok(unfinished) => unfinished,
            Err(error) => {
                error!(error = with_causes(&error), "the journal can't be read");
                return Step::Wait(intents);
            }
        };
        let open = unfinished
            .into_iter()
            .filter(|open| intents.iter().any(|intent| intent.id == open.intent.id))
            .find_map(|open| open.attempt);
        if let Some(attempt) = open {
            self.resume(attempt, intents).await;
            return Step::Finished;
        }
        let reason = String::from("the network has refused the same transaction before");
        self.fail_all(&intents, &Failure::TransactionRefused { reason })
            .await
    }

    /// Takes up an attempt from before this process began.
    pub(super) async fn resume(&mut self, attempt: Attempt, intents: Vec<Intent>) {
        info!(digest = %attempt.digest(), "taking up an attempt whose fate is not known");
        let coins = attempt.gas.iter().map(|coin| *coin.object_id());
        let lease = self.shared.gas.lease_known(coins);
        let fate = pursue(&self.shared, &attempt, Sent::Maybe).await;
        match self.settle_fate(&attempt, intents, fate, lease, None).await {
            Step::Again(intents) | Step::Split(intents) | Step::Wait(intents) => {
                self.requeue(intents);
            }
            Step::Finished | Step::Stopped => {}
        }
    }

    async fn prepare(&mut self, batch: Vec<Intent>) -> Result<Ready, Step> {
        let (gathered, view) = match self.read_ahead(&batch).await {
            Some(read) => read,
            None => self.read(batch).await?,
        };
        self.adopt_badge(&view);
        let (mut intents, mut calls) = (Vec::new(), Vec::new());
        for (intent, local) in gathered {
            match prepare::call(&intent, &local, &view) {
                Ok(call) => {
                    calls.push(call);
                    intents.push(intent);
                }
                Err(failure) => self.fail(&intent, failure).await,
            }
        }
        let Some(first) = intents.first().cloned() else {
            return Err(Step::Finished);
        };
        if first.actor.badge().is_some() && self.badge.is_none() {
            return Err(self.fail_all(&intents, &Failure::NoNodeRegistered {}).await);
        }
        let class = class(&calls, &view);
        let plan = TransactionPlan {
            split: Vec::new(),
            sender: first.actor.address(),
            badge: first.actor.badge().and(self.badge.clone()),
            calls: prepare::merge(calls),
            gas: Vec::new(),
            gas_price: first.gas.price.unwrap_or(view.epoch.reference_gas_price),
            gas_budget: Mist::ZERO,
            expires_after: view.epoch.epoch,
        };
        self.fund(intents, first, plan, class).await
    }

    /// Reads what the batch depends on, from the database and from the chain.
    async fn read(
        &mut self,
        batch: Vec<Intent>,
    ) -> Result<(Vec<(Intent, Local)>, ContractView), Step> {
        let mut gathered = Vec::with_capacity(batch.len());
        for intent in &batch {
            match prepare::gather(&self.shared.ports, intent).await {
                Ok(local) => gathered.push((intent.clone(), local)),
                Err(error) => {
                    error!(
                        error = with_causes(&error),
                        "the state can't be read; trying again"
                    );
                    return Err(Step::Wait(batch));
                }
            }
        }
        let asked_at = Instant::now();
        let query = prepare::query(&gathered);
        let chain = &self.shared.ports.chain;
        match ask(&self.shared.config, || chain.view(&query)).await {
            Ok(view) => {
                self.pace.view = asked_at.elapsed();
                self.refuse_second_node(&batch).await?;
                Ok((gathered, view))
            }
            Err(error) => Err(self.fail_unanswered(&batch, &error).await),
        }
    }

    /// Refuses to register a node that must be the only one, if the address has one by now. Asked in
    /// the address's lane, where no other registration is under way.
    async fn refuse_second_node(&self, batch: &[Intent]) -> Result<(), Step> {
        let [intent] = batch else { return Ok(()) };
        if intent.action != (Action::RegisterNode { additional: false }) {
            return Ok(());
        }
        let chain = &self.shared.ports.chain;
        let address = intent.actor.address();
        match ask(&self.shared.config, || chain.badges(address)).await {
            Ok(badges) => match badges.first() {
                Some(badge) => {
                    let node_small_id = badge.node_small_id;
                    let failure = Failure::AlreadyRegistered { node_small_id };
                    Err(self.fail_all(batch, &failure).await)
                }
                None => Ok(()),
            },
            Err(error) => Err(self.fail_unanswered(batch, &error).await),
        }
    }

    async fn fail_unanswered(&self, batch: &[Intent], error: &ChainError) -> Step {
        self.fail_all(batch, &chain_failure(error)).await
    }

    /// Takes the badge's version from the chain, unless effects have told a newer one: then the
    /// node lags behind our own last transaction.
    fn adopt_badge(&mut self, view: &ContractView) {
        let Some(seen) = &view.badge else { return };
        match &self.badge {
            Some(known) if known.version() >= seen.version() => {}
            Some(known) => {
                warn!(
                    badge = %seen.object_id(), known_version = known.version(), version = seen.version(),
                    "the badge was used by somebody else: is another daemon running with this key?"
                );
                self.badge = Some(seen.clone());
            }
            None => self.badge = Some(seen.clone()),
        }
    }

    pub(super) async fn fail_all(&self, intents: &[Intent], failure: &Failure) -> Step {
        for intent in intents {
            self.fail(intent, failure.clone()).await;
        }
        Step::Finished
    }
}
