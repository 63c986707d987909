//! The table of refusals against a network that refuses in Sui's words: what each refusal means to the daemon.

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{
    Chain as _, Executed, Refusal, RefusalKind, SignedTransaction, Signer as _, SubmitError,
    UnsignedTransaction, ViewQuery,
};
use atoma_domain::{Digest, ObjectReference};
use atoma_localnet::{Fault, FaultKind};
use sui_sdk_types::{
    Address, Argument, Command, Input, MakeMoveVector, MoveCall, ProgrammableTransaction,
    SharedInput, SplitCoins, Transaction, TransactionExpiration, TransactionKind,
};

use crate::support::{NOBODY, PRICE, SUI, TestNetwork, TestOperator};

/// What a submission means to the daemon.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Refused(RefusalKind),
    /// The transaction may still execute.
    Unknown,
}

pub(crate) fn meaning(result: Result<Executed, SubmitError>) -> Meaning {
    match result {
        Err(SubmitError::Refused(Refusal { kind, .. })) => Meaning::Refused(kind),
        Err(SubmitError::Unknown(_)) => Meaning::Unknown,
        Ok(executed) => panic!("executed: {executed:?}"),
    }
}

pub(crate) async fn sign(operator: &TestOperator, transaction: &Transaction) -> SignedTransaction {
    let unsigned = UnsignedTransaction {
        bytes: bcs::to_bytes(transaction).unwrap(),
        digest: transaction.digest(),
    };
    operator.signer.sign(unsigned).await.unwrap()
}

pub(crate) fn commands(transaction: &mut Transaction) -> &mut ProgrammableTransaction {
    match &mut transaction.kind {
        TransactionKind::ProgrammableTransaction(programmable) => programmable,
        other => panic!("{other:?}"),
    }
}

/// A transaction of the operator that the network would execute.
pub(crate) async fn good(network: &TestNetwork, operator: &TestOperator) -> Transaction {
    let task = network.task(0);
    let subscribe = ContractCall::SubscribeToTask { task, price: PRICE };
    let badge = Some(operator.badge);
    let plan = network.plan(&operator.signer, badge, &[subscribe]).await;
    let unsigned = network.chain.build(&plan).unwrap();
    bcs::from_bytes(&unsigned.bytes).unwrap()
}

