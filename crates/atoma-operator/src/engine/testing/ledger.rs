//! A fake ledger with scripted answers, and the attempt that it is asked about.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use atoma_domain::journal::Attempt;
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    ExecutionOutcome, GasCoin, ObjectOnChain, Refusal, RefusalKind, SignedTransaction,
    SimulatedGas, Simulation, SubmitError, TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, IntentId, Mist, ObjectId, ObjectReference,
    TimestampMs,
};

pub(in crate::engine) const BADGE: ObjectId = Address::new([7; 32]);
/// The version of badge and coin that the attempt uses.
pub(in crate::engine) const SIGNED_AT: u64 = 5;

/// The attempt's digest, and another transaction's.
pub(in crate::engine) const OWN: Digest = Digest::new([1; 32]);
pub(in crate::engine) const OTHER: Digest = Digest::new([8; 32]);

/// The last epoch in which the attempt can execute.
pub(in crate::engine) const LAST_EPOCH: Epoch = Epoch::new(3);
pub(in crate::engine) const EPOCH_AFTER: Epoch = Epoch::new(4);

/// A ledger with scripted answers.
#[derive(Debug)]
pub(crate) struct FakeLedger {
    /// Who consumed the badge's version; `None`: the node does not answer.
    pub(in crate::engine) badge: Option<Consumption>,
    /// Who consumed the coin's version.
    pub(in crate::engine) coin: Consumption,
    /// The badge's version that the node shows.
    pub(in crate::engine) shown: u64,
    /// How far the ledger is complete and lacks the digest.
    pub(in crate::engine) absent: Absent,
    /// Whether the transaction is in the ledger.
    pub(in crate::engine) executed: bool,
    /// The answers to the next submissions. One more submission fails the test.
    pub(in crate::engine) answers: VecDeque<Answer>,
    pub(in crate::engine) sent: Vec<SignedTransaction>,
    /// The current epoch; `None`: the node does not answer.
    pub(crate) epoch: Option<Epoch>,
    /// How often the owner's badges were read.
    pub(crate) badges_read: usize,
}

/// What the ledger proves by lacking the digest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::engine) enum Absent {
    Nothing,
    Until(Until),
    /// Its beginning is pruned.
    Pruned,
}

impl Default for FakeLedger {
    /// The versions are current, the epoch is not over, and the attempt has not executed.
    fn default() -> Self {
        Self {
            badge: Some(Consumption::Current(LAST_EPOCH)),
            coin: Consumption::Current(LAST_EPOCH),
            shown: SIGNED_AT,
            absent: Absent::Nothing,
            executed: false,
            answers: VecDeque::new(),
            sent: Vec::new(),
            epoch: Some(LAST_EPOCH),
            badges_read: 0,
        }
    }
}

#[derive(Debug)]
pub(in crate::engine) enum Answer {
    Executes,
    ExecutesSilently,
    Lost,
    Refused(RefusalKind),
    /// Refused, and the badge's version was consumed meanwhile.
    RefusedThen(Consumption),
}

#[derive(Debug)]
pub(crate) struct FakeChain(pub(crate) Mutex<FakeLedger>);

pub(in crate::engine) fn executed() -> Executed {
    Executed {
        digest: OWN,
        outcome: ExecutionOutcome::Success,
        epoch: Epoch::new(3),
        gas_used: Mist::new(1),
        gas_returned: Mist::ZERO,
        checkpoint: None,
        written: BTreeMap::new(),
        gas_coin: None,
        events: Vec::new(),
        other_events: 0,
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
impl Chain for FakeChain {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        unreachable!("a resolution needs no identity")
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        Err(ChainError::Malformed { what: "the height" })
    }

    async fn checkpoint_time(&self, _: CheckpointNumber) -> Result<TimestampMs, ChainError> {
        unreachable!("a resolution needs no height")
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        let epoch = self.0.lock().unwrap().epoch;
        Ok(EpochInfo {
            epoch: epoch.ok_or(ChainError::Malformed { what: "it" })?,
            reference_gas_price: Mist::new(1_000),
            starts_at: None,
            ends_at: None,
        })
    }

    async fn badges(&self, _: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        self.0.lock().unwrap().badges_read += 1;
        Ok(Vec::new())
    }

    async fn gas_coins(&self, _: Address) -> Result<Vec<GasCoin>, ChainError> {
        unreachable!("a resolution needs no coins")
    }

    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError> {
        let shown = self.0.lock().unwrap().shown;
        let reference = ObjectReference::new(id, shown, Digest::new([3; 32]));
        Ok(Some(ObjectOnChain {
            reference,
            owner: None,
            last_transaction: None,
            balance: None,
        }))
    }

    async fn view(&self, _: &ViewQuery) -> Result<ContractView, ChainError> {
        Err(ChainError::Malformed { what: "the view" })
    }

    fn build(&self, _: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        unreachable!("signed bytes are never built again")
    }

    async fn simulate(
        &self,
        _: &UnsignedTransaction,
        _: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        unreachable!("a resolution needs no simulation")
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
            Answer::RefusedThen(consumption) => {
                ledger.badge = Some(consumption);
                Err(refused(RefusalKind::ObjectVersion { object: None }))
            }
        }
    }

    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError> {
        assert_eq!(digest, OWN);
        Ok(self.0.lock().unwrap().executed.then(executed))
    }

    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        assert_eq!(versions, [badge(), coin()]);
        let ledger = self.0.lock().unwrap();
        let badge = ledger.badge.ok_or(ChainError::Malformed { what: "it" })?;
        Ok(vec![badge, ledger.coin])
    }

    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError> {
        assert_eq!((digest, epoch), (OWN, LAST_EPOCH));
        match self.0.lock().unwrap().absent {
            Absent::Nothing => Ok(false),
            Absent::Until(reached) => Ok(reached == until),
            Absent::Pruned => Err(ChainError::Pruned {
                lowest: 9,
                wanted: 1,
            }),
        }
    }
}

fn badge() -> ObjectReference {
    ObjectReference::new(BADGE, SIGNED_AT, Digest::new([2; 32]))
}

fn coin() -> ObjectReference {
    ObjectReference::new(Address::new([6; 32]), SIGNED_AT, Digest::new([2; 32]))
}

pub(in crate::engine) fn attempt() -> Attempt {
    Attempt {
        intents: vec![IntentId::new(1)],
        transaction: SignedTransaction {
            bytes: vec![1, 2, 3],
            digest: OWN,
            signatures: vec![vec![4]],
        },
        expires_after: LAST_EPOCH,
        badge: Some(badge()),
        gas: vec![coin()],
        gas_budget: Mist::new(1),
    }
}
