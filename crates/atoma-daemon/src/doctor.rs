//! Checks everything that the daemon depends on, and says what to do about what is wrong. Changes nothing.
//!
//! - `machine.rs`: configuration, files, data directory, disk, database.
//! - `mirror.rs`: what the database can tell about the mirror.
//! - `network.rs`: Sui node, contract, badges, gas, clock.
//! - `api.rs`: the HTTP API of a daemon that runs.

mod api;
mod finding;
mod machine;
mod mirror;
mod network;

use crate::config::Config;
use mirror::Mirror;

pub(crate) use finding::{Finding, Verdict};

/// Checks all that this configuration needs. Each check that can't be made because of another says so.
pub(crate) async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = machine::files(config);
    let (data_dir, holder) = machine::data_dir(config);
    findings.push(data_dir);
    findings.push(machine::disk(config));
    let (database, mirror) = machine::database(config).await;
    findings.extend(database);
    findings.extend(network::examine(config, &mirror).await);
    if let Mirror::Open(state) = mirror {
        state.close().await;
    }
    findings.push(api::examine(config, holder).await);
    findings
}