#[tokio::test]
async fn every_refusal_has_its_meaning() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let stale = good(&network, &operator).await;
    let sent = sign(&operator, &stale).await;
    network.chain.execute(&sent).await.unwrap();
    let good = good(&network, &operator).await;
    let other = network.operator(1, &[]).await;
    let query = ViewQuery {
        badge: Some(other.badge),
        ..ViewQuery::default()
    };
    let their_badge = network.chain.view(&query).await.unwrap().badge.unwrap();
    let their_coin = network
        .chain
        .gas_coins(other.signer.address())
        .await
        .unwrap()[0]
        .reference
        .clone();
    let badge = operator.badge;
    let gas = good.gas_payment.objects[0].clone();
    let at_badge = |reference: ObjectReference| {
        let mut transaction = good.clone();
        for input in &mut commands(&mut transaction).inputs {
            if matches!(input, Input::ImmutableOrOwned(old) if *old.object_id() == badge) {
                *input = Input::ImmutableOrOwned(reference.clone());
            }
        }
        transaction
    };
    let stale_badge = badge_input(&stale);
    let own_badge = badge_input(&good);
    let changed = |change: &dyn Fn(&mut Transaction)| {
        let mut transaction = good.clone();
        change(&mut transaction);
        transaction
    };
    let with_input = |input: Input| changed(&|t| commands(t).inputs.push(input.clone()));
    let with_command = |command: Command| changed(&|t| commands(t).commands.push(command.clone()));
    let random = |start, mutable| {
        with_input(Input::Shared(SharedInput::new(
            Address::from_static("0x8"),
            start,
            mutable,
        )))
    };
    let valid_during = |min, max, chain| {
        changed(&|t| {
            t.expiration = TransactionExpiration::ValidDuring {
                min_epoch: Some(min),
                max_epoch: Some(max),
                min_timestamp: None,
                max_timestamp: None,
                chain,
                nonce: 1,
            };
        })
    };
    let chain: Digest = network.localnet.chain_id().parse().unwrap();
    let (id, version, digest) = gas.clone().into_parts();

    let version_of = |object| {
        Meaning::Refused(RefusalKind::ObjectVersion {
            object: Some(object),
        })
    };
    let unusable = |object| Meaning::Refused(RefusalKind::ObjectNotUsable { object });
    let refused = Meaning::Refused;
    let invalid = || Meaning::Refused(RefusalKind::Invalid);
    let rows: Vec<(&str, Transaction, Meaning)> = vec![
        ("a consumed badge", at_badge(stale_badge), version_of(badge)),
        (
            "a badge with another digest",
            at_badge(ObjectReference::new(
                badge,
                own_badge.version(),
                Digest::new([1; 32]),
            )),
            version_of(badge),
        ),
        (
            "another's badge",
            at_badge(their_badge.clone()),
            unusable(Some(other.badge)),
        ),
        (
            "another's coin",
            changed(&|t| t.gas_payment.objects = vec![their_coin.clone()]),
            unusable(Some(*their_coin.object_id())),
        ),
        (
            "gas that is no coin",
            changed(&|t| {
                commands(t).inputs.clear();
                commands(t).commands.clear();
                t.gas_payment.objects = vec![own_badge.clone()];
            }),
            unusable(Some(badge)),
        ),
        (
            "a coin version to come",
            changed(&|t| {
                t.gas_payment.objects = vec![ObjectReference::new(id, version + 9, digest)];
            }),
            Meaning::Unknown,
        ),
        (
            "a badge that does not exist",
            at_badge(ObjectReference::new(NOBODY, 3, Digest::ZERO)),
            Meaning::Unknown,
        ),
        (
            "a package that does not exist",
            with_command(Command::MoveCall(MoveCall {
                package: NOBODY,
                module: "m".parse().unwrap(),
                function: "f".parse().unwrap(),
                type_arguments: vec![],
                arguments: vec![],
            })),
            Meaning::Unknown,
        ),
        (
            "an epoch in the past",
            changed(&|t| t.expiration = TransactionExpiration::Epoch(0)),
            refused(RefusalKind::Expired),
        ),
        (
            "epochs in the past",
            valid_during(0, 0, chain),
            refused(RefusalKind::Expired),
        ),
        (
            "another chain",
            valid_during(1, 1, Digest::new([1; 32])),
            invalid(),
        ),
        ("too many epochs", valid_during(1, 3, chain), invalid()),
        (
            "a budget above the balance",
            changed(&|t| t.gas_payment.budget = 40 * SUI),
            refused(RefusalKind::GasBalance),
        ),
        (
            "a price below the reference price",
            changed(&|t| t.gas_payment.price = 1),
            refused(RefusalKind::GasTerms),
        ),
        (
            "a price above the limit",
            changed(&|t| t.gas_payment.price = 1_000_000),
            refused(RefusalKind::GasTerms),
        ),
        (
            "a budget above the maximum",
            changed(&|t| t.gas_payment.budget = 60 * SUI),
            refused(RefusalKind::GasTerms),
        ),
        (
            "a budget below the minimum",
            changed(&|t| t.gas_payment.budget = 1),
            refused(RefusalKind::GasBudgetTooLow),
        ),
        (
            "no gas coin",
            changed(&|t| t.gas_payment.objects.clear()),
            invalid(),
        ),
        (
            "the gas coin as an input",
            with_input(Input::ImmutableOrOwned(gas.clone())),
            invalid(),
        ),
        (
            "an input twice",
            with_input(Input::ImmutableOrOwned(own_badge.clone())),
            invalid(),
        ),
        ("`&mut Random`", random(1, true), invalid()),
        ("another initial version", random(7, false), invalid()),
        (
            "an owned object as shared",
            changed(&|t| {
                commands(t).inputs = vec![Input::Shared(SharedInput::new(badge, 1, true))];
                commands(t).commands.clear();
            }),
            invalid(),
        ),
        (
            "a pure argument that is too long",
            with_input(Input::Pure(vec![0; 16_384])),
            invalid(),
        ),
        (
            "too many commands",
            changed(&|t| {
                let split = Command::SplitCoins(SplitCoins {
                    coin: Argument::Gas,
                    amounts: vec![Argument::Input(0)],
                });
                commands(t).commands = vec![split; 1_024];
            }),
            invalid(),
        ),
        (
            "an empty command",
            with_command(Command::MakeMoveVector(MakeMoveVector {
                type_: None,
                elements: vec![],
            })),
            invalid(),
        ),
    ];
    network.localnet.advance_epoch().unwrap();
    let mut good = good;
    good.expiration = TransactionExpiration::Epoch(1);
    for (row, mut transaction, wanted) in rows {
        if transaction.expiration == TransactionExpiration::Epoch(0)
            && row != "an epoch in the past"
        {
            transaction.expiration = TransactionExpiration::Epoch(1);
        }
        let signed = sign(&operator, &transaction).await;
        let result = network.chain.execute(&signed).await;
        assert_eq!(meaning(result), wanted, "{row}");
    }

    // Signatures of another key, and too few.
    let mut wrong = sign(&operator, &good).await;
    let mut theirs = good.clone();
    theirs.sender = other.signer.address();
    theirs.gas_payment.owner = theirs.sender;
    wrong.signatures = sign(&other, &theirs).await.signatures;
    assert_eq!(meaning(network.chain.execute(&wrong).await), invalid());
    wrong.signatures.clear();
    assert_eq!(meaning(network.chain.execute(&wrong).await), invalid());

    // Nothing of this kept the good one from executing.
    let signed = sign(&operator, &good).await;
    network.chain.execute(&signed).await.unwrap();
}

/// The only owned input: the operator's badge.
fn badge_input(transaction: &Transaction) -> ObjectReference {
    let TransactionKind::ProgrammableTransaction(programmable) = &transaction.kind else {
        panic!("{transaction:?}");
    };
    programmable
        .inputs
        .iter()
        .find_map(|input| match input {
            Input::ImmutableOrOwned(reference) => Some(reference.clone()),
            _ => None,
        })
        .unwrap()
}

#[tokio::test]
async fn a_lock_conflict_is_a_question_of_versions() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let first = good(&network, &operator).await;
    let mut second = first.clone();
    second.gas_payment.budget += 1;
    network.localnet.inject_fault(Fault {
        ms: 600_000,
        ..Fault::once(FaultKind::ExecuteDelay)
    });
    let first = sign(&operator, &first).await;
    let sending = tokio::spawn({
        let (chain, first) = (network.chain.clone(), first.clone());
        async move { chain.execute(&first).await }
    });
    while !network.localnet.faults().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = sign(&operator, &second).await;
    let found = meaning(network.chain.execute(&second).await);
    let object = Some(operator.badge);
    assert_eq!(
        found,
        Meaning::Refused(RefusalKind::ObjectVersion { object })
    );
    sending.abort();
}
