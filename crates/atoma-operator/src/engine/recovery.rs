//! Recovery: taking up what the process before left unfinished.

use std::collections::BTreeMap;
use std::time::Duration;

use atoma_domain::Digest;
use atoma_domain::journal::Intent;
use atoma_domain::ports::{StoreError, UnfinishedIntent};
use tracing::{error, info};

use super::attempt::Payment;
use super::front::Engine;
use super::lane::Work;
use super::shared::LaneKey;
use crate::Ports;

impl Engine {
    /// Takes up everything that the journal holds unfinished: signed attempts first, which are resolved
    /// before their lane does anything else. Call it before serving writes.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub async fn recover(&self) -> Result<(), StoreError> {
        self.take_up_attempts().await?;
        self.take_up_queued().await
    }

    /// Takes up the attempts that the journal holds unresolved. Nothing is signed from here on until
    /// [`take_up_queued`](Self::take_up_queued).
    ///
    /// # Errors
    /// When the journal can't be read.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "`opening` is held across calls of the database only"
    )]
    pub async fn take_up_attempts(&self) -> Result<(), StoreError> {
        let _opening = self.opening().await;
        let Ports { journal, clock, .. } = &self.context().ports;
        let limits = &self.context().limits;
        limits.load(journal.as_ref(), clock.as_ref()).await?;
        limits.note_starting(true);
        let unreadable = journal.unreadable().await?;
        for what in &unreadable {
            error!(what, "a row of the journal can't be read and is set aside");
        }
        self.context().note_unreadable(unreadable);
        let coins = journal.recent_gas_coins().await?;
        self.context().gas.note_known(coins);
        let mut resumed: BTreeMap<(LaneKey, Digest), (_, Vec<Intent>)> = BTreeMap::new();
        for open in self.untracked().await? {
            let Some(attempt) = open.attempt else {
                continue;
            };
            self.context().registry.track(&open.intent);
            resumed
                .entry((LaneKey::of(&open.intent), attempt.digest()))
                .or_insert_with(|| (attempt, Vec::new()))
                .1
                .push(open.intent);
        }
        if !resumed.is_empty() {
            info!(attempts = resumed.len(), "taking up unresolved attempts");
        }
        // Before any lane starts: no other attempt may use their coins.
        let resumed: Vec<_> = resumed
            .into_iter()
            .map(|((lane, _), (attempt, intents))| {
                let payment = Payment::of_signed(self.context(), &attempt);
                (lane, attempt, payment, intents)
            })
            .collect();
        self.context()
            .unresolved
            .send_modify(|unresolved| *unresolved += resumed.len());
        for (lane, attempt, payment, intents) in resumed {
            let work = Work::Resume(Box::new(attempt), payment, intents);
            self.send(lane, work);
        }
        Ok(())
    }

    /// Waits until every attempt that was taken up is resolved, or `limit` has passed; says whether
    /// they all are.
    pub async fn resolved(&self, limit: Duration) -> bool {
        let mut unresolved = self.context().unresolved.subscribe();
        let resolved = unresolved.wait_for(|unresolved| *unresolved == 0);
        tokio::time::timeout(limit, resolved).await.is_ok()
    }

    /// Takes up what is queued, and lets the lanes sign.
    ///
    /// # Errors
    /// When the journal can't be read.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "`opening` is held across calls of the database only"
    )]
    pub async fn take_up_queued(&self) -> Result<(), StoreError> {
        let _opening = self.opening().await;
        let mut queued: BTreeMap<LaneKey, Vec<Intent>> = BTreeMap::new();
        for open in self.untracked().await? {
            self.context().registry.track(&open.intent);
            let lane = LaneKey::of(&open.intent);
            queued.entry(lane).or_default().push(open.intent);
        }
        for (lane, intents) in queued {
            info!(intents = intents.len(), "taking up queued intents");
            self.send(lane, Work::Intents(intents));
        }
        self.context().limits.note_starting(false);
        Ok(())
    }

    /// What the journal holds unfinished and no lane has.
    async fn untracked(&self) -> Result<Vec<UnfinishedIntent>, StoreError> {
        let mut unfinished = self.context().ports.journal.unfinished().await?;
        unfinished.retain(|open| self.context().registry.watch(open.intent.id).is_none());
        Ok(unfinished)
    }
}
