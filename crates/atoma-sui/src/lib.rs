//! The Sui side of the Atoma node daemon: ABI, transactions, keys, submission, events.
