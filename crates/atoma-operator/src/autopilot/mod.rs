//! The autopilot: it looks at what the operator's nodes have to do, and does what is due by the use cases.
//!
//! The decisions are the domain's ([`atoma_domain::autopilot`]). Here, `look.rs` gathers the facts and asks for them, with
//! `estimates.rs`; `errands.rs` sends what is due through the use cases, `outcomes.rs` notes how that ended, and `setbacks.rs`
//! remembers what failed; `watch.rs` pauses
//! it, with `pause_file.rs`; `run.rs` is the loop, and `alarms.rs` says what is wrong. `switch.rs` is what callers use, and `shared.rs` what all of these share. All
//! of it can be stepped.

mod alarms;
mod config;
mod errands;
mod estimates;
mod figures;
mod look;
mod moment;
mod outcomes;
mod pause_file;
mod run;
mod setbacks;
mod shared;
mod status;
mod survey;
mod switch;
mod watch;

pub use config::{AutopilotConfig, AutopilotMode};
pub use figures::AutopilotFigures;
pub use run::AutopilotRun;
pub use status::AutopilotStatus;
pub use survey::Survey;
pub use switch::Autopilot;
