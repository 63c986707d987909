//! Networks with a data directory.

use std::path::Path;

use atoma_localnet::LocalNetConfig;

pub const LOG: &str = "ledger.log";
pub const SNAPSHOT: &str = "ledger.snapshot";

/// The configuration of a network whose ledger is in this directory.
pub fn config(directory: &Path) -> LocalNetConfig {
    LocalNetConfig {
        data_dir: Some(directory.to_owned()),
        seed: 3,
        ..LocalNetConfig::default()
    }
}
