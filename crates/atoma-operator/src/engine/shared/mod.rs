//! What all lanes share: the ports, the registry of unfinished intents, and writes to the journal
//! that are retried.

mod abandoned;
mod context;
mod journaling;
mod registry;

pub(super) use abandoned::AbandonMark;
pub(super) use context::Context;
pub(super) use journaling::{
    Insisted, announce_failure, database_back, database_stuck, fail, fail_all, insist, unfinished,
    without_abandoned, without_ended,
};
pub(super) use registry::{IntentOutcome, IntentProgress, LaneKey};
