//! Every refusal except those of inputs: the transaction, the gRPC code, and the text. The texts are Sui's.

use sui_rpc::proto::google::rpc;
use sui_sdk_types::{
    Address, Argument, Command, Digest, FundsWithdrawal, Input, MakeMoveVector, MoveCall,
    Mutability, Publish, SharedInput, StructTag, Transaction, TransactionExpiration, Upgrade,
    WithdrawFrom,
};
use tonic::{Code, Status};

use crate::refusals::refused;
use crate::support::{Fixture, SUI, random, transaction, transfer};

/// The introduction of what a full node finds itself.
const NODE: &str = "Error checking transaction input objects: ";

pub(crate) fn node(text: impl AsRef<str>) -> String {
    format!("{NODE}{}", text.as_ref())
}

pub(crate) fn rejected(text: impl AsRef<str>) -> String {
    format!(
        "Transaction is rejected as invalid by more than 1/3 of validators by stake (non-retriable). \
         Non-retriable errors: [{} with 10000 stake].",
        text.as_ref()
    )
}

pub(crate) fn aborted(text: impl AsRef<str>) -> String {
    format!(
        "Transaction processing aborted (retriable with another submission). Retriable errors: [{} \
         with 10000 stake].",
        text.as_ref()
    )
}

pub(crate) fn local(feature: &str) -> String {
    format!("Feature is not supported on this local network: {feature}")
}

#[track_caller]
pub(crate) fn assert_refusal(status: &Status, code: Code, text: &str, row: &str) {
    assert_eq!(status.message(), text, "{row}");
    assert_eq!(status.code(), code, "{row}");
    let details: rpc::Status = prost::Message::decode(status.details()).unwrap();
    assert_eq!(details.message, text, "{row}");
    assert_eq!(details.code, i32::from(code), "{row}");
}

pub(crate) fn move_call(package: Address, module: &str, function: &str) -> Command {
    Command::MoveCall(MoveCall {
        package,
        module: module.parse().unwrap(),
        function: function.parse().unwrap(),
        type_arguments: vec![],
        arguments: vec![],
    })
}

pub(crate) fn valid_during(
    chain: Digest,
    min: Option<u64>,
    max: Option<u64>,
) -> TransactionExpiration {
    TransactionExpiration::ValidDuring {
        min_epoch: min,
        max_epoch: max,
        min_timestamp: None,
        max_timestamp: None,
        chain,
        nonce: 1,
    }
}

