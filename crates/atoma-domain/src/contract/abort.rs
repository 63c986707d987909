//! Aborts of Move code, told apart by their structured fields.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::abort_table::ABORTS;

/// Where Move code aborted and with which code: the fields of Sui's `MoveAbort`, never text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abort {
    /// The module, without its package: `db`, `dynamic_field`, `balance`.
    pub module: String,
    /// The function, where the network names it.
    pub function: Option<String>,
    /// The abort code.
    pub abort_code: u64,
    /// Which command of the transaction, from 0.
    pub command: Option<u64>,
}

/// What an abort means to an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortInfo {
    /// The constant's name, as in the contract or in Sui's framework.
    pub name: &'static str,
    /// What was wrong.
    pub meaning: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

/// Codes of Sui's framework that calls of the contract run into.
const FRAMEWORK: &[(&str, u64, AbortInfo)] = &[
    (
        "dynamic_field",
        1,
        AbortInfo {
            name: "EFieldDoesNotExist",
            meaning: "the contract knows nothing of that id",
            advice: "Check the ids; if a node has just unsubscribed from the task, a later try can succeed.",
        },
    ),
    (
        "balance",
        2,
        AbortInfo {
            name: "ENotEnough",
            meaning: "the contract's treasury holds too little to pay",
            advice: "Try again when more stacks have been bought.",
        },
    ),
    (
        "option",
        262_145,
        AbortInfo {
            name: "EOPTION_NOT_SET",
            meaning: "a value that the call needs was never set",
            advice: "Do the step before it first; a node must be disabled before it is destroyed.",
        },
    ),
];

impl Abort {
    /// What the code means, where it is known.
    pub fn info(&self) -> Option<AbortInfo> {
        if self.module == "db" {
            let row = ABORTS
                .binary_search_by_key(&self.abort_code, |row| row.0)
                .ok()?;
            let &(_, name, meaning, advice) = ABORTS.get(row)?;
            return Some(AbortInfo {
                name,
                meaning,
                advice,
            });
        }
        FRAMEWORK
            .iter()
            .find(|(module, code, _)| *module == self.module && *code == self.abort_code)
            .map(|(_, _, info)| *info)
    }

    /// Whether the contract's treasury held too little: the call is right, only too early.
    pub fn is_treasury_short(&self) -> bool {
        self.module == "balance" && self.abort_code == 2
    }
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.info() {
            Some(info) => write!(f, "{} ({})", info.meaning, info.name),
            None => write!(f, "abort {} in {}", self.abort_code, self.module),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abort(module: &str, abort_code: u64) -> Abort {
        Abort {
            module: module.to_owned(),
            function: None,
            abort_code,
            command: Some(0),
        }
    }

    #[test]
    fn every_constant_of_the_contract_is_named() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../../tests/vectors/aborts.json")).unwrap();
        let constants = vectors["constants"].as_object().unwrap();
        assert_eq!(constants.len(), ABORTS.len());
        for (name, code) in constants {
            let info = abort("db", code.as_u64().unwrap()).info().unwrap();
            assert_eq!(info.name, name);
        }
    }

    #[test]
    fn the_frameworks_codes_are_explained_and_others_shown_as_they_are() {
        assert_eq!(
            abort("dynamic_field", 1).info().unwrap().name,
            "EFieldDoesNotExist"
        );
        assert!(abort("balance", 2).is_treasury_short());
        assert!(!abort("db", 2).is_treasury_short());
        assert_eq!(abort("coin", 9).to_string(), "abort 9 in coin");
    }
}
