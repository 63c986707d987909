//! Tests of the chain port and the event source on a local Sui network.

// The `cfg(test)` makes clippy allow `unwrap` in the helpers, as it does in tests.
#[cfg(test)]
mod contract_state;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod fake_node;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod life_of_a_stack;
#[cfg(test)]
mod other_chain;
#[cfg(test)]
mod public_network;
#[cfg(test)]
mod purchase;
#[cfg(test)]
mod reading_order;
#[cfg(test)]
mod refusal_table;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod refused_kinds;
#[cfg(test)]
mod several_nodes;
#[cfg(test)]
mod support;
#[cfg(test)]
mod switch;
#[cfg(test)]
mod unreachable;
#[cfg(test)]
mod views;
