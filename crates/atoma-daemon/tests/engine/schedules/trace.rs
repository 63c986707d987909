//! What happened in a schedule, for the report of a failure.

use std::fmt;
use std::sync::Arc;

use crate::support::fail_points::{FailPoints, Plan};
use crate::support::interceptor::Delays;

/// What happened in a schedule, printed when it fails.
#[derive(Debug, Default)]
pub(super) struct Trace(pub(super) Vec<GenerationTrace>);

#[derive(Debug)]
pub(super) struct GenerationTrace {
    pub(super) plan: Plan,
    pub(super) delays: Delays,
    pub(super) points: Arc<FailPoints>,
    /// The calls of the generation, once it has ended.
    pub(super) calls: Vec<&'static str>,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, entry) in (1..).zip(&self.0) {
            let under_way = entry.points.calls();
            let calls = if entry.calls.is_empty() {
                &under_way
            } else {
                &entry.calls
            };
            writeln!(f, "generation {number}, {} calls:", calls.len())?;
            for ((call, side), injections) in &entry.plan {
                let name = calls.get(call - 1).unwrap_or(&"never made");
                writeln!(f, "  {side:?} call {call} ({name}): {injections:?}")?;
            }
            for (submission, calls) in &entry.delays {
                writeln!(f, "  submission {submission} is delayed by {calls} calls")?;
            }
        }
        Ok(())
    }
}
