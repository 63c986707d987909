//! The autopilot on a local network: single duties, and a simulated month.

// The `cfg(test)` makes clippy allow `unwrap` in the helpers, as it does in tests.
#[cfg(test)]
mod crash;
#[cfg(test)]
mod duties;
#[cfg(test)]
mod hindrances;
#[cfg(test)]
mod month;
#[cfg(test)]
mod pauses;
#[cfg(test)]
mod site;
#[cfg(test)]
mod world;
