//! The connections that clients open: accepting them, securing them, and ending them.

mod connections;
mod cross_origin;
mod faucet;
mod tls;

pub(crate) use connections::{Connections, GoAway};
pub(crate) use cross_origin::cross_origin;
pub(crate) use faucet::routes as faucet_routes;
pub(crate) use tls::{ServerTls, TlsError};
