//! One attempt: prepare, lease, build, sign, write down, send, conclude.

use atoma_domain::Mist;
use atoma_domain::contract::ContractCall;
use atoma_domain::journal::{
    Attempt, AttemptOutcome, AttemptStatus, Failure, Intent, IntentStatus,
};
use atoma_domain::ports::{
    ChainError, ContractView, Executed, ExecutionOutcome, StoreError, TransactionPlan,
    UnsignedTransaction,
};
use tracing::{error, info, warn};

use super::budget::{CallClass, with_margin};
use super::config::Backoff;
use super::fate::{Fate, Sent, pursue};
use super::gas::{GasError, GasLease};
use super::lane::Lane;
use super::outcomes::Outcome;
use super::prepare;
use crate::causes::with_causes;

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
struct Ready {
    intents: Vec<Intent>,
    plan: TransactionPlan,
    lease: GasLease,
    class: CallClass,
}

impl Lane {
    /// Tries a batch once.
    pub(super) async fn attempt(&mut self, batch: Vec<Intent>) -> Step {
        let ready = match self.prepare(batch).await {
            Ok(ready) => ready,
            Err(step) => return step,
        };
        let shared = &self.shared;
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
        };
        let now = shared.ports.clock.now();
        match shared.ports.journal.record_attempt(&attempt, now).await {
            Ok(()) => {}
            // The journal knows these very bytes: they were refused before, and nothing has changed.
            Err(StoreError::Transition { .. }) => {
                let reason = String::from("the network has refused the same transaction before");
                return self
                    .fail_all(&ready.intents, &Failure::TransactionRefused { reason })
                    .await;
            }
            Err(error) => {
                error!(
                    error = with_causes(&error),
                    "the attempt can't be written down, so it is not sent"
                );
                return Step::Wait(ready.intents);
            }
        }
        let fate = pursue(shared, &attempt, Sent::Never).await;
        self.settle_fate(
            &attempt,
            ready.intents,
            fate,
            Some(ready.lease),
            Some(ready.class),
        )
        .await
    }

    /// Takes up an attempt from before this process began.
    pub(super) async fn resume(&mut self, attempt: Attempt, intents: Vec<Intent>) {
        info!(digest = %attempt.digest(), "taking up an attempt whose fate is not known");
        let lease = attempt
            .gas
            .first()
            .and_then(|coin| self.shared.gas.lease_known(*coin.object_id()));
        let fate = pursue(&self.shared, &attempt, Sent::Maybe).await;
        match self.settle_fate(&attempt, intents, fate, lease, None).await {
            Step::Again(intents) | Step::Split(intents) | Step::Wait(intents) => {
                self.requeue(intents);
            }
            Step::Finished | Step::Stopped => {}
        }
    }

    async fn prepare(&mut self, batch: Vec<Intent>) -> Result<Ready, Step> {
        let mut gathered = Vec::with_capacity(batch.len());
        for intent in batch.clone() {
            match prepare::gather(&self.shared.ports, &intent).await {
                Ok(local) => gathered.push((intent, local)),
                Err(error) => {
                    error!(
                        error = with_causes(&error),
                        "the state can't be read; trying again"
                    );
                    return Err(Step::Wait(batch));
                }
            }
        }
        let view = match self.view(&prepare::query(&gathered)).await {
            Ok(view) => view,
            Err(error) => {
                let reason = with_causes(&error);
                return Err(self
                    .fail_all(&batch, &Failure::SuiNodeError { reason })
                    .await);
            }
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

    /// Chooses budget and coin. Settlements come in bulk and need much the same gas, so they share
    /// a budget learned once an epoch. All else is simulated each time, which finds out what the
    /// contract would refuse before gas is spent on it.
    async fn fund(
        &self,
        intents: Vec<Intent>,
        first: Intent,
        mut plan: TransactionPlan,
        class: CallClass,
    ) -> Result<Ready, Step> {
        let shared = &self.shared;
        let own_terms = first.gas != atoma_domain::journal::GasOptions::default();
        let learnable = first.action.kind() == "settle_stack" && !own_terms;
        let learned = shared
            .budgets
            .get(class, plan.expires_after, plan.gas_price)
            .filter(|_| learnable);
        let budget = match learned {
            Some(budget) => budget,
            None => {
                let least = first.gas.budget.unwrap_or(Mist::new(1));
                let lease = self.lease(&intents, &first, least).await?;
                plan.gas = lease.references();
                let held = lease.coin.as_ref().map_or(Mist::ZERO, |coin| coin.balance);
                let ceiling = Mist::new(shared.config.gas_budget_ceiling);
                plan.gas_budget = first.gas.budget.unwrap_or(held.min(ceiling));
                let needed = self.simulate(&intents, &plan).await?;
                let budget = first
                    .gas
                    .budget
                    .unwrap_or_else(|| with_margin(needed, &shared.config));
                if learnable {
                    shared
                        .budgets
                        .learn(class, plan.expires_after, plan.gas_price, budget);
                }
                budget
            }
        };
        self.heed_the_cap(&intents, budget).await?;
        let lease = self.lease(&intents, &first, budget).await?;
        plan.gas = lease.references();
        plan.gas_budget = budget;
        Ok(Ready {
            intents,
            plan,
            lease,
            class,
        })
    }

    async fn heed_the_cap(&self, intents: &[Intent], budget: Mist) -> Result<(), Step> {
        let ports = &self.shared.ports;
        let guard = &self.shared.guard;
        match guard
            .over_the_cap(budget, ports.journal.as_ref(), ports.clock.as_ref())
            .await
        {
            Ok(None) => Ok(()),
            Ok(Some(failure)) => Err(self.fail_all(intents, &failure).await),
            Err(error) => {
                error!(
                    error = with_causes(&error),
                    "what was spent can't be read; trying again"
                );
                Err(Step::Wait(intents.to_vec()))
            }
        }
    }

    async fn lease(
        &self,
        intents: &[Intent],
        first: &Intent,
        budget: Mist,
    ) -> Result<GasLease, Step> {
        let shared = &self.shared;
        let leased = shared
            .gas
            .lease(shared.ports.chain.as_ref(), first.gas.coin, budget)
            .await;
        let failure = match leased {
            Ok(lease) => return Ok(lease),
            Err(GasError::Insufficient) => Failure::GasBalanceInsufficient { gas_budget: budget },
            Err(GasError::NotOwned(object_id)) => Failure::ObjectNotUsable {
                object_id,
                reason: String::from("it is not a SUI coin of the operator's address"),
            },
            Err(GasError::Chain(error)) => Failure::SuiNodeError {
                reason: with_causes(&error),
            },
        };
        Err(self.fail_all(intents, &failure).await)
    }

    /// The gas that the plan needs, if it would succeed.
    async fn simulate(&self, intents: &[Intent], plan: &TransactionPlan) -> Result<Mist, Step> {
        let failure = match self.try_simulation(plan).await {
            Ok(simulation) => match simulation.outcome {
                ExecutionOutcome::Success => return Ok(simulation.gas_needed),
                ExecutionOutcome::Abort(_) | ExecutionOutcome::Failed { .. }
                    if intents.len() > 1 =>
                {
                    return Err(Step::Split(intents.to_vec()));
                }
                outcome => failure_of(outcome, plan.gas_budget),
            },
            Err(error) => Failure::SuiNodeError {
                reason: with_causes(&error),
            },
        };
        Err(self.fail_all(intents, &failure).await)
    }

    async fn try_simulation(
        &self,
        plan: &TransactionPlan,
    ) -> Result<atoma_domain::ports::Simulation, ChainError> {
        let chain = &self.shared.ports.chain;
        let unsigned: UnsignedTransaction = chain.build(plan)?;
        chain.simulate(&unsigned).await
    }

    /// Reads what the batch depends on; a read that fails is repeated a few times.
    async fn view(
        &self,
        query: &atoma_domain::ports::ViewQuery,
    ) -> Result<ContractView, ChainError> {
        let mut backoff = Backoff::new(&self.shared.config);
        let mut tries = 1;
        loop {
            match self.shared.ports.chain.view(query).await {
                Ok(view) => return Ok(view),
                Err(error) if tries >= self.shared.config.read_attempts => return Err(error),
                Err(error) => {
                    warn!(
                        error = with_causes(&error),
                        tries, "reading the contract failed; trying again"
                    );
                }
            }
            tries += 1;
            backoff.pause().await;
        }
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

    async fn fail_all(&self, intents: &[Intent], failure: &Failure) -> Step {
        for intent in intents {
            self.fail(intent, failure.clone()).await;
        }
        Step::Finished
    }

    /// Writes an attempt's fate down, takes over the versions it left, and tells who waits.
    async fn settle_fate(
        &mut self,
        attempt: &Attempt,
        intents: Vec<Intent>,
        fate: Option<Fate>,
        lease: Option<GasLease>,
        class: Option<CallClass>,
    ) -> Step {
        let Some(fate) = fate else {
            return Step::Stopped;
        };
        let mut lease = lease;
        let explicit_budget = intents.first().and_then(|intent| intent.gas.budget);
        let outcome = match fate {
            Fate::Executed(executed) => {
                self.adopt_effects(attempt, &executed, lease.as_mut());
                if matches!(
                    &executed.outcome,
                    ExecutionOutcome::Failed {
                        out_of_gas: true,
                        ..
                    }
                ) && let Some(class) = class
                {
                    self.shared.budgets.forget(class);
                }
                outcome_of(*executed, intents.len(), explicit_budget)
            }
            Fate::Dead(reason) => {
                info!(digest = %attempt.digest(), reason, "the attempt is dead");
                self.badge = None;
                if let Some(lease) = &mut lease {
                    lease.forget();
                }
                AttemptOutcome::Dead { reason }
            }
            Fate::Refused(failure) => {
                if let Some(lease) = &mut lease {
                    lease.forget();
                }
                AttemptOutcome::Refused { failure }
            }
        };
        let now = self.shared.ports.clock.now();
        match outcome.status() {
            AttemptStatus::Succeeded => self.shared.guard.note(true, now),
            AttemptStatus::Aborted | AttemptStatus::Refused => self.shared.guard.note(false, now),
            // Nobody's fault, and tried again.
            AttemptStatus::Cancelled | AttemptStatus::Dead | AttemptStatus::Signed => {}
        }
        if !self.conclude(attempt, &outcome).await {
            return Step::Stopped;
        }
        match outcome {
            AttemptOutcome::BatchAborted { .. } => return Step::Split(intents),
            AttemptOutcome::Cancelled { .. } | AttemptOutcome::Dead { .. } => {
                return Step::Again(intents);
            }
            AttemptOutcome::Succeeded { .. } => {
                self.announce(&intents, IntentStatus::Succeeded, Some(attempt), None);
            }
            AttemptOutcome::Aborted { failure, .. } => {
                self.announce(&intents, IntentStatus::Failed, Some(attempt), Some(failure));
            }
            AttemptOutcome::Refused { failure } => {
                self.announce(&intents, IntentStatus::Failed, None, Some(failure));
            }
        }
        Step::Finished
    }

    fn adopt_effects(
        &mut self,
        attempt: &Attempt,
        executed: &Executed,
        lease: Option<&mut GasLease>,
    ) {
        if let Some(badge) = &attempt.badge {
            self.badge = executed.written.get(badge.object_id()).cloned();
        }
        if let Some(lease) = lease {
            lease.paid(executed);
        }
    }

    /// Writes the outcome; false when the daemon stops before the journal takes it.
    async fn conclude(&self, attempt: &Attempt, outcome: &AttemptOutcome) -> bool {
        let shared = &self.shared;
        let mut backoff = Backoff::new(&shared.config);
        loop {
            let now = shared.ports.clock.now();
            match shared
                .ports
                .journal
                .conclude(attempt.digest(), outcome, now)
                .await
            {
                Ok(()) => return true,
                // Trying again would not help: the journal has it concluded already.
                Err(error @ (StoreError::Transition { .. } | StoreError::Missing { .. })) => {
                    error!(error = with_causes(&error), "the journal disagrees");
                    return true;
                }
                Err(error) => error!(
                    error = with_causes(&error),
                    "the journal can't be written; trying again"
                ),
            }
            tokio::select! {
                () = shared.stopping.cancelled() => return false,
                () = backoff.pause() => {}
            }
        }
    }

    fn announce(
        &self,
        intents: &[Intent],
        status: IntentStatus,
        attempt: Option<&Attempt>,
        failure: Option<Failure>,
    ) {
        for intent in intents {
            self.finish(
                intent,
                Outcome {
                    status,
                    tx_digest: attempt.map(Attempt::digest),
                    failure: failure.clone(),
                },
            );
        }
    }
}

fn outcome_of(executed: Executed, batch: usize, explicit_budget: Option<Mist>) -> AttemptOutcome {
    let (gas_used, effects) = (executed.gas_used, executed.effects);
    match executed.outcome {
        ExecutionOutcome::Success => AttemptOutcome::Succeeded { gas_used, effects },
        ExecutionOutcome::Cancelled { .. } => AttemptOutcome::Cancelled { gas_used, effects },
        // The learned budget was too small: simulate anew.
        ExecutionOutcome::Failed {
            out_of_gas: true, ..
        } if explicit_budget.is_none() => AttemptOutcome::Cancelled { gas_used, effects },
        _ if batch > 1 => AttemptOutcome::BatchAborted { gas_used, effects },
        outcome => AttemptOutcome::Aborted {
            failure: failure_of(outcome, explicit_budget.unwrap_or(Mist::ZERO)),
            gas_used,
            effects,
        },
    }
}

pub(super) fn failure_of(outcome: ExecutionOutcome, gas_budget: Mist) -> Failure {
    match outcome {
        ExecutionOutcome::Abort(abort) => Failure::from_abort(abort),
        ExecutionOutcome::Failed {
            out_of_gas: true, ..
        } => Failure::GasBudgetTooLow { gas_budget },
        ExecutionOutcome::Failed { reason, .. } | ExecutionOutcome::Cancelled { reason } => {
            Failure::ExecutionFailed { reason }
        }
        ExecutionOutcome::Success => Failure::Internal {
            reason: String::from("a success was taken for a failure"),
        },
    }
}

/// What the calls' gas depends on: the function, and how many leaves a ticket will hold.
fn class(calls: &[ContractCall], view: &ContractView) -> CallClass {
    let function = calls.first().map_or("none", ContractCall::function);
    let size = match (calls.first(), &view.subscribers) {
        (Some(ContractCall::TrySettleStack { .. }), Some(subscribers)) => {
            view.parameters.cross_validation_extra_nodes_count
                + u64::try_from(subscribers.len()).unwrap_or(u64::MAX / 2)
                + 1
        }
        _ => 0,
    };
    CallClass { function, size }
}
