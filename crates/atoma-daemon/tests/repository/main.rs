//! Rules about the repository itself: which crate may use which, and that documents name files that exist.

#![expect(
    clippy::expect_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod dependencies;
mod documents;
