//! Every limit of gas at its boundary: the last value that passes and the first that is refused.

use sui_sdk_types::{Transaction, TransactionExpiration};
use tonic::Code;

use crate::refusal_table::{assert_refusal, node, valid_during};
use crate::refusals::refused;
use crate::support::{Fixture, SUI, transaction};

/// The change that passes, the one that is refused, and its text.
struct Boundary {
    name: &'static str,
    passes: fn(&mut Transaction),
    refused: fn(&mut Transaction),
    text: &'static str,
}

#[tokio::test]
async fn prices_and_budgets_at_their_limits() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    fixture.network.faucet(alice, 60 * SUI, 0).unwrap();
    let boundaries = [
        Boundary {
            name: "the reference gas price",
            passes: |t| t.gas_payment.price = 1_000,
            refused: |t| t.gas_payment.price = 999,
            text: "Gas price 999 under reference gas price (RGP) 1000",
        },
        Boundary {
            name: "the highest gas price",
            passes: |t| t.gas_payment.price = 99_999,
            refused: |t| t.gas_payment.price = 100_000,
            text: "Gas price cannot exceed 100000 mist",
        },
        Boundary {
            name: "the lowest budget",
            passes: |t| t.gas_payment.budget = 1_000_000,
            refused: |t| t.gas_payment.budget = 999_999,
            text: "Gas budget: 999999 is lower than min: 1000000",
        },
        Boundary {
            name: "the lowest budget at another price",
            passes: |t| (t.gas_payment.price, t.gas_payment.budget) = (2_000, 2_000_000),
            refused: |t| (t.gas_payment.price, t.gas_payment.budget) = (2_000, 1_999_999),
            text: "Gas budget: 1999999 is lower than min: 2000000",
        },
        Boundary {
            name: "the highest budget",
            passes: |t| t.gas_payment.budget = 50 * SUI,
            refused: |t| t.gas_payment.budget = 50 * SUI + 1,
            text: "Gas budget: 50000000001 is higher than max: 50000000000",
        },
    ];
    for boundary in boundaries {
        let gas = fixture.coins(alice).await.remove(0);
        let empty = transaction(alice, gas, vec![], vec![]);
        let mut beyond = empty.clone();
        (boundary.refused)(&mut beyond);
        let status = refused(&fixture, &beyond).await;
        let text = node(boundary.text);
        assert_refusal(&status, Code::InvalidArgument, &text, boundary.name);
        let mut last = empty;
        (boundary.passes)(&mut last);
        // It passes the checks, and may run out of gas.
        let executed = fixture.execute(&last).await;
        executed.unwrap_or_else(|status| panic!("{}: {status}", boundary.name));
    }
}

#[tokio::test]
async fn a_budget_may_be_all_that_the_coins_hold() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let coins = fixture.coins(alice).await;
    // 20 and 10 SUI.
    let paid = |count: usize, budget| {
        let mut transaction = transaction(alice, coins[0].clone(), vec![], vec![]);
        transaction.gas_payment.objects = coins[..count].to_vec();
        transaction.gas_payment.budget = budget;
        transaction
    };
    for (count, held) in [(1, 20 * SUI), (2, 30 * SUI)] {
        let status = refused(&fixture, &paid(count, held + 1)).await;
        let text = node(format!(
            "Balance of gas object {held} is lower than the needed amount: {}",
            held + 1
        ));
        assert_refusal(&status, Code::InvalidArgument, &text, "the balance");
    }
    fixture.execute(&paid(2, 30 * SUI)).await.unwrap();
}

/// Nothing asks of a transaction that it does something: it only pays.
#[tokio::test]
async fn an_empty_transaction_executes() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let empty = transaction(alice, gas, vec![], vec![]);
    let executed = fixture.execute(&empty).await.unwrap();
    crate::support::assert_success(&executed);
}

#[tokio::test]
async fn expirations_at_their_limits() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let chain = fixture.network.chain_id().parse().unwrap();
    fixture.network.advance_epoch().unwrap();
    let now = 1;
    for (row, passes, fails) in [
        (
            "the last epoch",
            TransactionExpiration::Epoch(now),
            TransactionExpiration::Epoch(now - 1),
        ),
        (
            "the end of the epochs",
            valid_during(chain, Some(now - 1), Some(now)),
            valid_during(chain, Some(now - 1), Some(now - 1)),
        ),
        (
            "the beginning of the epochs",
            valid_during(chain, Some(now), Some(now + 1)),
            valid_during(chain, Some(now + 1), Some(now + 2)),
        ),
    ] {
        let gas = fixture.coins(alice).await.remove(0);
        let mut transaction = transaction(alice, gas, vec![], vec![]);
        transaction.expiration = fails;
        let status = refused(&fixture, &transaction).await;
        assert_refusal(&status, Code::InvalidArgument, "Transaction Expired", row);
        transaction.expiration = passes;
        fixture.execute(&transaction).await.unwrap();
    }
}
