//! Engines that die at a chosen call of a port, over a real database file and a real local network.
//!
//! The engine touches the world through ports alone, so "before" and "after" each call of a port
//! are all the moments at which a crash can be told from another. A generation of the daemon lives
//! in a runtime of its own, which is dropped with all its tasks where they stand; the next one is
//! built over the same file.

pub(crate) mod ask;
pub(crate) mod asked;
pub(crate) mod audit;
pub(crate) mod faulty_node;
pub(crate) mod gate;
pub(crate) mod generation;
pub(crate) mod matrix;
pub(crate) mod points;
pub(crate) mod ports;
pub(crate) mod subjects;
pub(crate) mod template;
pub(crate) mod witness;
pub(crate) mod world;
