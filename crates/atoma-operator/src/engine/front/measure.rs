//! What the engine is at, in numbers.

use std::time::Duration;

use atoma_domain::{Mist, ObjectId};
use tokio::time::Instant;

use super::engine::Engine;
use crate::engine::shared::LaneKey;
use crate::engine::wait_reason::WaitReason;

/// What the engine is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFigures {
    /// The lanes with unfinished transactions.
    pub lanes: Vec<LaneFigures>,
    /// What the operator's coins hold; `None` while that is not known.
    pub gas_balance: Option<Mist>,
    /// How many badges somebody else was seen to use.
    pub foreign_badges: usize,
    /// How many claims wait because the contract's treasury can't pay them yet.
    pub claims_waiting: usize,
}

/// A lane with unfinished transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneFigures {
    /// Its badge; `None` for the lane of actions that need no badge.
    pub badge: Option<ObjectId>,
    /// How many intents are unfinished.
    pub unfinished: usize,
    /// How long ago this process took up the oldest of them.
    pub oldest: Duration,
}

impl Engine {
    /// What the engine is at now.
    pub fn figures(&self) -> EngineFigures {
        let context = self.context();
        let now = Instant::now();
        let lanes = context.registry.lanes().into_iter();
        EngineFigures {
            lanes: lanes
                .map(|(lane, (unfinished, since))| LaneFigures {
                    badge: match lane {
                        LaneKey::Badge(badge) => Some(badge),
                        LaneKey::Address(_) => None,
                    },
                    unfinished,
                    oldest: now.saturating_duration_since(since),
                })
                .collect(),
            gas_balance: context.gas.balance(),
            foreign_badges: context.foreign_uses.count(),
            claims_waiting: context.registry.held_for(&WaitReason::Treasury),
        }
    }
}
