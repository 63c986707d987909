//! Engines that crash at a chosen call of a port, over a real database file and a real local
//! network.
//!
//! The engine acts through its ports only, so the points before and after each call of a port cover
//! every crash that makes a difference. A generation of the daemon lives in its own runtime. A
//! crash drops the runtime with all its tasks, and the next generation opens the same file.

pub(crate) mod audit;
pub(crate) mod cases;
pub(crate) mod exact_effects;
pub(crate) mod fail_points;
pub(crate) mod faulty_node;
pub(crate) mod generation;
pub(crate) mod interceptor;
pub(crate) mod matrix;
pub(crate) mod observer;
pub(crate) mod ports;
pub(crate) mod request;
pub(crate) mod served_ports;
pub(crate) mod service;
pub(crate) mod template;
pub(crate) mod world;
