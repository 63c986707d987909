//! The journal compared with a model of its state machine, under random sequences of operations.

use std::collections::BTreeMap;

use atoma_domain::journal::{Action, Attempt, AttemptOutcome, Failure, GasOptions, IntentStatus};
use atoma_domain::ports::{Journal, JournalKey, Opened, ServedWork, SignedTransaction, StoreError};
use atoma_domain::{Epoch, IntentId, Mist};
use atoma_state::SqliteState;
use proptest::prelude::*;

use crate::suite::fixtures::*;

#[derive(Clone, Debug)]
enum Operation {
    Open {
        action: usize,
        node: u64,
        costly: bool,
    },
    Record {
        intents: Vec<prop::sample::Index>,
        /// The attempt that is concluded in the same call, and its outcome.
        previous: Option<(prop::sample::Index, usize)>,
    },
    Conclude {
        attempt: prop::sample::Index,
        outcome: usize,
    },
    Fail {
        intent: prop::sample::Index,
    },
}

/// The index of the settlement among the actions. Node 1 is the stack's selected node.
const SETTLE: usize = 4;

fn actions() -> [Action; 5] {
    [
        claim(1),
        attest(1),
        subscribe(1),
        Action::RegisterNode { additional: true },
        settle(1),
    ]
}

fn outcomes() -> [AttemptOutcome; 5] {
    let failure = Failure::TreasuryShort {};
    [
        AttemptOutcome::Succeeded {
            receipt: receipt(1),
        },
        AttemptOutcome::Aborted {
            failure: failure.clone(),
            receipt: receipt(1),
        },
        AttemptOutcome::BatchAborted {
            failure,
            receipt: receipt(1),
        },
        AttemptOutcome::Cancelled {
            reason: String::from("congestion"),
            receipt: receipt(1),
        },
        AttemptOutcome::Dead {
            reason: String::from("consumed by another"),
        },
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    use prop::sample::Index;
    prop_oneof![
        3 => (0..5_usize, 1..3_u64, any::<bool>())
            .prop_map(|(action, node, costly)| Operation::Open { action, node, costly }),
        4 => (
            prop::collection::vec(any::<Index>(), 1..3),
            prop::option::of((any::<Index>(), 0..5_usize)),
        )
            .prop_map(|(intents, previous)| Operation::Record { intents, previous }),
        3 => (any::<Index>(), 0..5_usize)
            .prop_map(|(attempt, outcome)| Operation::Conclude { attempt, outcome }),
        1 => any::<Index>().prop_map(|intent| Operation::Fail { intent }),
    ]
}

struct ModelIntent {
    id: IntentId,
    action: usize,
    node: u64,
    costly: bool,
    status: IntentStatus,
}

struct ModelAttempt {
    intents: Vec<usize>,
    outcome: Option<usize>,
}

#[derive(Default)]
struct Model {
    intents: Vec<ModelIntent>,
    attempts: Vec<ModelAttempt>,
}

impl Model {
    /// The intent that holds the key of an action.
    fn key_owner(&self, action: usize, node: u64) -> Option<&ModelIntent> {
        self.intents.iter().find(|intent| {
            let once = actions()[action].succeeds_only_once();
            (intent.action, intent.node) == (action, node)
                && (!intent.status.is_final() || (intent.status == IntentStatus::Succeeded && once))
        })
    }

    async fn run(&mut self, store: &SqliteState, operation: &Operation) {
        match operation {
            Operation::Open {
                action,
                node,
                costly,
            } => self.open(store, *action, *node, *costly).await,
            Operation::Record { intents, previous } if !self.intents.is_empty() => {
                let mut chosen: Vec<usize> = intents
                    .iter()
                    .map(|index| index.index(self.intents.len()))
                    .collect();
                chosen.dedup();
                let previous = previous.filter(|_| !self.attempts.is_empty());
                let previous = previous
                    .map(|(attempt, outcome)| (attempt.index(self.attempts.len()), outcome));
                self.record(store, chosen, previous).await;
            }
            Operation::Conclude { attempt, outcome } if !self.attempts.is_empty() => {
                let attempt = attempt.index(self.attempts.len());
                self.conclude(store, attempt, *outcome).await;
            }
            Operation::Fail { intent } if !self.intents.is_empty() => {
                let place = intent.index(self.intents.len());
                let intent = &mut self.intents[place];
                let result = store
                    .fail(intent.id, &Failure::ShuttingDown {}, at(9))
                    .await;
                if intent.status == IntentStatus::Queued {
                    result.unwrap();
                    intent.status = IntentStatus::Failed;
                } else {
                    assert!(matches!(result, Err(StoreError::Transition { .. })));
                }
            }
            _ => {}
        }
    }

    async fn open(&mut self, store: &SqliteState, action: usize, by: u64, costly: bool) {
        let mut wanted = new_intent(by, actions()[action].clone());
        wanted.gas = GasOptions {
            budget: costly.then_some(Mist::new(7)),
            ..GasOptions::default()
        };
        let opened = store.open(&[wanted], None, at(1)).await.unwrap().remove(0);
        match self.key_owner(action, by) {
            None if action == SETTLE && by != 1 => {
                assert!(matches!(
                    opened,
                    Opened::Refused(Failure::NodeNotSelected { .. })
                ));
            }
            None => {
                let Opened::New(intent) = opened else {
                    panic!("{opened:?}");
                };
                self.intents.push(ModelIntent {
                    id: intent.id,
                    action,
                    node: by,
                    costly,
                    status: IntentStatus::Queued,
                });
            }
            Some(owner) if owner.status.is_final() => {
                assert!(matches!(opened, Opened::Refused(_)), "{opened:?}");
            }
            Some(owner) if owner.costly == costly => {
                assert!(matches!(opened, Opened::Joined(intent) if intent.id == owner.id));
            }
            Some(owner) => assert_eq!(
                opened,
                Opened::Refused(Failure::InFlightWithOtherParameters {
                    transaction_id: owner.id
                })
            ),
        }
    }

    async fn record(
        &mut self,
        store: &SqliteState,
        chosen: Vec<usize>,
        previous: Option<(usize, usize)>,
    ) {
        let number = u64::try_from(self.attempts.len()).unwrap();
        let attempt = Attempt {
            intents: chosen.iter().map(|i| self.intents[*i].id).collect(),
            transaction: SignedTransaction {
                bytes: number.to_be_bytes().to_vec(),
                digest: digest(number),
                signatures: vec![vec![1]],
            },
            expires_after: Epoch::new(1),
            badge: None,
            gas: Vec::new(),
            gas_budget: Mist::new(7),
        };
        let mut distinct = chosen.clone();
        distinct.sort_unstable();
        distinct.dedup();
        // What the intents would be after the previous attempt is concluded.
        let mut statuses: Vec<IntentStatus> = self.intents.iter().map(|i| i.status).collect();
        let mut legal = distinct.len() == chosen.len();
        if let Some((attempt, outcome)) = previous {
            legal &= self.attempts[attempt].outcome.is_none();
            for i in &self.attempts[attempt].intents {
                statuses[*i] = outcomes()[outcome].intent_status();
            }
        }
        legal &= chosen.iter().all(|i| statuses[*i] == IntentStatus::Queued);
        let conclusion = previous.map(|(attempt, outcome)| {
            let number = u64::try_from(attempt).unwrap();
            concluded(digest(number), &outcomes()[outcome])
        });
        let result = store
            .record_attempt(&attempt, conclusion.as_ref(), at(2))
            .await;
        if !legal {
            assert!(matches!(result, Err(StoreError::Transition { .. })));
            return;
        }
        result.unwrap();
        if let Some((attempt, outcome)) = previous {
            self.conclude_known(attempt, outcome);
        }
        for i in &chosen {
            self.intents[*i].status = IntentStatus::Submitted;
        }
        self.attempts.push(ModelAttempt {
            intents: chosen,
            outcome: None,
        });
    }

    async fn conclude(&mut self, store: &SqliteState, attempt: usize, outcome: usize) {
        let number = u64::try_from(attempt).unwrap();
        let result = store
            .conclude(&concluded(digest(number), &outcomes()[outcome]), at(3))
            .await;
        if self.attempts[attempt].outcome.is_some() {
            assert!(matches!(result, Err(StoreError::Transition { .. })));
            return;
        }
        result.unwrap();
        self.conclude_known(attempt, outcome);
    }

    fn conclude_known(&mut self, attempt: usize, outcome: usize) {
        let known = &mut self.attempts[attempt];
        known.outcome = Some(outcome);
        for i in &known.intents {
            self.intents[*i].status = outcomes()[outcome].intent_status();
        }
    }

    /// The digest that the journal must report for an intent.
    fn digest(&self, intent: usize) -> Option<atoma_domain::Digest> {
        let (number, _) = self.attempts.iter().enumerate().rfind(|(_, attempt)| {
            // Dead and refused are the last two outcomes.
            attempt.intents.contains(&intent) && attempt.outcome.is_none_or(|o| o < 4)
        })?;
        Some(digest(u64::try_from(number).unwrap()))
    }

    async fn check(&self, store: &SqliteState) {
        let unfinished = store.unfinished().await.unwrap();
        let mut open = BTreeMap::new();
        for entry in unfinished {
            open.insert(entry.intent.id, entry.attempt);
        }
        for (i, intent) in self.intents.iter().enumerate() {
            let record = store
                .find(JournalKey::Id(intent.id))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(record.status, intent.status);
            assert_eq!(record.tx_digest, self.digest(i));
            assert_eq!(
                record.failure.is_some(),
                intent.status == IntentStatus::Failed
            );
            let entry = open.remove(&intent.id);
            assert_eq!(entry.is_some(), !intent.status.is_final());
            assert_eq!(
                entry.flatten().is_some(),
                intent.status == IntentStatus::Submitted
            );
        }
        assert!(open.is_empty());
        // The record is frozen exactly while a settlement has not failed.
        let settling = self
            .intents
            .iter()
            .any(|intent| intent.action == SETTLE && intent.status != IntentStatus::Failed);
        let record = store.work_record(stack(1), node(1)).await.unwrap();
        assert_eq!(record.unwrap().is_frozen, settling);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_journal_follows_its_state_machine(
        operations in prop::collection::vec(operation(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = SqliteState::open_temporary().await.unwrap();
            apply_events(&store, 1, vec![bought(1, 1, 10)]).await;
            store.record_message(&message(1, 1, 1)).await.unwrap();
            let mut model = Model::default();
            for operation in &operations {
                model.run(&store, operation).await;
                model.check(&store).await;
            }
        });
    }
}
