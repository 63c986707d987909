//! The list of keys, from the settings' own description.

use confique::Config as _;
use confique::meta::{Expr, Field, FieldKind, LeafKind, Meta};

use super::settings::Settings;

/// A key of the configuration.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// The whole name, such as `sui.rpc_url`.
    pub(super) name: String,
    /// The description, one entry per line.
    pub(super) about: &'static [&'static str],
    /// The default as in TOML, if there is one.
    pub(super) default: Option<Expr>,
    /// Whether the configuration must set it.
    pub(super) is_required: bool,
}

/// A key whose value is a whole number.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) key: &'static str,
    pub(super) unit: &'static str,
    pub(super) min: u64,
    /// `None` if there is no limit but that of the type.
    pub(super) max: Option<u64>,
}

const fn number(key: &'static str, unit: &'static str, min: u64, max: Option<u64>) -> Number {
    Number {
        key,
        unit,
        min,
        max,
    }
}

/// Units and ranges. Checks and documentation both use them.
pub(super) const NUMBERS: &[Number] = &[
    number("request_timeout_s", "seconds", 1, Some(3600)),
    number("recovery_timeout_s", "seconds", 0, Some(3600)),
    number("queue_limit", "intents", 1, Some(1_000_000)),
    number("sui.requests_per_30_s", "requests", 0, Some(4_294_967_295)),
    number("sui.max_lag_s", "seconds", 10, Some(604_800)),
    number("sui.start_checkpoint", "checkpoint number", 0, None),
    number("gas.margin_percent", "percent", 0, Some(1000)),
    number("gas.budget_ceiling_mist", "MIST", 1, None),
    number("gas.daily_cap_mist", "MIST", 0, None),
    number("gas.low_balance_mist", "MIST", 0, None),
    number("breaker.failures", "transactions", 0, Some(4_294_967_295)),
    number("breaker.pause_s", "seconds", 1, Some(86_400)),
    number("autopilot.interval_s", "seconds", 1, Some(60)),
    number("autopilot.attest_margin_s", "seconds", 0, Some(86_400)),
    number("autopilot.settle_fill_percent", "percent", 0, Some(100)),
    number("autopilot.settle_idle_s", "seconds", 1, Some(31_536_000)),
    number("autopilot.settle_quiet_percent", "percent", 0, Some(90)),
    number("autopilot.claim_gas_factor", "times", 0, Some(1_000_000)),
    number(
        "autopilot.claim_longest_wait_s",
        "seconds",
        0,
        Some(31_536_000),
    ),
    number("autopilot.sui_price_micro_usdc", "micro-USDC", 0, None),
    number("autopilot.gas_reserve_mist", "MIST", 0, None),
    number("autopilot.max_failures", "duties", 0, Some(4_294_967_295)),
    number("autopilot.failure_window_s", "seconds", 1, Some(604_800)),
    number("journal.keep_bytes_days", "days", 0, Some(36_500)),
    number("alarms.interval_s", "seconds", 5, Some(3600)),
    number("alarms.repeat_interval_s", "seconds", 60, Some(604_800)),
    number("alarms.min_interval_s", "seconds", 60, Some(86_400)),
    number(
        "alarms.attestation_time_left_s",
        "seconds",
        60,
        Some(604_800),
    ),
    number(
        "rate_limits.reads_per_minute",
        "requests",
        0,
        Some(4_294_967_295),
    ),
    number(
        "rate_limits.writes_per_minute",
        "requests",
        0,
        Some(4_294_967_295),
    ),
    number(
        "rate_limits.failures_per_minute",
        "requests",
        0,
        Some(4_294_967_295),
    ),
];

/// The flags that override keys.
pub(crate) const FLAGS: &[(&str, &str)] = &[
    ("http_addr", "--http-addr"),
    ("data_dir", "--data-dir"),
    ("sui.rpc_url", "--rpc-url"),
];

impl Number {
    /// The rule that `value` breaks, if it breaks one.
    pub(super) fn broken_by(&self, value: u128) -> Option<String> {
        let is_above = self.max.is_some_and(|max| value > u128::from(max));
        (is_above || value < u128::from(self.min)).then(|| format!("must be {}", self.range()))
    }

    /// The range in words.
    pub(super) fn range(&self) -> String {
        match (self.min, self.max) {
            (0, Some(max)) => format!("at most {max}"),
            (min, Some(max)) => format!("between {min} and {max}"),
            (min, None) => format!("at least {min}"),
        }
    }
}

/// The number with this key.
pub(super) fn number_of(key: &str) -> Option<&'static Number> {
    NUMBERS.iter().find(|number| number.key == key)
}

/// The flag that overrides this key.
pub(super) fn flag_of(key: &str) -> Option<&'static str> {
    let flag = FLAGS.iter().find(|(name, _)| *name == key);
    flag.map(|(_, flag)| *flag)
}

/// All keys, in the order of the settings.
pub(super) fn all() -> Vec<Key> {
    let mut keys = Vec::new();
    add(&mut keys, "", &Settings::META);
    keys
}

/// The tables with their descriptions.
pub(super) fn tables() -> Vec<(&'static str, &'static [&'static str])> {
    let fields = Settings::META.fields.iter();
    fields
        .filter(|field| matches!(field.kind, FieldKind::Nested { .. }))
        .map(|field| (field.name, field.doc))
        .collect()
}

fn add(keys: &mut Vec<Key>, above: &str, meta: &Meta) {
    for Field { name, doc, kind } in meta.fields {
        let name = format!("{above}{name}");
        match kind {
            FieldKind::Nested { meta } => add(keys, &format!("{name}."), meta),
            FieldKind::Leaf { kind, .. } => {
                let (default, is_required) = match kind {
                    LeafKind::Optional => (None, false),
                    LeafKind::Required { default } => (*default, default.is_none()),
                };
                keys.push(Key {
                    name,
                    about: doc,
                    default,
                    is_required,
                });
            }
        }
    }
}
