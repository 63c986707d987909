//! An operator's rules for the autopilot.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{MicroUsdc, Mist, Permille, TaskSmallId};

/// A day.
const DAY: Duration = Duration::from_secs(86_400);

/// An operator's rules. The defaults are those of `docs/autopilot.md`, with every duty on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AutopilotPolicy {
    /// The rules for tasks without their own.
    pub duties: DutyPolicies,
    /// The rules for some tasks, instead of the others.
    pub tasks: BTreeMap<TaskSmallId, DutyPolicies>,
    /// What gas costs, and how much of it is kept.
    pub gas: GasPolicy,
    /// When the autopilot pauses by itself.
    pub watch: WatchPolicy,
}

impl AutopilotPolicy {
    /// The rules for a task; `None` is a task that the mirror doesn't know.
    pub fn of_task(&self, task: Option<TaskSmallId>) -> &DutyPolicies {
        task.and_then(|task| self.tasks.get(&task))
            .unwrap_or(&self.duties)
    }
}

/// The rules for each duty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DutyPolicies {
    /// Attesting the settlements that the nodes were drawn for.
    pub attest: AttestPolicy,
    /// Settling the stacks that the nodes serve. Its rules hold for the claims of confidential stacks even if it is off.
    pub settle: SettlePolicy,
    /// Claiming the payment.
    pub claim: ClaimPolicy,
}

/// When to attest: at once, so only the deadline is a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestPolicy {
    /// Whether anything is attested.
    pub is_on: bool,
    /// How long before the end of the epoch an attestation is late.
    pub margin: Duration,
}

impl Default for AttestPolicy {
    fn default() -> Self {
        Self {
            is_on: true,
            margin: Duration::from_secs(600),
        }
    }
}

/// When to settle a stack, and when to claim one of a confidential task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlePolicy {
    /// Whether anything is settled.
    pub is_on: bool,
    /// The share of the units that must be computed.
    pub fill: Permille,
    /// After how long without a message a stack is settled with whatever was computed.
    pub idle_after: Duration,
    /// The share of the epoch, at its end, in which nothing is settled that others may have to attest.
    pub quiet: Permille,
}

impl Default for SettlePolicy {
    fn default() -> Self {
        Self {
            is_on: true,
            fill: Permille::new(950),
            idle_after: DAY,
            quiet: Permille::new(200),
        }
    }
}

/// When to claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimPolicy {
    /// Whether anything is claimed or withdrawn.
    pub is_on: bool,
    /// How many times their gas the claims of a node must be worth.
    pub gas_factor: u32,
    /// After how long they are claimed if they are worth their gas at all.
    pub longest_wait: Duration,
}

impl Default for ClaimPolicy {
    fn default() -> Self {
        Self {
            is_on: true,
            gas_factor: 10,
            longest_wait: DAY.saturating_mul(3),
        }
    }
}

/// What gas costs, and how much of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasPolicy {
    /// The price of one SUI, in micro-USDC. It only weighs gas against proceeds.
    pub sui_price: MicroUsdc,
    /// What the operator's coins must hold for anything but attestations.
    pub reserve: Mist,
}

impl Default for GasPolicy {
    fn default() -> Self {
        Self {
            sui_price: MicroUsdc::new(3_000_000),
            reserve: Mist::new(500_000_000),
        }
    }
}

impl GasPolicy {
    /// The price of so much gas, rounded up.
    pub fn price_of(&self, gas: Mist) -> MicroUsdc {
        let price = u128::from(gas.get()) * u128::from(self.sui_price.get());
        let price = price.div_ceil(1_000_000_000);
        MicroUsdc::new(u64::try_from(price).unwrap_or(u64::MAX))
    }
}

/// When the autopilot pauses by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchPolicy {
    /// After how many failed duties within the window; 0 is never.
    pub max_failures: u32,
    /// The window.
    pub failure_window: Duration,
}

impl Default for WatchPolicy {
    fn default() -> Self {
        Self {
            max_failures: 10,
            failure_window: Duration::from_secs(3_600),
        }
    }
}
