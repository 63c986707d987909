//! The mirror against a local network: following it, comparing with it, rebuilding from it, and a whole node on it.

// The `cfg(test)` makes clippy allow `unwrap` in the helpers, as it does in tests.
#[cfg(test)]
mod books;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod node;
#[cfg(test)]
mod rebuilding;
#[cfg(test)]
mod reconciling;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod state;
#[cfg(test)]
mod world;
