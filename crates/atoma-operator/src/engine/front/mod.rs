//! What callers of the engine use: submit intents, wait for them, abandon them, rehearse them.

mod abandon;
mod balance;
mod engine;
mod lanes;
mod measure;
mod rehearse;
mod submit;
mod wait;

pub use abandon::AbandonError;
pub use engine::Engine;
pub use measure::{EngineFigures, LaneFigures};
pub use submit::Submission;
pub use wait::Waited;
