//! Recovery: taking up what the process before left unfinished.

use std::collections::BTreeMap;
use std::time::Duration;

use atoma_domain::journal::Intent;
use atoma_domain::ports::{StoreError, UnfinishedIntent};
use atoma_domain::{Digest, with_causes};
use tracing::{error, info, warn};

use super::attempt::Payment;
use super::front::Engine;
use super::lane::Work;
use super::shared::LaneKey;
use crate::Ports;

/// Of so many rows that can't be read the log says which; of the rest, how many.
const SKIPPED_ROWS_NAMED: usize = 10;

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
        let stock = journal.take_stock().await?;
        for what in &stock.unreadable {
            error!(what, "a row of the journal can't be read and is set aside");
        }
        self.context().note_unreadable(stock.unreadable);
        let coins = journal.recent_gas_coins().await?;
        self.context().gas.note_known(coins);
        let mut resumed: BTreeMap<(LaneKey, Digest), (_, Vec<Intent>)> = BTreeMap::new();
        for open in self.untracked(stock.unfinished) {
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
        let unfinished = self.context().ports.journal.unfinished().await?;
        for open in self.untracked(unfinished) {
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

    /// Looks for other rows of the journal that can't be read, and reports them. It takes the longer the
    /// more the journal holds, and nothing depends on it.
    pub async fn report_skipped_rows(&self) {
        let context = self.context();
        let skipped = tokio::select! {
            () = context.stopping.cancelled() => return,
            skipped = context.ports.journal.unreadable() => skipped,
        };
        match skipped {
            Ok(mut skipped) => {
                skipped.retain(|what| !context.unreadable().contains(what));
                for what in skipped.iter().take(SKIPPED_ROWS_NAMED) {
                    error!(what, "a row of the journal can't be read and is skipped");
                }
                let others = skipped.len().saturating_sub(SKIPPED_ROWS_NAMED);
                if others > 0 {
                    skipped.truncate(SKIPPED_ROWS_NAMED);
                    error!(others, "other rows of the journal can't be read either");
                    skipped.push(format!("{others} other rows of the journal can't be read"));
                }
                context.note_skipped(skipped);
            }
            Err(error) => warn!(
                error = with_causes(&error),
                "can't look for rows of the journal that can't be read"
            ),
        }
    }

    /// What of these no lane has.
    fn untracked(&self, mut unfinished: Vec<UnfinishedIntent>) -> Vec<UnfinishedIntent> {
        unfinished.retain(|open| self.context().registry.watch(open.intent.id).is_none());
        unfinished
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use atoma_domain::TimestampMs;
    use atoma_domain::journal::{Failure, NewIntent};
    use atoma_domain::ports::{Journal as _, Opened};
    use atoma_state::SqliteState;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::engine::EngineConfig;
    use crate::engine::testing::ledger::{FakeChain, FakeLedger};
    use crate::engine::testing::{claim, ports_over};

    const NOW: TimestampMs = TimestampMs::new(1);

    /// An engine that has taken up a journal with one damaged intent.
    async fn started(is_final: bool) -> Engine {
        let state = SqliteState::open_temporary().await.unwrap();
        let Intent {
            action, actor, gas, ..
        } = claim(1);
        let wanted = [NewIntent { action, actor, gas }];
        let opened = state.open(&wanted, None, NOW).await.unwrap();
        let [Opened::New(intent)] = opened.as_slice() else {
            panic!("{opened:?}");
        };
        if is_final {
            let failure = Failure::Abandoned {};
            state.fail(intent.id, &failure, NOW).await.unwrap();
        }
        let damage = "DROP TRIGGER intents_never_change; UPDATE intents SET action = '{}'";
        state.run(damage).await.unwrap();
        let chain = FakeChain(FakeLedger::default().into());
        let ports = ports_over(Arc::new(chain), state);
        let engine = Engine::new(ports, EngineConfig::default(), CancellationToken::new());
        engine.take_up_attempts().await.unwrap();
        engine
    }

    /// Otherwise a conflict over a version would be put down to an attempt that nobody can see.
    #[tokio::test]
    async fn a_final_row_that_cannot_be_read_is_reported_and_blocks_nothing() {
        let engine = started(true).await;
        assert!(engine.context().unreadable().is_empty());
        assert_eq!(engine.warnings(), Vec::<String>::new());
        engine.report_skipped_rows().await;
        assert!(engine.context().unreadable().is_empty());
        let warnings = engine.warnings();
        assert!(
            matches!(warnings.as_slice(), [warning] if warning.contains("intents.action of row 1")),
            "{warnings:?}"
        );
    }

    #[tokio::test]
    async fn an_unfinished_row_that_cannot_be_read_may_hide_a_signed_attempt() {
        let engine = started(false).await;
        assert_eq!(engine.context().unreadable().len(), 1);
        engine.report_skipped_rows().await;
        assert_eq!(engine.warnings().len(), 1);
    }
}
