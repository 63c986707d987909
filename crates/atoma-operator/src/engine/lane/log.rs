//! The two log lines of a transaction: when it is sent, and when it has ended.

use std::time::Duration;

use atoma_domain::journal::Intent;
use atoma_domain::{NodeSmallId, StackSmallId};
use tracing::info;

use crate::engine::attempt::{Ended, Signed};

/// The fields that say what a transaction is about.
struct About {
    kind: &'static str,
    node: Option<u64>,
    /// The stacks, or the intents of a batch without stacks.
    stacks: Vec<u64>,
    transactions: Vec<u64>,
}

impl About {
    fn new(intents: &[Intent]) -> Self {
        let first = intents.first();
        let stacks = intents.iter().filter_map(|intent| intent.action.stack());
        Self {
            kind: first.map_or("none", |intent| intent.action.kind()),
            node: first
                .and_then(|intent| intent.actor.node())
                .map(NodeSmallId::get),
            stacks: stacks.map(StackSmallId::get).collect(),
            transactions: intents.iter().map(|intent| intent.id.get()).collect(),
        }
    }
}

pub(super) fn sending(signed: &Signed) {
    let about = About::new(&signed.intents);
    info!(
        digest = %signed.attempt.digest(),
        kind = about.kind,
        node = about.node,
        stacks = ?about.stacks,
        transactions = ?about.transactions,
        gas_budget = %signed.attempt.gas_budget,
        "sending a transaction"
    );
}

pub(super) fn ended(ended: &Ended, took: Duration) {
    let about = About::new(ended.intents());
    let outcome = ended.outcome();
    info!(
        digest = %ended.digest(),
        kind = about.kind,
        node = about.node,
        stacks = ?about.stacks,
        transactions = ?about.transactions,
        outcome = ended.status().as_str(),
        gas_used = outcome.receipt().map(|receipt| receipt.gas_used.get()),
        reason = outcome.failure().map(ToString::to_string).as_deref().or(outcome.reason()),
        duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "a transaction has ended"
    );
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use atoma_domain::Mist;
    use atoma_domain::contract::Abort;
    use atoma_domain::ports::{Executed, ExecutionOutcome};
    use tokio::time::Instant;
    use tracing::Level;

    use super::*;
    use crate::engine::attempt::{Closed, Payment, Resolution, close};
    use crate::engine::lane::awaiting_effects::AwaitingEffects;
    use crate::engine::shared::Context;
    use crate::engine::testing::ledger::{FakeChain, FakeLedger, OWN, attempt, executed};
    use crate::engine::testing::logged::{Line, Logged, line};
    use crate::engine::testing::{claim, context, settle};

    const TOOK: Duration = Duration::from_millis(1_234);

    async fn over(ledger: FakeLedger) -> Arc<Context> {
        let chain = FakeChain(Mutex::new(ledger));
        Arc::new(context(Arc::new(chain)).await)
    }

    fn signed(context: &Context, intents: Vec<Intent>) -> Signed {
        let attempt = attempt();
        Signed {
            chain: context.ports.chain_for_attempt(),
            intents,
            payment: Payment::of_signed(context, &attempt),
            attempt,
        }
    }

    /// The line of the end of a transaction with these effects.
    async fn line_of_end(intents: Vec<Intent>, executed: Executed) -> Line {
        let context = over(FakeLedger::default()).await;
        let resolution = Resolution::Executed(Box::new(executed));
        let signed = signed(&context, intents);
        let Closed::Ended(closed) = close(&context, signed, resolution, Instant::now()) else {
            panic!("it has effects");
        };
        let (logged, _guard) = Logged::begin();
        ended(&closed, TOOK);
        let [line] = &logged.take(Level::INFO)[..] else {
            panic!("one line");
        };
        line.clone()
    }

    #[tokio::test]
    async fn a_transaction_that_is_sent_is_logged_with_all_that_finds_it() {
        let context = over(FakeLedger::default()).await;
        let (logged, _guard) = Logged::begin();
        sending(&signed(&context, vec![settle(42)]));
        let expected = line([
            ("message", "sending a transaction"),
            ("digest", &OWN.to_string()),
            ("kind", "settle_stack"),
            ("node", "1"),
            ("stacks", "[42]"),
            ("transactions", "[42]"),
            ("gas_budget", "1"),
        ]);
        assert_eq!(logged.take(Level::INFO), [expected]);
    }

    #[tokio::test]
    async fn a_transaction_that_has_ended_is_logged_with_its_outcome() {
        let succeeded = line([
            ("message", "a transaction has ended"),
            ("digest", &OWN.to_string()),
            ("kind", "claim_stack"),
            ("node", "1"),
            ("stacks", "[4, 5]"),
            ("transactions", "[4, 5]"),
            ("outcome", "succeeded"),
            ("gas_used", "1"),
            ("duration_ms", "1234"),
        ]);
        let intents = vec![claim(4), claim(5)];
        assert_eq!(line_of_end(intents, executed()).await, succeeded);
        let aborted = Executed {
            outcome: ExecutionOutcome::Abort(Abort {
                module: String::from("db"),
                function: None,
                abort_code: 7,
                command: None,
            }),
            gas_used: Mist::new(9),
            ..executed()
        };
        let mut failed = line_of_end(vec![settle(3)], aborted).await;
        let reason = failed.remove("reason").unwrap();
        assert!(reason.contains('7'), "{reason}");
        let expected = line([
            ("message", "a transaction has ended"),
            ("digest", &OWN.to_string()),
            ("kind", "settle_stack"),
            ("node", "1"),
            ("stacks", "[3]"),
            ("transactions", "[3]"),
            ("outcome", "aborted"),
            ("gas_used", "9"),
            ("duration_ms", "1234"),
        ]);
        assert_eq!(failed, expected);
    }

    /// One whose effects the node shows only later ends then.
    #[tokio::test]
    async fn an_awaited_transaction_is_logged_when_its_effects_are_known() {
        let context = over(FakeLedger {
            executed: true,
            ..FakeLedger::default()
        })
        .await;
        let signed = signed(&context, vec![settle(3)]);
        let resolution = Resolution::EffectsUnknown { badge: None };
        let closed = close(&context, signed, resolution, Instant::now());
        let Closed::EffectsUnknown { awaited, .. } = closed else {
            panic!("{closed:?}");
        };
        let mut awaiting = AwaitingEffects::new(Duration::ZERO);
        awaiting.add(*awaited);
        let (logged, _guard) = Logged::begin();
        awaiting.look(&context.ports).await.unwrap();
        let [line] = &logged.take(Level::INFO)[..] else {
            panic!("one line");
        };
        assert_eq!(line["digest"], OWN.to_string());
        assert_eq!(line["outcome"], "succeeded");
        assert!(line.contains_key("duration_ms"));
    }
}
