//! The demonstration world.
