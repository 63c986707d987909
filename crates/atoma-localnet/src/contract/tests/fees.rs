//! `fees.json`: all payments, coin by coin.

use atoma_domain::events::ContractEvent;
use atoma_domain::{NodeSmallId, StackSmallId};
use serde_json::{Map, Value, json};
use sui_sdk_types::Owner;

use super::chain::{CONFIDENTIAL, NONE, SAMPLING, TestChain, USER, address_of};
use super::vectors::{assert_error, bytes, comparable, expected, load, number, numbers, text};
use crate::contract::ContractState;
use crate::vm::ExecutionResults;

/// A case: its vector, and the chain on which it runs.
struct Case<'v> {
    vector: &'v Value,
    chain: TestChain,
    task: u64,
}

fn parameter(vector: &Value, name: &str) -> u64 {
    number(&vector["params"][name])
}

/// A number or a list of numbers.
fn one_or_more(value: &Value) -> Vec<u64> {
    match value {
        Value::Array(_) => numbers(value),
        single => vec![number(single)],
    }
}

impl<'v> Case<'v> {
    fn new(vector: &'v Value) -> Self {
        let params = &vector["params"];
        let nodes = [
            "node_fee_entries_after_claim",
            "node_fee_entries_before_claim",
        ]
        .iter()
        .filter_map(|entries| vector[*entries].as_object())
        .map(|entries| entries.keys().map(|id| id.parse().unwrap()).max().unwrap())
        .max()
        .unwrap_or_else(|| parameter(vector, "other_eligible_nodes") + 1);
        let mut chain = TestChain::new(0);
        chain.epoch = 3;
        for node in 1..=nodes {
            chain.register(node);
        }
        let level = u16::try_from(parameter(vector, "security_level")).unwrap();
        assert!([NONE, CONFIDENTIAL, SAMPLING].contains(&level));
        for name in [
            "sampling_consensus_charge_permille",
            "cross_validation_extra_nodes_charge_permille",
            "cross_validation_extra_nodes_count",
        ] {
            if params.get(name).is_some() {
                chain.set(name, parameter(vector, name));
            }
        }
        let task = chain.create_task(level, None, true);
        let price = parameter(vector, "price_per_one_million_compute_units");
        for node in 1..=nodes {
            chain.subscribe(node, task, price).unwrap();
        }
        chain.events.clear();
        Self {
            vector,
            chain,
            task,
        }
    }

    fn run(mut self) {
        let vector = self.vector;
        let params = &vector["params"];
        let price = parameter(vector, "price_per_one_million_compute_units");
        let units = one_or_more(&params["num_compute_units"]);
        let claimed = one_or_more(&params["claimed_compute_units"]);
        let confidential = text(params, "claimed_with") == "claim_funds_for_stacks";

        let wallet_before = self.chain.coin_value(&self.chain.wallet);
        let wallet = self.chain.wallet;
        let stacks: Vec<u64> = units
            .iter()
            .map(|units| {
                let stack = self.chain.buy(wallet, self.task, *units, price, Some(1));
                stack.unwrap()
            })
            .collect();
        let paid = wallet_before - self.chain.coin_value(&wallet);
        self.expect_number("user_paid", paid);

        if !confidential {
            for (stack, claimed) in stacks.iter().zip(&claimed) {
                self.settle_and_attest(*stack, *claimed);
            }
        }
        self.top_up();
        let topped_up = vector["params"].get("treasury_top_up").is_some();
        if topped_up && vector.get("user_paid").is_none() && text(vector, "outcome") == "ok" {
            self.buy_unrecorded(paid);
        }
        self.expect_state("before_claim");

        if !confidential {
            self.chain.epoch += 1;
        }
        let ids = params.get("ids_in_call").map_or(stacks.clone(), numbers);
        let result = if confidential {
            let claimed: Vec<u64> = ids
                .iter()
                .map(|id| {
                    let place = stacks.iter().position(|stack| stack == id).unwrap();
                    claimed[place]
                })
                .collect();
            self.chain.claim_confidential(1, &ids, &claimed)
        } else {
            self.chain.claim(1, &ids)
        };
        let case = text(vector, "case");
        if text(vector, "outcome") != "ok" {
            assert_error(&result.unwrap_err(), vector, case);
            return;
        }
        let results = result.unwrap_or_else(|error| panic!("{case}: {error}"));
        self.expect_number("claimed_in_epoch", self.chain.epoch);
        self.expect_coins("coins_after_claim", &results);
        self.expect_state("after_claim");
        self.expect_stacks(&stacks);
        self.expect_events();
        self.withdraw();
    }

