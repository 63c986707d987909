//! Transactions built and signed without a connection, through the public API alone, against the TypeScript SDK's.

// The `cfg(test)` makes clippy allow `unwrap` in the helpers, as it does in tests.
#[cfg(test)]
mod purchases;
#[cfg(test)]
mod transactions;
