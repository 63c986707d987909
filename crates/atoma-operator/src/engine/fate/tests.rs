use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainIdentity, ContractView, EpochInfo, ExecutionOutcome, GasCoin,
    SignedTransaction, Simulation, TransactionPlan, UnsignedTransaction, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, Mist, ObjectId, ObjectReference, TransactionId,
};

use super::*;
use crate::engine::testing::shared;

const BADGE: ObjectId = Address::new([7; 32]);
const SIGNED_AT: u64 = 5;

/// A ledger that answers as told.
#[derive(Debug)]
struct ToldLedger {
    /// The badge's version as the node has it.
    badge_version: u64,
    /// Whether the attempt's epoch is over and covered.
    epoch_covered: bool,
    /// Whether the transaction is in the ledger.
    executed: bool,
    /// What the next sendings are answered; then silence would fail the test.
    answers: VecDeque<Answer>,
    sent: Vec<SignedTransaction>,
}

#[derive(Debug)]
enum Answer {
    Executes,
    ExecutesSilently,
    Lost,
    Refused(RefusalKind),
    /// The same, and the badge's version is that one from then on.
    RefusedThenBadgeAt(u64),
}

#[derive(Debug)]
struct ToldChain(Mutex<ToldLedger>);

fn executed() -> Executed {
    Executed {
        digest: Digest::new([1; 32]),
        outcome: ExecutionOutcome::Success,
        epoch: Epoch::new(3),
        gas_used: Mist::new(1),
        checkpoint: None,
        written: BTreeMap::new(),
        gas_coin: None,
        events: Vec::new(),
        effects: Vec::new(),
    }
}

fn refused(kind: RefusalKind) -> SubmitError {
    SubmitError::Refused(Refusal {
        kind,
        message: String::from("no"),
    })
}

#[async_trait]
impl Chain for ToldChain {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        unreachable!("a fate needs no identity")
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        unreachable!("a fate needs no height")
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        unreachable!("a fate needs no epoch")
    }

    async fn covers_epoch(&self, _: Epoch) -> Result<bool, ChainError> {
        Ok(self.0.lock().unwrap().epoch_covered)
    }

    async fn badges(&self, _: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        unreachable!("a fate needs no badges")
    }

    async fn gas_coins(&self, _: Address) -> Result<Vec<GasCoin>, ChainError> {
        unreachable!("a fate needs no coins")
    }

    async fn object(
        &self,
        id: ObjectId,
    ) -> Result<Option<(ObjectReference, Option<Digest>)>, ChainError> {
        let version = self.0.lock().unwrap().badge_version;
        Ok(Some((
            ObjectReference::new(id, version, Digest::new([2; 32])),
            None,
        )))
    }

    async fn view(&self, _: &ViewQuery) -> Result<ContractView, ChainError> {
        unreachable!("a fate needs no view")
    }

    fn build(&self, _: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        unreachable!("signed bytes are never built again")
    }

    async fn simulate(&self, _: &UnsignedTransaction) -> Result<Simulation, ChainError> {
        unreachable!("a fate needs no simulation")
    }

    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError> {
        let mut ledger = self.0.lock().unwrap();
        ledger.sent.push(transaction.clone());
        match ledger.answers.pop_front().expect("sent too often") {
            Answer::Executes => {
                ledger.executed = true;
                Ok(executed())
            }
            Answer::ExecutesSilently => {
                ledger.executed = true;
                Err(SubmitError::Unknown("cut off".into()))
            }
            Answer::Lost => Err(SubmitError::Unknown("cut off".into())),
            Answer::Refused(kind) => Err(refused(kind)),
            Answer::RefusedThenBadgeAt(version) => {
                ledger.badge_version = version;
                Err(refused(RefusalKind::ObjectVersion { object: None }))
            }
        }
    }

    async fn lookup(&self, _: Digest) -> Result<Option<Executed>, ChainError> {
        Ok(self.0.lock().unwrap().executed.then(executed))
    }
}

