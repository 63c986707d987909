//! Aborts of Move code, identified by their structured fields.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::abort_table::ABORTS;

/// Where Move code aborted, and with which code. The values are the fields of Sui's `MoveAbort`,
/// never parsed from text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abort {
    /// The module, without its package: `db`, `dynamic_field`, `balance`.
    pub module: String,
    /// The function, if the network names it.
    pub function: Option<String>,
    /// The abort code.
    pub abort_code: u64,
    /// The index of the transaction's command, from 0.
    pub command: Option<u64>,
}

/// The meaning of an abort code to an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortInfo {
    /// The name of the constant in the contract or in Sui's framework.
    pub name: &'static str,
    /// What is wrong, as a clause without a full stop.
    pub meaning: &'static str,
    /// What to do about it, in whole sentences.
    pub advice: &'static str,
}

/// Codes of Sui's framework that the contract's calls can abort with.
const FRAMEWORK: &[(&str, u64, AbortInfo)] = &[
    (
        "dynamic_field",
        1,
        AbortInfo {
            name: "EFieldDoesNotExist",
            meaning: "the contract has no entry for that id",
            advice: "Check the ids. If a node has just unsubscribed from the task, try again later.",
        },
    ),
    (
        "balance",
        2,
        AbortInfo {
            name: "ENotEnough",
            meaning: "the contract's treasury holds too little to pay",
            advice: "Try again once more stacks have been bought.",
        },
    ),
    (
        "option",
        262_145,
        AbortInfo {
            name: "EOPTION_NOT_SET",
            meaning: "a value that the call needs is not set",
            advice: "Do the preceding step first; a node must be disabled before it can be destroyed.",
        },
    ),
];

impl Abort {
    /// The meaning of the code; `None` for an unknown one.
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

    /// Whether the contract's treasury holds too little: the call is valid, but too early.
    pub fn is_treasury_short(&self) -> bool {
        self.module == "balance" && self.abort_code == 2
    }

    /// Whether the node is already subscribed to the model, of which the daemon's mirror knows nothing.
    pub fn is_already_subscribed_to_model(&self) -> bool {
        self.info()
            .is_some_and(|info| info.name == "ENodeAlreadySubscribedToModel")
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