#[tokio::test]
async fn refusals_of_gas_and_commands() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let valid = transfer(alice, gas.clone(), 1, alice);
    let changed = |change: &dyn Fn(&mut Transaction)| {
        let mut transaction = valid.clone();
        change(&mut transaction);
        transaction
    };
    let commands = |inputs, commands| transaction(alice, gas.clone(), inputs, commands);
    let settle = Command::MoveCall(MoveCall {
        package: fixture.network.addresses().package,
        module: "db".parse().unwrap(),
        function: "try_settle_stack".parse().unwrap(),
        type_arguments: vec![],
        arguments: vec![Argument::Input(0)],
    });
    let vector = Command::MakeMoveVector(MakeMoveVector {
        type_: None,
        elements: vec![],
    });
    let publish = Command::Publish(Publish {
        modules: vec![vec![1]],
        dependencies: vec![],
    });
    let upgrade = Command::Upgrade(Upgrade {
        modules: vec![vec![1]],
        dependencies: vec![],
        package: fixture.network.addresses().package,
        ticket: Argument::Gas,
    });
    let chain: Digest = fixture.network.chain_id().parse().unwrap();
    let usdc = {
        fixture.network.faucet(alice, 0, 77).unwrap();
        let usdc = StructTag::coin(fixture.network.addresses().usdc());
        fixture.owned(alice, &usdc.to_string()).await.remove(0)
    };
    let withdrawal = Input::FundsWithdrawal(FundsWithdrawal::new(
        1,
        StructTag::sui().into(),
        WithdrawFrom::Sender,
    ));
    let non_exclusive = Input::Shared(SharedInput::new(
        fixture.network.addresses().atoma_db,
        fixture.network.addresses().atoma_db_initial_shared_version,
        Mutability::NonExclusiveWrite,
    ));
    let invalid = Code::InvalidArgument;
    let cases: Vec<(&str, Transaction, Code, String)> = vec![
        (
            "a price below the reference price",
            changed(&|t| t.gas_payment.price = 999),
            invalid,
            node("Gas price 999 under reference gas price (RGP) 1000"),
        ),
        (
            "a price above the limit",
            changed(&|t| t.gas_payment.price = 100_000),
            invalid,
            node("Gas price cannot exceed 100000 mist"),
        ),
        (
            "a budget below the minimum",
            changed(&|t| t.gas_payment.budget = 999_999),
            invalid,
            node("Gas budget: 999999 is lower than min: 1000000"),
        ),
        (
            "a budget above the maximum",
            changed(&|t| t.gas_payment.budget = 50_000_000_001),
            invalid,
            node("Gas budget: 50000000001 is higher than max: 50000000000"),
        ),
        (
            "a budget above the balance",
            changed(&|t| t.gas_payment.budget = 21 * SUI),
            invalid,
            node("Balance of gas object 20000000000 is lower than the needed amount: 21000000000"),
        ),
        (
            "gas of another currency",
            changed(&|t| t.gas_payment.objects = vec![usdc.clone()]),
            invalid,
            node(format!("Object {} is not a gas object", usdc.object_id())),
        ),
        (
            "the same gas coin twice",
            changed(&|t| t.gas_payment.objects = vec![gas.clone(); 2]),
            invalid,
            node(format!(
                "Mutable object {} cannot appear more than one in one transaction",
                gas.object_id()
            )),
        ),
        (
            "no gas coin",
            changed(&|t| t.gas_payment.objects.clear()),
            invalid,
            node("Transaction gas payment missing"),
        ),
        (
            "gas from an address balance",
            changed(&|t| {
                t.gas_payment.objects.clear();
                t.expiration = valid_during(chain, Some(0), Some(1));
            }),
            Code::Unimplemented,
            local("gas payment from an address balance; name a gas coin"),
        ),
        (
            "a command after Random",
            commands(
                vec![random()],
                vec![settle, move_call(Address::TWO, "coin", "zero")],
            ),
            invalid,
            node(
                "Commands following a command with Random can only be TransferObjects or MergeCoins",
            ),
        ),
        (
            "an empty command",
            commands(vec![], vec![vector]),
            invalid,
            node(
                "TransferObjects, MergeCoin, and Publish cannot have empty arguments. If MakeMoveVec has \
                 empty arguments, it must have a type specified",
            ),
        ),
        (
            "a publication",
            commands(vec![], vec![publish]),
            Code::Unimplemented,
            local("the command Publish"),
        ),
        (
            "an upgrade",
            commands(vec![], vec![upgrade]),
            Code::Unimplemented,
            local("the command Upgrade"),
        ),
        (
            "an unknown function of the framework",
            commands(vec![], vec![move_call(Address::TWO, "pay", "join")]),
            Code::Unimplemented,
            local(&format!("calls of {}::pay::join", Address::TWO)),
        ),
        (
            "receiving an object",
            commands(vec![Input::Receiving(usdc.clone())], vec![]),
            Code::Unimplemented,
            local("receiving objects"),
        ),
        (
            "a withdrawal from an address balance",
            commands(vec![withdrawal], vec![]),
            Code::Unimplemented,
            local("withdrawals from address balances"),
        ),
        (
            "a non-exclusive write",
            commands(vec![non_exclusive], vec![]),
            Code::Unimplemented,
            local("non-exclusive writes"),
        ),
    ];
    for (row, transaction, code, text) in cases {
        let status = refused(&fixture, &transaction).await;
        assert_refusal(&status, code, &text, row);
    }
    fixture.execute(&valid).await.unwrap();
}

/// Two transactions over one version of an object: the one on its way holds it.
#[tokio::test]
async fn the_loser_of_two_transactions_at_once_meets_a_lock() {
    let fixture = std::sync::Arc::new(Fixture::start().await);
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let first = transfer(alice, gas.clone(), 1, alice);
    fixture.network.inject_fault(atoma_localnet::Fault {
        count: 1,
        ms: 600_000,
        ..atoma_localnet::Fault::once(atoma_localnet::FaultKind::ExecuteDelay)
    });
    let sending = tokio::spawn({
        let (fixture, first) = (std::sync::Arc::clone(&fixture), first.clone());
        async move { fixture.execute(&first).await }
    });
    while !fixture.network.faults().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = transfer(alice, gas.clone(), 2, alice);
    let status = refused(&fixture, &second).await;
    let text = rejected(format!(
        "Object ({}, SequenceNumber({}), o#{}) already locked by a different transaction: \
         TransactionDigest({})",
        gas.object_id(),
        gas.version(),
        gas.digest(),
        first.digest()
    ));
    assert_refusal(&status, Code::FailedPrecondition, &text, "a locked coin");
    // The same bytes are no other transaction.
    fixture.execute(&first).await.unwrap();
    sending.abort();
    // A version that has no holder any more was consumed.
    let status = refused(&fixture, &second).await;
    assert_eq!(status.code(), Code::InvalidArgument);
}