fn attempt() -> Attempt {
    Attempt {
        intents: vec![TransactionId::new(1)],
        transaction: SignedTransaction {
            bytes: vec![1, 2, 3],
            digest: Digest::new([1; 32]),
            signatures: vec![vec![4]],
        },
        expires_after: Epoch::new(3),
        badge: Some(ObjectReference::new(BADGE, SIGNED_AT, Digest::new([2; 32]))),
        gas: Vec::new(),
        gas_budget: Mist::new(1),
    }
}

/// Pursues the attempt against a ledger whose badge is at `badge_version`; tells the fate and what
/// was sent.
async fn fate(
    badge_version: u64,
    epoch_covered: bool,
    answers: Vec<Answer>,
    sent: Sent,
) -> (Fate, Vec<SignedTransaction>) {
    let chain = Arc::new(ToldChain(Mutex::new(ToldLedger {
        badge_version,
        epoch_covered,
        executed: false,
        answers: answers.into(),
        sent: Vec::new(),
    })));
    let fate = pursue(&shared(chain.clone()).await, &attempt(), sent)
        .await
        .expect("nobody stops it");
    let sent = std::mem::take(&mut chain.0.lock().unwrap().sent);
    (fate, sent)
}

#[tokio::test]
async fn a_lost_answer_is_found_in_the_ledger_without_sending_again() {
    let (fate, sent) = fate(6, false, vec![Answer::ExecutesSilently], Sent::Never).await;
    assert!(matches!(fate, Fate::Executed(_)));
    assert_eq!(sent.len(), 1);
}

#[tokio::test]
async fn the_same_bytes_are_sent_until_they_execute() {
    let answers = vec![Answer::Lost, Answer::Lost, Answer::Executes];
    let (fate, sent) = fate(SIGNED_AT, false, answers, Sent::Never).await;
    assert!(matches!(fate, Fate::Executed(_)));
    assert_eq!(sent, vec![attempt().transaction; 3]);
}

#[tokio::test]
async fn a_version_newer_than_the_node_knows_is_lag() {
    let version = || Answer::Refused(RefusalKind::ObjectVersion { object: None });
    let answers = vec![version(), version(), Answer::Executes];
    let (fate, sent) = fate(SIGNED_AT - 1, false, answers, Sent::Never).await;
    assert!(matches!(fate, Fate::Executed(_)));
    assert_eq!(sent.len(), 3);
}

#[tokio::test]
async fn a_version_that_another_transaction_consumed_is_death() {
    let answers = vec![Answer::RefusedThenBadgeAt(SIGNED_AT + 1)];
    let (fate, _) = fate(SIGNED_AT, false, answers, Sent::Never).await;
    assert!(matches!(fate, Fate::Dead(_)));
}

#[tokio::test]
async fn a_past_epoch_is_death_only_once_the_ledger_covers_it() {
    let expired = || Answer::Refused(RefusalKind::Expired);
    let (dead, _) = fate(SIGNED_AT, true, vec![expired()], Sent::Never).await;
    assert!(matches!(dead, Fate::Dead(_)));
    // Refused as expired, but the ledger doesn't reach so far: keep asking, take nothing for dead.
    let answers = vec![expired(), expired(), Answer::Executes];
    let (fate, sent) = fate(SIGNED_AT, false, answers, Sent::Never).await;
    assert!(matches!(fate, Fate::Executed(_)));
    assert_eq!(sent.len(), 3);
}

#[tokio::test]
async fn a_refusal_is_final_only_for_bytes_that_nobody_had_before() {
    let answers = vec![Answer::Refused(RefusalKind::GasTerms)];
    let (first, _) = fate(SIGNED_AT, false, answers, Sent::Never).await;
    assert!(matches!(first, Fate::Refused(_)));
    let answers = vec![
        Answer::Lost,
        Answer::Refused(RefusalKind::GasTerms),
        Answer::Executes,
    ];
    let (fate, sent) = fate(SIGNED_AT, false, answers, Sent::Never).await;
    assert!(matches!(fate, Fate::Executed(_)));
    assert_eq!(sent.len(), 3);
}

#[tokio::test]
async fn an_attempt_from_before_is_looked_up_before_it_is_sent() {
    let (fate, sent) = fate(SIGNED_AT + 1, false, Vec::new(), Sent::Maybe).await;
    assert!(matches!(fate, Fate::Dead(_)), "{fate:?}");
    assert!(sent.is_empty());
}
