//! The state manager of the Atoma node daemon on SQLite.
