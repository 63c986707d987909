//! The daemon's access to Sui. Each method performs one step; policy belongs to the callers.
//!
//! ```no_run
//! # async fn example(
//! #     package: atoma_domain::ObjectId,
//! #     atoma_db: atoma_domain::ObjectId,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use atoma_domain::ports::{Chain as _, Signer as _};
//! use atoma_sui::{ClientConfig, SuiChain, SuiChainConfig};
//!
//! let client = ClientConfig::load("client.yaml")?;
//! let chain = SuiChain::connect(SuiChainConfig::new(client.rpc_url()?, package, atoma_db))?;
//! println!("{}", chain.identity().await?);
//! for badge in chain.badges(client.signer()?.address()).await? {
//!     println!("node {}", badge.node_small_id);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`SuiChain`] implements the `Chain` port. It reads what an action depends on, and builds,
//!   simulates, submits and looks up transactions. Facts that never change (initial shared
//!   versions, table ids, types) are read once; what an action depends on usually takes one call.
//! - [`SuiNodes`] implements it over several nodes of one chain: it fails over, and leaves nodes aside that lag or
//!   contradict ([`SuiNodesSource`] does the same for the event source).
//! - [`SuiEventSource`] implements the `EventSource` port. It follows the transactions that touch
//!   the contract on a resumable stream of the node.
//! - [`ClientConfig`] reads the Sui CLI's `client.yaml` and keystore, and [`KeystoreSigner`] signs
//!   with a key from there; [`verify_personal_message`] checks who signed a personal message.
//! - [`ContractInputs`] builds transactions from typed calls, without any connection: a node's
//!   calls, and a buyer's [`StackPurchase`].
//!
//! Outcomes are read from structured fields; only `refusal` depends on the wording of a network's
//! error messages. Connections are opened on first use, so the node may be down when the daemon
//! starts. Retrying is up to the caller, with two exceptions: the event stream reconnects by
//! itself, and a view is restarted when a subscriber list changes while it is read.
//!
//! Every response must come from the chain that the first one came from ([`Chain::identity`] reads
//! it), because several nodes can answer at one address. `node` checks it, and names the address
//! and the cause of a failure.
//!
//! [`Chain::identity`]: atoma_domain::ports::Chain::identity
//!
//! To add a contract call, add a variant to the domain's `ContractCall` and an arm to `abi`. To
//! read a new kind of object, add a struct to `layout` and a function for its id to `fields`.

mod abi;
mod builder;
mod chain;
mod connection;
mod contract_events;
mod cursor;
mod facts;
mod fields;
mod history;
mod keystore;
mod layout;
mod node;
mod nodes;
mod outcome;
mod refusal;
mod response;
mod small_file;
mod source;
mod written;

pub use builder::{BuildError, ContractInputs, StackPurchase};
pub use chain::{OwnedCoin, SuiChain};
pub use connection::{ConnectError, SuiChainConfig};
pub use keystore::{
    ClientConfig, KeyError, KeystoreError, KeystoreSigner, MAX_PERSONAL_MESSAGE_BYTES,
    PersonalMessageError, verify_personal_message,
};
pub use node::{
    Access, AccessError, InvalidUrl, MaxLag, NodeUrl, Priority, RequestHeader, RequestLimit,
};
pub use nodes::{ConnectNodesError, SuiNodes, SuiNodesSource};
pub use small_file::read_small_file;
pub use source::SuiEventSource;
pub use sui_sdk_types::TypeTag;
pub use written::{begins_with_tilde, without_byte_order_mark};
