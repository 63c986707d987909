//! The autopilot's settings, and the rules that they are.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use atoma_domain::autopilot::{
    AttestPolicy, AutopilotPolicy, ClaimPolicy, DutyPolicies, GasPolicy, SettlePolicy, WatchPolicy,
};
use atoma_domain::{MicroUsdc, Mist, Permille, TaskSmallId};
use atoma_operator::{AutopilotConfig, AutopilotMode};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The name of the file in the data directory that pauses the autopilot.
const PAUSE_FILE: &str = "autopilot.pause";

/// The autopilot: it attests, settles and claims by itself. See `docs/autopilot.md`.
#[derive(Clone, Debug, Serialize, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct AutopilotSettings {
    /// `off`, `plan` to say only what it would do, or `on`.
    #[config(default = "off")]
    pub mode: ModeSetting,
    /// The interval between two looks at everything. What a transaction asks for is seen at once.
    #[config(default = 10)]
    pub interval_s: u64,
    /// A file that pauses the autopilot while it exists: all but attestations, or everything if it says `all`.
    /// If you leave it out, it is `autopilot.pause` in `data_dir`.
    pub pause_file: Option<PathBuf>,
    /// Whether it attests the settlements that your nodes are drawn for.
    #[config(default = true)]
    pub attest: bool,
    /// How long before the end of the epoch an attestation is late, at most a quarter of the epoch. It only moves the
    /// deadline that you see, because an attestation is sent at once.
    #[config(default = 600)]
    pub attest_margin_s: u64,
    /// Whether it settles stacks. The three keys below hold for the claims of confidential stacks even if it does not.
    #[config(default = true)]
    pub settle: bool,
    /// The share of a stack's units that must be computed before it is settled.
    #[config(default = 95)]
    pub settle_fill_percent: u64,
    /// After how long without a message a stack is settled with whatever was computed.
    #[config(default = 86400)]
    pub settle_idle_s: u64,
    /// The last part of an epoch in which nothing is settled that others may have to attest: they need the time.
    #[config(default = 20)]
    pub settle_quiet_percent: u64,
    /// Whether it claims stacks, and withdraws shares.
    #[config(default = true)]
    pub claim: bool,
    /// How many times their gas the claims of a node must be worth together.
    #[config(default = 10)]
    pub claim_gas_factor: u32,
    /// After how long claims are made that are worth less than that, as long as they are worth their gas.
    #[config(default = 259200)]
    pub claim_longest_wait_s: u64,
    /// The price of one SUI in millionths of a USDC. It only weighs gas against proceeds, so it need not be exact.
    #[config(default = 3000000)]
    pub sui_price_micro_usdc: u64,
    /// What your coins must still hold after anything but attestations.
    #[config(default = 500000000u64)]
    pub gas_reserve_mist: u64,
    /// After how many different duties have failed within `failure_window_s` it pauses, all but attestations. 0 means never.
    #[config(default = 10)]
    pub max_failures: u32,
    /// See `max_failures`.
    #[config(default = 3600)]
    pub failure_window_s: u64,
    /// Other rules for some tasks. Each entry has a `task_small_id`, and any of the keys above from `attest` to
    /// `claim_longest_wait_s`.
    #[config(default = [])]
    pub tasks: Vec<TaskSettings>,
}

/// Whether the autopilot acts.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ModeSetting {
    /// It does nothing.
    Off,
    /// It only says what it would do.
    Plan,
    /// It does what is due.
    On,
}

impl fmt::Display for ModeSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Plan => "plan",
            Self::On => "on",
        })
    }
}

/// Rules for one task.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSettings {
    /// The task.
    pub task_small_id: TaskSmallId,
    #[serde(skip_serializing_if = "Option::is_none")]
    attest: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attest_margin_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_fill_percent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_idle_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_quiet_percent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_gas_factor: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_longest_wait_s: Option<u64>,
}