    /// Settles with a forced draw, then attests with as many of the drawn nodes as the vector says.
    fn settle_and_attest(&mut self, stack: u64, claimed: u64) {
        let settle = self
            .event("StackTrySettleEvent")
            .or_else(|| self.event("NewStackSettlementAttestationEvent"));
        let hash = |name: &str| settle.map_or(vec![1; 32], |fields| bytes(&fields[name]));
        let (proof, leaf) = (hash("committed_stack_proof"), hash("stack_merkle_leaf"));
        let sent = self.vector["params"].get("attestations_sent").map(number);
        // A vector without a draw but with attestations ends in a dispute, as when a node drawn
        // twice attests twice.
        let attesters = match self.vector.get("requested_attestation_nodes") {
            Some(nodes) => numbers(nodes),
            None if sent.is_some_and(|sent| sent > 0) => vec![2, 2],
            None => Vec::new(),
        };
        self.chain
            .settle_with(1, stack, claimed, &proof, &leaf, Some(&attesters))
            .unwrap();
        if let Some(proved) = self.event("NewStackSettlementAttestationEvent") {
            let node = number(&proved["attestation_node_id"]);
            let proof = bytes(&proved["committed_stack_proof"]);
            let leaf = bytes(&proved["stack_merkle_leaf"]);
            self.chain.attest_with(node, stack, &proof, &leaf).unwrap();
        } else {
            for node in attesters
                .iter()
                .take(usize::try_from(sent.unwrap_or(0)).unwrap())
            {
                self.chain
                    .attest_with(*node, stack, &proof, &[9; 32])
                    .unwrap();
            }
        }
    }

