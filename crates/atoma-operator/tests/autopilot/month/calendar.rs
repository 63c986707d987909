//! When a checkpoint was.

use atoma_domain::{CheckpointNumber, Epoch};

/// The steps of a month by the network's checkpoints.
pub(super) struct Calendar {
    /// The first checkpoint of each step.
    steps: Vec<u64>,
    steps_per_epoch: usize,
    /// The network's epoch in which the month begins.
    first: u64,
}

impl Calendar {
    pub(super) fn new(steps_per_epoch: usize, first: u64) -> Self {
        Self {
            steps: vec![0],
            steps_per_epoch,
            first,
        }
    }

    /// The next step begins after this checkpoint.
    pub(super) fn turn(&mut self, last: u64) {
        self.steps.push(last + 1);
    }

    /// The step of a checkpoint, from 0.
    pub(super) fn step_of(&self, checkpoint: CheckpointNumber) -> usize {
        let begun = self
            .steps
            .partition_point(|first| *first <= checkpoint.get());
        begun.saturating_sub(1)
    }

    /// The network's epoch of a checkpoint.
    pub(super) fn epoch_of(&self, checkpoint: CheckpointNumber) -> Epoch {
        let epochs = self.step_of(checkpoint) / self.steps_per_epoch;
        Epoch::new(self.first + u64::try_from(epochs).unwrap())
    }
}
