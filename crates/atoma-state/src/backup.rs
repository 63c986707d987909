//! Backups of the database: made while it is in use, verified, and put back.

mod error;
mod replace;
mod restore;
mod save;
mod verify;

pub use error::BackupError;
pub use restore::{Restored, restore};
pub use save::back_up;
pub use verify::{BackupContents, verify};
