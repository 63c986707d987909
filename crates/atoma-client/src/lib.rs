//! A client of the Atoma node daemon's HTTP API, typed by the requests and responses that the daemon serves.
//!
//! A [`Client`] has a method for each endpoint. Lists come in pages ([`List`]). A call that takes a [`Write`] carries its
//! idempotency key, so that it can be repeated safely with the same one. The other writes need none, and say what
//! repeating them does. A [`Token`] is never shown.
//!
//! ```no_run
//! # async fn example() -> Result<(), atoma_client::ClientError> {
//! let client = atoma_client::Client::builder("http://127.0.0.1:3000").build()?;
//! for stack in client.stacks(None).all(10_000).await? {
//!     println!("{}: {} units computed", stack.stack_small_id, stack.already_computed_units);
//! }
//! # Ok(())
//! # }
//! ```

mod books;
mod builder;
mod client;
mod error;
mod list;
mod reads;
mod token;
mod writes;

pub use atoma_api_types as types;
pub use books::BooksFilter;
pub use builder::ClientBuilder;
pub use client::Client;
pub use error::{ClientError, failure};
pub use list::List;
pub use reads::{DutyFilter, Readiness, TransactionFilter};
pub use token::Token;
pub use writes::Write;
