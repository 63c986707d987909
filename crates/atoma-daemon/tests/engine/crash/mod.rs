//! The daemon dies around calls of its ports, and the next one takes over.

mod funding;
mod http;
mod matrix;
mod recovery;
