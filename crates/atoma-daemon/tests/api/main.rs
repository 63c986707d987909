//! The whole daemon, used through its HTTP API, over a local network.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod abandon;
mod alarms;
mod attempts;
mod attestation;
mod backups;
mod books;
mod broken_stderr;
mod claims;
mod command_line;
mod commands;
mod concurrent_reads;
mod configuration;
mod data_dir;
mod disputes;
mod doctor;
mod dry_run;
mod errors;
mod events;
mod foreign_use;
mod gas;
mod headers;
mod idempotency;
mod imports;
mod in_flight;
mod init;
mod lifecycle;
mod limits;
mod locked_database;
mod lost_answers;
mod metrics;
mod mirror_ahead;
mod models;
mod names;
mod node_keys;
mod old_node;
mod other_chain;
mod page;
mod partial_requests;
mod process_kill;
mod protocol;
mod reads;
mod reconcile;
mod recovery;
mod served_work;
mod settlement;
mod several_nodes;
mod slow_clients;
mod startup;
mod stop;
mod supervisor;
mod support;
#[path = "../../../atoma-sui/tests/network/switch.rs"]
mod switch;
mod tls;
mod tokens;
mod treasury;
mod upgrade;
