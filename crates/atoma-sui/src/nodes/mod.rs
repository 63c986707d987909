//! Several nodes of one chain behind one chain port.
//!
//! Reads go to the first node of the list that is not left aside, and on to the next one if it fails. A node
//! that fails, lags, or contradicts itself or the others is left aside with a reason until a look at it finds
//! nothing wrong any more. While all are left aside, all are asked, in order: a node with an old view is
//! better than none, because nothing depends on a single node being right (decision 20).
//!
//! What must not be put together from several nodes is not: an attempt stays with one node
//! (`through_one_node`), a proof of absence is made by one node alone, and what one node shows as executed is
//! executed, whatever the others say.

mod contract_state;
mod look;
mod port;
mod source;
mod standing;
mod sui_nodes;

pub use source::SuiNodesSource;
pub use sui_nodes::{ConnectNodesError, SuiNodes};
