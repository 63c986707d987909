//! The HTTP API of the Atoma node daemon.
