//! `aborts.json`: which calls fail, with which code and where, and which calls succeed.

use std::collections::BTreeSet;

use super::chain::TestChain;
use super::scenarios::scenarios;
use super::vectors::{assert_error, load, text};
use crate::contract::{ABORTS, abort_name};
use crate::vm::MoveError;

fn run(function: &str, condition: &str, seed: u8) -> Result<(), MoveError> {
    let (.., scenario) = scenarios()
        .find(|scenario| (scenario.0, scenario.1) == (function, condition))
        .unwrap_or_else(|| panic!("no scenario for {function}: {condition}"));
    scenario(&mut TestChain::seeded(4, seed))
}

#[test]
fn constants_have_the_contracts_names_and_codes() {
    let vectors = load("aborts.json");
    let expected: BTreeSet<(String, u64)> = vectors["constants"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, code)| (name.clone(), code.as_u64().unwrap()))
        .collect();
    let ours: BTreeSet<(String, u64)> = ABORTS
        .iter()
        .map(|(name, code)| ((*name).to_owned(), *code))
        .collect();
    assert_eq!(ours, expected);
    assert_eq!(abort_name(312_012_017), Some("ETaskNotFound"));
    assert_eq!(abort_name(1), None);
}

#[test]
fn every_scenario_was_measured() {
    let vectors = load("aborts.json");
    let measured: BTreeSet<(&str, &str)> = ["aborts", "no_abort"]
        .iter()
        .flat_map(|list| vectors[*list].as_array().unwrap())
        .map(|vector| (text(vector, "function"), text(vector, "condition")))
        .collect();
    for (function, condition, _) in scenarios() {
        assert!(
            measured.contains(&(*function, *condition)),
            "{function}: {condition}"
        );
    }
    assert_eq!(measured.len(), scenarios().count());
}

#[test]
fn failing_calls_fail_as_measured() {
    let vectors = load("aborts.json");
    for vector in vectors["aborts"].as_array().unwrap() {
        let (function, condition) = (text(vector, "function"), text(vector, "condition"));
        let case = format!("{function}: {condition}");
        for seed in [7, 8] {
            match run(function, condition, seed) {
                Ok(()) => panic!("{case}: succeeded"),
                Err(error) => assert_error(&error, vector, &case),
            }
        }
    }
}

#[test]
fn other_calls_succeed() {
    let vectors = load("aborts.json");
    for vector in vectors["no_abort"].as_array().unwrap() {
        let (function, condition) = (text(vector, "function"), text(vector, "condition"));
        for seed in [7, 8] {
            if let Err(error) = run(function, condition, seed) {
                panic!("{function}: {condition}: {error}");
            }
        }
    }
}
