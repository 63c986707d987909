//! The chain port and the event source on a local Sui network.

// So marked, clippy lets the helpers unwrap as the tests do.
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod life_of_a_stack;
#[cfg(test)]
mod public_network;
#[cfg(test)]
mod reading_order;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod support;
#[cfg(test)]
mod told_node;
#[cfg(test)]
mod unreachable;
#[cfg(test)]
mod views;
