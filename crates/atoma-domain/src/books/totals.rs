//! Totals of lines.

use super::gas::GasLine;
use super::line::{BookLine, LineKind};
use crate::TimestampMs;

/// A day in milliseconds.
pub const DAY: u64 = 86_400_000;

/// The day of a time, in UTC: days since 1 January 1970.
pub const fn day_of(time: TimestampMs) -> u64 {
    time.get() / DAY
}

/// What totals are kept apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// The operator's nodes.
    #[default]
    Node,
    /// The stacks' tasks. Withdrawals have none.
    Task,
    /// Epochs.
    Epoch,
    /// Days in UTC.
    Day,
}

impl Grouping {
    /// The group of a line; `None` if it belongs to none.
    pub fn of_line(self, line: &BookLine) -> Option<u64> {
        match self {
            Self::Node => Some(line.node.get()),
            Self::Task => line.task.map(crate::TaskSmallId::get),
            Self::Epoch => Some(line.epoch.get()),
            Self::Day => Some(day_of(line.timestamp)),
        }
    }

    /// The group of a part of gas; `None` if it belongs to none.
    pub fn of_gas(self, gas: &GasLine) -> Option<u64> {
        match self {
            Self::Node => gas.node.map(crate::NodeSmallId::get),
            Self::Task => gas.task.map(crate::TaskSmallId::get),
            Self::Epoch => gas.epoch.map(crate::Epoch::get),
            Self::Day => Some(day_of(gas.concluded_at)),
        }
    }
}

/// Sums over lines, in micro-USDC, and over gas, in MIST. Wide enough for every line that a ledger can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many stacks were bought.
    pub bought_stacks: u64,
    /// What buyers paid for them.
    pub bought: u128,
    /// How many stacks were claimed.
    pub claimed_stacks: u64,
    /// What the selected nodes were paid.
    pub fees: u128,
    /// What buyers of claimed stacks got back.
    pub refunds: u128,
    /// What attesters were credited.
    pub shares: u128,
    /// What late attesters lost.
    pub forfeited: u128,
    /// What of the shares was paid.
    pub withdrawn: u128,
    /// The gas that was paid.
    pub gas_used: u128,
    /// The gas that came back, because storage rebates were larger.
    pub gas_returned: u128,
    /// Lines whose amount is unknown, and which are in no sum.
    pub unknown: u64,
}

impl Totals {
    /// Adds a line.
    pub fn add(&mut self, line: &BookLine) {
        match line.kind {
            LineKind::Bought => self.bought_stacks = self.bought_stacks.saturating_add(1),
            LineKind::Fee => self.claimed_stacks = self.claimed_stacks.saturating_add(1),
            _ => {}
        }
        let Some(amount) = line.amount else {
            self.unknown = self.unknown.saturating_add(1);
            return;
        };
        let sum = match line.kind {
            LineKind::Bought => &mut self.bought,
            LineKind::Fee => &mut self.fees,
            LineKind::Refund => &mut self.refunds,
            LineKind::Share => &mut self.shares,
            LineKind::Forfeited => &mut self.forfeited,
            LineKind::Withdrawn => &mut self.withdrawn,
        };
        // 2⁶⁴ lines of the largest amount fit, so it never saturates.
        *sum = sum.saturating_add(u128::from(amount.get()));
    }

    /// Adds a part of gas.
    pub fn add_gas(&mut self, gas: &GasLine) {
        self.gas_used = self.gas_used.saturating_add(u128::from(gas.used.get()));
        let returned = u128::from(gas.returned.get());
        self.gas_returned = self.gas_returned.saturating_add(returned);
    }

    /// Adds other totals.
    pub fn merge(&mut self, other: &Self) {
        let counts = [
            (&mut self.bought_stacks, other.bought_stacks),
            (&mut self.claimed_stacks, other.claimed_stacks),
            (&mut self.unknown, other.unknown),
        ];
        for (sum, part) in counts {
            *sum = sum.saturating_add(part);
        }
        let amounts = [
            (&mut self.bought, other.bought),
            (&mut self.fees, other.fees),
            (&mut self.refunds, other.refunds),
            (&mut self.shares, other.shares),
            (&mut self.forfeited, other.forfeited),
            (&mut self.withdrawn, other.withdrawn),
            (&mut self.gas_used, other.gas_used),
            (&mut self.gas_returned, other.gas_returned),
        ];
        for (sum, part) in amounts {
            *sum = sum.saturating_add(part);
        }
    }

    /// What arrived at the operator's address: fees and withdrawn shares.
    pub const fn received(&self) -> u128 {
        self.fees.saturating_add(self.withdrawn)
    }
}
