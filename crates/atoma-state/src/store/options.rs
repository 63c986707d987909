//! How the database is opened.

use std::time::Duration;

/// How to open the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateOptions {
    /// The number of reading connections for the engine and the ledger stream; at least one.
    pub readers: u32,
    /// The number of further reading connections, for served work and single entries; at least one.
    pub served: u32,
    /// The number of further reading connections, for lists; at least one. Lists that are read at once
    /// should be fewer, because use cases read short lists too.
    pub lists: u32,
    /// How long to wait for another process's lock before the database counts as not available.
    pub busy_timeout: Duration,
    /// How long to wait for one of the store's own connections before the database counts as not
    /// available. Apart from the other timeout, because a connection also takes time to open.
    pub connection_timeout: Duration,
    /// What this opening may do.
    pub access: Access,
    /// How often the write-ahead log is copied into the database file. A copy of the file alone lacks at
    /// most what was written since.
    pub checkpoint_interval: Duration,
}

/// What an opening may do. The daemon migrates; a service that embeds this crate beside the daemon
/// should not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Create a missing database, bring an older one to this version's schema, read and write.
    #[default]
    Migrate,
    /// Read and write a database that has this version's schema.
    Existing,
    /// Read a database that has this version's schema. Every write fails.
    ReadOnly,
}

impl Default for StateOptions {
    fn default() -> Self {
        Self {
            readers: 3,
            served: 3,
            lists: 3,
            busy_timeout: Duration::from_secs(10),
            connection_timeout: Duration::from_secs(10),
            access: Access::default(),
            checkpoint_interval: Duration::from_secs(5),
        }
    }
}