    /// The first event of that type in the vector.
    fn event(&self, name: &str) -> Option<&'v Map<String, Value>> {
        let events = self.vector["events"].as_array()?;
        let event = events.iter().find(|event| event["type"] == name)?;
        event["fields"].as_object()
    }

    fn top_up(&mut self) {
        let top_up = self.vector["params"].get("treasury_top_up");
        let Some(amount) = top_up.map(number).filter(|amount| *amount > 0) else {
            return;
        };
        let events = std::mem::take(&mut self.chain.events);
        self.chain.top_up(amount);
        self.chain.events = events;
    }

    /// For one case, more stacks were bought until a draw had the desired result. Their number
    /// follows from the treasury.
    fn buy_unrecorded(&mut self, paid: u64) {
        let params = &self.vector["params"];
        let paid_out: u64 = listed(self.vector.get("coins_after_claim"))
            .iter()
            .map(|(_, amount)| amount)
            .sum();
        let before = number(&self.vector["fee_treasury_after_claim"]) + paid_out;
        let missing = before - self.chain.state().fee_treasury;
        assert_eq!(missing % paid, 0, "whole stacks");
        let events = std::mem::take(&mut self.chain.events);
        for _ in 0..missing / paid {
            let units = number(&params["num_compute_units"]);
            let price = number(&params["price_per_one_million_compute_units"]);
            let wallet = self.chain.wallet;
            let stack = self.chain.buy(wallet, self.task, units, price, Some(1));
            stack.unwrap();
        }
        self.chain.events = events;
    }

    /// Withdraws for the nodes that withdrew according to the vector.
    fn withdraw(&mut self) {
        let key = "node_fee_entries_after_withdraw";
        let Some(entries) = self.vector[key].as_object() else {
            return;
        };
        let mut coins = Vec::new();
        for (node, entry) in entries {
            if number(&entry["last_fee_epoch"]) == self.chain.epoch {
                let results = self.chain.withdraw(node.parse().unwrap()).unwrap();
                coins.extend(coins_of(&results));
            }
        }
        let wanted = self.vector.get("coins_after_withdraw");
        assert_eq!(coins, listed(wanted), "{}", self.vector["case"]);
        self.expect_state("after_withdraw");
    }

    fn expect_number(&self, key: &str, actual: u64) {
        if let Some(expected) = self.vector.get(key) {
            assert_eq!(actual, number(expected), "{}: {key}", self.vector["case"]);
        }
    }

    fn expect_coins(&self, key: &str, results: &ExecutionResults) {
        let mut actual = coins_of(results);
        let mut wanted = listed(self.vector.get(key));
        actual.sort();
        wanted.sort();
        assert_eq!(actual, wanted, "{}: {key}", self.vector["case"]);
    }

    /// Compares treasuries and fee entries at a moment named in the vector.
    fn expect_state(&self, moment: &str) {
        let state = self.chain.state();
        self.expect_number(&format!("fee_treasury_{moment}"), state.fee_treasury);
        self.expect_number(
            &format!("communal_treasury_{moment}"),
            state.communal_treasury,
        );
        if let Some(entries) = self.vector.get(format!("node_fee_entries_{moment}")) {
            assert_eq!(
                fee_entries(&state),
                *entries,
                "{} {moment}",
                self.vector["case"]
            );
        }
    }

    fn expect_stacks(&self, stacks: &[u64]) {
        let Some(wanted) = self.vector.get("stacks_after_claim") else {
            return;
        };
        let state = self.chain.state();
        let actual: Map<String, Value> = stacks
            .iter()
            .map(|stack| {
                let id = StackSmallId::new(*stack);
                let mut entry = Map::new();
                let kept = state.stacks.get(&id);
                entry.insert("stack_entry_exists".into(), kept.is_some().into());
                if let Some(kept) = kept {
                    entry.insert("is_claimed".into(), kept.is_claimed.into());
                }
                entry.insert(
                    "ticket_exists".into(),
                    state.tickets.contains_key(&id).into(),
                );
                (stack.to_string(), entry.into())
            })
            .collect();
        assert_eq!(Value::Object(actual), *wanted, "{}", self.vector["case"]);
    }

    /// Compares events. Some cases list all of them, others only those of the last calls.
    fn expect_events(&self) {
        let wanted = expected(&self.vector["events"]);
        let actual = comparable(&self.chain.events);
        let skipped = actual.len() - wanted.len();
        assert_eq!(actual[skipped..], wanted, "{}", self.vector["case"]);
        if wanted[0]["type"] == "StackCreatedEvent" {
            assert_eq!(skipped, 0, "{}", self.vector["case"]);
        }
        assert!(matches!(
            self.chain.events[0],
            ContractEvent::StackCreated(_)
        ));
    }
}

fn fee_entries(state: &ContractState) -> Value {
    let entries: Map<String, Value> = state
        .nodes
        .iter()
        .map(|(id, node)| {
            let entry = json!({
                "last_fee_epoch": node.last_fee_epoch,
                "last_fee_epoch_amount": node.last_fee_epoch_amount,
                "available_fee_amount": node.available_fee_amount,
            });
            (NodeSmallId::get(*id).to_string(), entry)
        })
        .collect();
    entries.into()
}

/// The owners and amounts of the coins that a transaction created.
fn coins_of(results: &ExecutionResults) -> Vec<(String, u64)> {
    results
        .created
        .iter()
        .filter_map(|id| {
            let state = &results.written[id];
            let owner = match state.owner {
                Some(Owner::Address(USER)) => "user".to_owned(),
                Some(Owner::Address(owner)) => {
                    let node = (1..=9).find(|node| address_of(*node) == owner)?;
                    format!("node{node}")
                }
                _ => return None,
            };
            Some((owner, state.coin_value()?))
        })
        .collect()
}

fn listed(coins: Option<&Value>) -> Vec<(String, u64)> {
    let coins = coins.and_then(Value::as_array);
    coins
        .into_iter()
        .flatten()
        .map(|coin| (text(coin, "to").to_owned(), number(&coin["amount"])))
        .collect()
}

#[test]
fn payments_are_as_measured() {
    let vectors = load("fees.json");
    let cases = vectors.as_array().unwrap();
    assert!(!cases.is_empty());
    for vector in cases {
        Case::new(vector).run();
    }
}
