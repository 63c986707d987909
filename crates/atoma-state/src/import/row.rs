//! A row of the earlier node's table `stacks`, as it is stored.

use std::collections::BTreeSet;

use sqlx::FromRow;

use super::error::ImportError;

/// The most bytes of `total_hash` that are read of one stack: two million messages. The earlier node writes all of them
/// again with each message.
pub(super) const MOST_HASH_BYTES: i64 = 64 * 1024 * 1024;

/// The columns that every version with hashes has.
const COLUMNS: [&str; 10] = [
    "stack_small_id",
    "owner_address",
    "stack_id",
    "task_small_id",
    "selected_node_id",
    "num_compute_units",
    "already_computed_units",
    "in_settle_period",
    "total_hash",
    "num_total_messages",
];

/// A row. Whatever may be missing or of another type in a damaged database is `None` then.
#[derive(Clone, Debug, FromRow)]
pub(super) struct EarlierRow {
    pub(super) stack_small_id: i64,
    pub(super) owner_address: Option<String>,
    pub(super) stack_id: Option<String>,
    pub(super) task_small_id: Option<i64>,
    pub(super) selected_node_id: Option<i64>,
    pub(super) num_compute_units: Option<i64>,
    pub(super) already_computed_units: Option<i64>,
    /// Whether it saw a settlement or a claim.
    pub(super) is_closed: bool,
    pub(super) num_total_messages: Option<i64>,
    /// The length of `total_hash`, also where that is too long to be read.
    pub(super) hash_bytes: Option<i64>,
    pub(super) total_hash: Option<Vec<u8>>,
}

/// What the table has beside the columns that every version has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// Nothing that matters.
    Plain,
    /// Whether a confidential stack was claimed, since March 2025.
    WithClaims,
}

impl Columns {
    /// Recognises the table by the names of its columns; none means that there is no table.
    pub(super) fn recognise(names: &[String], source_name: &str) -> Result<Self, ImportError> {
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let foreign = |problem: String| ImportError::Foreign {
            source_name: source_name.to_owned(),
            problem,
        };
        if names.is_empty() {
            return Err(foreign(String::from("it has no table `stacks`")));
        }
        let missing: Vec<&str> = COLUMNS
            .into_iter()
            .filter(|name| !names.contains(name))
            .collect();
        match missing.as_slice() {
            [] => Ok(match names.contains("is_claimed") {
                true => Self::WithClaims,
                false => Self::Plain,
            }),
            // The first versions kept neither hashes nor their number; the last ones only the number.
            ["total_hash"] | ["total_hash", "num_total_messages"] => Err(ImportError::NoHashes {
                source_name: source_name.to_owned(),
            }),
            _ => Err(foreign(format!(
                "its table `stacks` has no column `{}`",
                missing.join("`, `")
            ))),
        }
    }
}
