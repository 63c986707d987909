//! Use cases, transaction engine and event ingestion of the Atoma node daemon.
