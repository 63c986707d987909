//! What an attempt is paid with.

use std::sync::Arc;

use atoma_domain::journal::Attempt;
use atoma_domain::ports::{Executed, ExecutionOutcome};
use atoma_domain::{Mist, with_causes};
use tracing::warn;

use crate::engine::limits::Reservation;
use crate::engine::payment::{CallClass, GasLease};
use crate::engine::shared::Context;

/// The coins that pay for an attempt, and its place under the cap on gas.
#[derive(Debug)]
pub(in crate::engine) struct Payment {
    pub(super) lease: GasLease,
    /// The class of the learned budget; none for an attempt from before this process.
    pub(super) class: Option<CallClass>,
    /// How much is split off the paying coin.
    pub(super) split: Mist,
    pub(super) reservation: Reservation,
}

impl Payment {
    /// The payment of an attempt that was signed before this process began, or that another write
    /// to the journal holds open.
    pub(in crate::engine) fn of_signed(context: &Context, attempt: &Attempt) -> Self {
        let coins = attempt.gas.iter().map(|coin| *coin.object_id());
        Self {
            lease: context.gas.lease_known(coins),
            class: None,
            split: Mist::ZERO,
            reservation: context.limits.reserve_signed(attempt.gas_budget),
        }
    }

    /// Takes the coins' new versions from the effects.
    pub(super) fn paid(&mut self, executed: &Executed) {
        if executed.outcome != ExecutionOutcome::Success {
            self.split = Mist::ZERO;
        }
        self.lease.paid(executed, self.split);
    }

    /// Gives the coins back. The budget's place under the cap remains.
    pub(super) fn end(self, context: &Arc<Context>) -> Reservation {
        drop(self.lease);
        if self.split > Mist::ZERO {
            find_split_coin(context);
        }
        self.reservation
    }

    /// Keeps the coins from everybody else until the next start, since the attempt may still
    /// execute.
    pub(in crate::engine) fn keep(self) {
        self.lease.keep();
    }
}

/// Reads the coins in the background, so that a lane waiting for one finds the new coin.
fn find_split_coin(context: &Arc<Context>) {
    let reading = Arc::clone(context);
    context.spawn(async move {
        let read = tokio::select! {
            read = reading.gas.refresh(reading.ports.chain.as_ref()) => read,
            () = reading.stopping.cancelled() => return,
        };
        if let Err(error) = read {
            warn!(error = with_causes(&error), "can't read the gas coins");
        }
    });
}
