use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::contract::Abort;
use atoma_domain::events::{NodePublicKeyCommitment, NodeRegistered};
use atoma_domain::{Epoch, HexBytes, Mist, NodeSmallId};

use super::*;

const BADGE: ObjectId = ObjectId::new([7; 32]);

fn digest(number: u8) -> Digest {
    Digest::new([number; 32])
}

/// A badge whose versions are numbered like the transactions that wrote them.
#[derive(Default)]
struct Ledger {
    shown: BTreeMap<Digest, Use>,
    known: BTreeSet<Digest>,
}

impl Ledger {
    /// The first transaction registers the badge's node; the others are for these purposes.
    fn with(purposes: impl IntoIterator<Item = Purpose>) -> Self {
        let all = [Purpose::Registration].into_iter().chain(purposes);
        let shown = (1..).zip(all).map(|(number, purpose)| {
            let consumed = ConsumedVersion {
                version: u64::from(number) - 1,
                // A coin's and the badge's.
                dependencies: vec![digest(0), digest(number - 1)],
            };
            let used = Use {
                digest: digest(number),
                purpose,
                consumed: (number > 1).then_some(consumed),
                written: Some(u64::from(number)),
            };
            (used.digest, used)
        });
        let coin = Use {
            digest: digest(0),
            purpose: Purpose::Other,
            consumed: None,
            written: None,
        };
        Self {
            shown: shown.chain([(coin.digest, coin)]).collect(),
            known: BTreeSet::new(),
        }
    }

    fn knowing(mut self, number: u8) -> Self {
        self.known.insert(digest(number));
        self
    }

    fn hiding(mut self, number: u8) -> Self {
        self.shown.remove(&digest(number));
        self
    }

    async fn kind(&self, last: u8) -> UseKind {
        kind_of(self, digest(last)).await.unwrap()
    }
}

#[async_trait]
impl Uses for Ledger {
    async fn transaction(&self, digest: Digest) -> Result<Option<Use>, ReconcileError> {
        Ok(self.shown.get(&digest).cloned())
    }

    async fn is_known(&self, digest: Digest) -> Result<bool, ReconcileError> {
        Ok(self.known.contains(&digest))
    }
}

const ROTATION: Purpose = Purpose::KeyRotation;

#[tokio::test]
async fn rotations_are_followed_back_to_a_use_that_is_known() {
    let other = Purpose::Other;
    assert_eq!(Ledger::with([]).kind(1).await, UseKind::Registration);
    let since_registration = Ledger::with([ROTATION, ROTATION]);
    assert_eq!(since_registration.kind(3).await, UseKind::KeyRotation);
    let uses = || Ledger::with([other, ROTATION, ROTATION]);
    assert_eq!(uses().kind(4).await, UseKind::Other);
    assert_eq!(uses().knowing(2).kind(4).await, UseKind::KeyRotation);
    // An acknowledged rotation begins the row.
    assert_eq!(uses().knowing(3).kind(4).await, UseKind::KeyRotation);
    // What came before something else is no matter.
    assert_eq!(uses().knowing(1).kind(2).await, UseKind::Other);
}

#[tokio::test]
async fn as_many_rotations_as_allowed_are_followed_and_no_more() {
    let most = u8::try_from(MOST_ROTATIONS).unwrap();
    let uses = Ledger::with(vec![ROTATION; MOST_ROTATIONS + 1]);
    assert_eq!(uses.kind(most + 1).await, UseKind::KeyRotation);
    assert_eq!(uses.kind(most + 2).await, UseKind::Other);
}

#[tokio::test]
async fn a_transaction_that_is_not_shown_proves_nothing() {
    let uses = || Ledger::with([Purpose::Other, ROTATION, ROTATION]).knowing(2);
    for hidden in [4, 3, 2] {
        assert_eq!(uses().hiding(hidden).kind(4).await, UseKind::Unclear);
    }
    // Of those that are not shown, none is the badge's.
    assert_eq!(uses().hiding(0).kind(4).await, UseKind::KeyRotation);
}

/// The Sui node shows everything, and yet nothing that wrote the version.
#[tokio::test]
async fn a_use_without_a_use_before_it_is_other() {
    let mut without = Ledger::with([ROTATION]);
    without.shown.get_mut(&digest(2)).unwrap().consumed = None;
    assert_eq!(without.kind(2).await, UseKind::Other);
    let mut elsewhere = Ledger::with([ROTATION]);
    elsewhere.shown.get_mut(&digest(1)).unwrap().written = Some(9);
    assert_eq!(elsewhere.kind(2).await, UseKind::Other);
}

fn executed(outcome: ExecutionOutcome, events: Vec<ContractEvent>) -> Executed {
    Executed {
        digest: digest(1),
        outcome,
        epoch: Epoch::new(1),
        gas_used: Mist::new(1),
        gas_returned: Mist::ZERO,
        checkpoint: None,
        written: BTreeMap::new(),
        gas_coin: None,
        events,
        other_events: 0,
        effects: Vec::new(),
    }
}

fn rotated() -> ContractEvent {
    ContractEvent::NodePublicKeyCommitment(NodePublicKeyCommitment {
        epoch: Epoch::new(1),
        key_rotation_counter: 2,
        node_id: NodeSmallId::new(1),
        new_public_key: HexBytes(vec![1]),
        device_type: 3,
        evidence_bytes: HexBytes(Vec::new()),
    })
}

fn registered(badge_id: ObjectId) -> ContractEvent {
    ContractEvent::NodeRegistered(NodeRegistered {
        badge_id,
        node_small_id: NodeSmallId::new(1),
    })
}

fn aborted(module: &str, function: Option<&str>) -> ExecutionOutcome {
    ExecutionOutcome::Abort(Abort {
        module: module.to_owned(),
        function: function.map(str::to_owned),
        abort_code: 1,
        command: Some(0),
    })
}

#[test]
fn a_rotation_is_known_by_its_events_or_by_its_abort() {
    let of = |outcome, events| purpose(&executed(outcome, events), BADGE);
    let success = || ExecutionOutcome::Success;
    assert_eq!(of(success(), vec![rotated()]), ROTATION);
    assert_eq!(of(success(), vec![rotated(), rotated()]), ROTATION);
    for function in ROTATING {
        assert_eq!(of(aborted("db", Some(function)), vec![]), ROTATION);
    }
    for (outcome, events) in [
        // A call without an event may be anything.
        (success(), vec![]),
        (
            success(),
            vec![rotated(), registered(ObjectId::new([8; 32]))],
        ),
        (aborted("db", Some("claim_funds")), vec![]),
        (aborted("db", None), vec![]),
        (aborted("table", Some(ROTATING[0])), vec![]),
        (
            ExecutionOutcome::Cancelled {
                reason: String::from("congestion"),
            },
            vec![],
        ),
        (
            ExecutionOutcome::Failed {
                reason: String::from("gas"),
                out_of_gas: true,
            },
            vec![],
        ),
    ] {
        assert_eq!(of(outcome, events), Purpose::Other);
    }
    let mut with_unreadable = executed(success(), vec![rotated()]);
    with_unreadable.other_events = 1;
    assert_eq!(purpose(&with_unreadable, BADGE), Purpose::Other);
}

#[test]
fn a_registration_is_that_of_the_badge() {
    let of = |badge| {
        let events = vec![registered(badge)];
        purpose(&executed(ExecutionOutcome::Success, events), BADGE)
    };
    assert_eq!(of(BADGE), Purpose::Registration);
    assert_eq!(of(ObjectId::new([8; 32])), Purpose::Other);
}
