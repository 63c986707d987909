//! Checks of the repository itself: dependencies between crates, imports between files, file names
//! in documents.

#![expect(
    clippy::expect_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod api_document;
mod dependencies;
mod documents;
mod import_cycles;
mod monitoring;
