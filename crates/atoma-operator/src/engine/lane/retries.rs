//! The parts of a batch that are still to be attempted, and how often they failed.

use atoma_domain::journal::Intent;

use crate::engine::EngineConfig;
use crate::engine::backoff::Backoff;

/// Some intents that are to be attempted together.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) batch: Vec<Intent>,
    /// How many of its transactions executed and were cancelled. Dead attempts don't count: they
    /// spent nothing, and whatever moved the badge or ended the epoch made headway.
    pub(super) cancelled: u32,
    /// How often it was prepared and then doubted.
    pub(super) doubted: u32,
    /// Of claims that the treasury can't pay together: these cost more than those of the turns
    /// before.
    pub(super) is_dearer: bool,
}

impl Turn {
    pub(super) const fn new(batch: Vec<Intent>) -> Self {
        Self {
            batch,
            cancelled: 0,
            doubted: 0,
            is_dearer: false,
        }
    }

    /// A part of this turn's batch, to be attempted as if it were new.
    pub(super) fn part(&self, batch: Vec<Intent>) -> Self {
        Self {
            is_dearer: self.is_dearer,
            ..Self::new(batch)
        }
    }
}

/// The turns of a batch, the next one last, with the pauses between them.
#[derive(Debug)]
pub(super) struct Retries {
    turns: Vec<Turn>,
    pub(super) backoff: Backoff,
    pub(super) congestion: Backoff,
}

impl Retries {
    /// All of the batch in one turn.
    pub(super) fn new(batch: Vec<Intent>, config: &EngineConfig) -> Self {
        Self {
            turns: vec![Turn::new(batch)],
            backoff: Backoff::new(config),
            congestion: Backoff::for_congestion(config),
        }
    }

    /// Adds a turn, to be the next.
    pub(super) fn push(&mut self, turn: Turn) {
        self.turns.push(turn);
    }

    /// Takes the next turn.
    pub(super) fn pop(&mut self) -> Option<Turn> {
        self.turns.pop()
    }

    /// Splits a turn's batch in two.
    pub(super) fn split(&mut self, turn: &Turn, mut batch: Vec<Intent>) {
        let rest = batch.split_off(batch.len() / 2);
        self.push(turn.part(rest));
        self.push(turn.part(batch));
    }

    /// Takes out the claims of the next turns that are known to cost more than one that can't be
    /// paid.
    pub(super) fn take_dearer(&mut self) -> Vec<Intent> {
        let mut dearer = Vec::new();
        while let Some(turn) = self.turns.pop_if(|turn| turn.is_dearer) {
            dearer.extend(turn.batch);
        }
        dearer
    }

    /// All that is left, in order.
    pub(super) fn into_intents(self) -> Vec<Intent> {
        let left = self.turns.into_iter().rev();
        left.flat_map(|turn| turn.batch).collect()
    }
}
