//! Served work: reservations and messages.
//!
//! These use cases don't depend on the engine: they work while writes to the chain are stopped.

mod messages;
mod purchase;
mod reservations;

pub use messages::ServedMessage;
pub use reservations::WantedUnits;