impl AutopilotSettings {
    /// The autopilot as configured.
    pub(crate) fn config(&self, data_dir: &Path) -> AutopilotConfig {
        let mut config = AutopilotConfig::default();
        config.mode = match self.mode {
            ModeSetting::Off => AutopilotMode::Off,
            ModeSetting::Plan => AutopilotMode::Plan,
            ModeSetting::On => AutopilotMode::On,
        };
        config.policy = self.policy();
        config.interval = Duration::from_secs(self.interval_s);
        let file = self.pause_file.clone();
        config.pause_file = Some(file.unwrap_or_else(|| data_dir.join(PAUSE_FILE)));
        config
    }

    /// The rules for a demonstration: stacks are small, and so are epochs.
    #[cfg(feature = "dev")]
    pub(super) const fn demonstrate(&mut self) {
        self.mode = ModeSetting::On;
        self.interval_s = 1;
        self.attest_margin_s = 2;
        self.settle_fill_percent = 90;
        self.settle_idle_s = 10;
    }

    /// The rules.
    fn policy(&self) -> AutopilotPolicy {
        let tasks = self.tasks.iter();
        AutopilotPolicy {
            duties: self.duties(),
            tasks: tasks
                .map(|task| (task.task_small_id, self.with(task).duties()))
                .collect(),
            gas: GasPolicy {
                sui_price: MicroUsdc::new(self.sui_price_micro_usdc),
                reserve: Mist::new(self.gas_reserve_mist),
            },
            watch: WatchPolicy {
                max_failures: self.max_failures,
                failure_window: Duration::from_secs(self.failure_window_s),
            },
        }
    }

    fn duties(&self) -> DutyPolicies {
        let permille = |percent: u64| Permille::new(percent.saturating_mul(10));
        DutyPolicies {
            attest: AttestPolicy {
                is_on: self.attest,
                margin: Duration::from_secs(self.attest_margin_s),
            },
            settle: SettlePolicy {
                is_on: self.settle,
                fill: permille(self.settle_fill_percent),
                idle_after: Duration::from_secs(self.settle_idle_s),
                quiet: permille(self.settle_quiet_percent),
            },
            claim: ClaimPolicy {
                is_on: self.claim,
                gas_factor: self.claim_gas_factor,
                longest_wait: Duration::from_secs(self.claim_longest_wait_s),
            },
        }
    }

    /// The settings with those of a task in place.
    fn with(&self, task: &TaskSettings) -> Self {
        Self {
            attest: task.attest.unwrap_or(self.attest),
            attest_margin_s: task.attest_margin_s.unwrap_or(self.attest_margin_s),
            settle: task.settle.unwrap_or(self.settle),
            settle_fill_percent: task.settle_fill_percent.unwrap_or(self.settle_fill_percent),
            settle_idle_s: task.settle_idle_s.unwrap_or(self.settle_idle_s),
            settle_quiet_percent: task
                .settle_quiet_percent
                .unwrap_or(self.settle_quiet_percent),
            claim: task.claim.unwrap_or(self.claim),
            claim_gas_factor: task.claim_gas_factor.unwrap_or(self.claim_gas_factor),
            claim_longest_wait_s: task
                .claim_longest_wait_s
                .unwrap_or(self.claim_longest_wait_s),
            ..self.clone()
        }
    }

    /// What is wrong with the rules for tasks.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut seen = std::collections::BTreeSet::new();
        let mut problems = Vec::new();
        for task in &self.tasks {
            let id = task.task_small_id;
            if !seen.insert(id) {
                problems.push(format!("has two entries for task {id}; put them into one"));
            }
            for (key, percent, most) in [
                ("settle_fill_percent", task.settle_fill_percent, 100),
                ("settle_quiet_percent", task.settle_quiet_percent, 90),
            ] {
                if percent.is_some_and(|percent| percent > most) {
                    problems.push(format!("has `{key}` above {most} for task {id}"));
                }
            }
        }
        problems
    }
}
