//! The transaction engine over a real database and a local network, under crashes, faults and other
//! daemons with the same key.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod abandon_before_recovery;
mod aborted_claims;
mod congestion;
mod crash;
mod faulty_node;
mod foreign_first_use;
mod lagging_node;
mod late_message;
mod schedules;
mod support;
mod treasury_shortage;
mod two_daemons;
mod unmirrored_key;
mod unwritable_journal;
