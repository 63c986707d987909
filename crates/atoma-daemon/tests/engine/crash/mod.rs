//! The daemon crashes at a chosen call of a port, and the next one recovers.

mod autopilot;
mod funding;
mod http;
mod matrix;
mod recovery;
mod served_work;
