//! From a batch of intents to a transaction that can be signed: what it depends on is read, each
//! intent becomes a call, and the whole is paid for.

use std::time::Duration;

use atoma_domain::journal::{Action, Failure, Intent};
use atoma_domain::ports::{ChainError, ContractView, StoreError, TransactionPlan, ViewQuery};
use atoma_domain::{Mist, ObjectReference};
use tokio::time::Instant;
use tracing::warn;

use super::attempt::{Ready, Step};
use super::funding::class;
use super::lane::Lane;
use super::prepare::{self, Local};
use super::reads::ask;
use crate::causes::internal;

impl Lane {
    /// Makes a batch ready to be signed. What can't be done is failed and left out.
    pub(super) async fn prepare(&mut self, batch: Vec<Intent>) -> Result<Ready, Step> {
        let (gathered, view) = match self.read_ahead(&batch).await {
            Some(read) => read,
            None => self.read(batch).await?,
        };
        self.adopt_badge(&view);
        self.treasury = view.parameters.fee_treasury;
        let (mut intents, mut calls, mut doubtful) = (Vec::new(), Vec::new(), Vec::new());
        for (intent, local) in gathered {
            match prepare::call(&intent, &local, &view) {
                Ok(call) => {
                    calls.push(call);
                    intents.push(intent);
                }
                Err(failure) if prepare::may_lag(&failure) => doubtful.push((intent, failure)),
                Err(failure) => self.fail(&intent, failure).await,
            }
        }
        if !doubtful.is_empty() {
            // The others are not kept waiting for long, and not doubted with them.
            self.backlog.add_first(intents);
            return Err(Step::Doubt(doubtful));
        }
        let Some(first) = intents.first().cloned() else {
            return Err(Step::Finished);
        };
        if first.actor.badge().is_some() && self.badge.is_none() {
            return Err(Step::doubt(&intents, &Failure::NoNodeRegistered {}));
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
                Err(error @ StoreError::Unavailable(_)) => {
                    let why = internal(error);
                    return Err(Step::Outage {
                        intents: batch,
                        why,
                    });
                }
                // One unreadable row costs the others nothing.
                Err(error) => self.fail(intent, internal(error)).await,
            }
        }
        let query = prepare::query(&gathered);
        let left = || {
            gathered
                .iter()
                .map(|(intent, _)| intent.clone())
                .collect::<Vec<_>>()
        };
        match ask(&self.shared.config, || self.view(&query)).await {
            Ok((view, took)) => {
                self.pace.view = took;
                self.refuse_second_node(&left()).await?;
                Ok((gathered, view))
            }
            Err(error) => Err(self.unanswered(&left(), &error).await),
        }
    }

    /// A view by a node that knows of the badge's last use that is known here, and how long it took.
    /// From an older one an attestation could be made a second time, over the badge's newest version.
    async fn view(&self, query: &ViewQuery) -> Result<(ContractView, Duration), ChainError> {
        let asked_at = Instant::now();
        let view = self.shared.ports.chain.view(query).await?;
        let shown = view.badge.as_ref().map(ObjectReference::version);
        match &self.badge {
            Some(known) if shown < Some(known.version()) => Err(ChainError::Behind {
                object: *known.object_id(),
                shown,
                known: known.version(),
            }),
            _ => Ok((view, asked_at.elapsed())),
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
            Err(error) => Err(self.unanswered(batch, &error).await),
        }
    }

    /// Takes the badge's version from the chain, unless effects have told a newer one since the
    /// reading began.
    fn adopt_badge(&mut self, view: &ContractView) {
        let Some(seen) = &view.badge else { return };
        match &self.badge {
            Some(known) if known.version() >= seen.version() => {}
            Some(known) => {
                warn!(
                    badge = %seen.object_id(), known_version = known.version(), version = seen.version(),
                    "the badge was used by somebody else: is another daemon running with this key?"
                );
                self.shared.note_foreign_use(seen);
                self.badge = Some(seen.clone());
            }
            None => self.badge = Some(seen.clone()),
        }
    }
}
