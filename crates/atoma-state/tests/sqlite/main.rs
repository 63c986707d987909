//! Every port suite on SQLite, in a file and in memory; and tests that need a file: durability,
//! atomicity, the schema's guards.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test crate: its suites are no API, and fail as tests do"
)]

#[path = "../suite/mod.rs"]
#[macro_use]
mod suite;

#[path = "../earlier/mod.rs"]
mod earlier;

mod backups;
mod checkpoints;
mod dump_and_restore;
mod durability;
mod earlier_file;
mod failures;
mod fill;
mod freezing;
mod grouping_model;
mod groups;
mod guards;
mod imports;
mod indexes;
mod interrupted_restores;
mod journal_failures;
mod journal_model;
mod ledger_replay;
mod opening;
mod opening_at_once;
mod other_versions;
mod processes;
mod raw;
mod refusals;
mod reservation_model;
mod signed_versions;
mod unreadable_rows;

mod file {
    use atoma_state::{SqliteState, StateOptions};
    use tempfile::TempDir;

    async fn open() -> (SqliteState, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let store = SqliteState::open(path, StateOptions::default())
            .await
            .unwrap();
        (store, folder)
    }

    store_suites!(super::open);
}

mod memory {
    use atoma_state::SqliteState;

    async fn open() -> (SqliteState, String) {
        let store = SqliteState::open_temporary().await.unwrap();
        (store, String::from("nothing to keep"))
    }

    store_suites!(super::open);
}
