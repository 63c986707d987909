//! The demonstration world: two operators with two nodes each, three tasks, a buyer, and the files
//! with which the first operator runs a daemon.
//!
//! It is created by ordinary transactions. On a network that already has it, it is only read back.

mod files;
mod seeding;
mod world;

pub use seeding::{STACKS_PER_TASK_AND_NODE, add_stacks, prepare, seed};
pub use world::{Demo, DemoOperator, DemoStack, DemoTask, SecretKey};
