//! The outcomes of months as a table.

use std::fmt::Write as _;

use super::outcome::Outcome;

/// A column: what it is about, an amount that can be summed up, and how it is shown.
type Column = (&'static str, fn(&Outcome) -> u64, Unit);

const COLUMNS: [Column; 13] = [
    ("settled", |o| count(o.settled), Unit::Count),
    ("attested", |o| count(o.attested), Unit::Count),
    ("late", |o| count(o.late), Unit::Count),
    ("slashed", |o| count(o.slashed), Unit::Count),
    ("forfeited", |o| count(o.forfeited), Unit::Count),
    ("disputes by / ", |o| count(o.disputes_by_us), Unit::Count),
    ("against us", |o| count(o.disputes_against_us), Unit::Count),
    ("paid", |o| o.paid, Unit::Usdc),
    ("unclaimed", |o| o.unclaimed, Unit::Usdc),
    ("refused", |o| o.refused, Unit::Usdc),
    ("shares lost", |o| o.lost_shares, Unit::Usdc),
    ("gas", |o| o.gas, Unit::Sui),
    ("transactions", |o| count(o.transactions), Unit::Count),
];

#[derive(Clone, Copy)]
enum Unit {
    Count,
    Usdc,
    Sui,
}

impl Unit {
    fn show(self, amount: u64) -> String {
        let (one, name) = match self {
            Self::Count => return amount.to_string(),
            Self::Usdc => (10_000, "USDC"),
            Self::Sui => (10_000_000, "SUI"),
        };
        let hundredths = amount / one;
        format!("{}.{:02} {name}", hundredths / 100, hundredths % 100)
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap()
}

/// Rows of Markdown, for months by who looked after the nodes.
pub(super) fn markdown(months: &[(u64, &str, &Outcome)]) -> String {
    let names = COLUMNS.map(|(name, ..)| name).join(" | ");
    let mut table = format!(
        "| seed | who | {names} |\n|{}\n",
        "---|".repeat(COLUMNS.len() + 2)
    );
    let mut row = |seed: &str, who: &str, outcomes: &[&Outcome]| {
        let _ = write!(table, "| {seed} | {who} |");
        for (_, amount, unit) in COLUMNS {
            let sum = outcomes.iter().map(|outcome| amount(outcome)).sum();
            let _ = write!(table, " {} |", unit.show(sum));
        }
        table.push('\n');
    };
    let mut sums: Vec<(&str, Vec<&Outcome>)> = Vec::new();
    for (seed, who, outcome) in months {
        row(&seed.to_string(), who, &[outcome]);
        match sums.iter_mut().find(|(other, _)| other == who) {
            Some((_, outcomes)) => outcomes.push(outcome),
            None => sums.push((who, vec![outcome])),
        }
    }
    for (who, outcomes) in sums {
        row("all", who, &outcomes);
    }
    table
}

/// Prints what a month came to, with what the table leaves out.
pub(super) fn print(seed: u64, who: &str, outcome: &Outcome) {
    print!("{}", markdown(&[(seed, who, outcome)]));
    println!(
        "  {} stacks bought, {} frozen in disputes, {} crashes, {} pauses, treasury short in {} steps, others late {} and wrong {}, \
         least gas {} of {}, {} if attestations waited",
        outcome.bought,
        Unit::Usdc.show(outcome.frozen),
        outcome.crashes,
        outcome.pauses,
        outcome.treasury_short,
        outcome.others_late,
        outcome.others_wrong,
        outcome.least_gas,
        outcome.gas,
        outcome.least_gas_of_waiting,
    );
    for ((kind, succeeded), (transactions, actions, gas)) in outcome.spent.by_kind() {
        println!(
            "  {kind} ({succeeded}): {transactions} transactions, {actions} actions, {gas} MIST"
        );
    }
    for (why, count) in &outcome.spent.failures {
        println!("  failed {count} times: {why}");
    }
    for fault in &outcome.faults {
        println!("  FAULT {fault}");
    }
}

/// The month had everything that it should have.
pub(super) fn assert_everything_happened(outcome: &Outcome) {
    let counts = [
        ("a crash", outcome.crashes),
        (
            "a claim that waits for the treasury",
            outcome.treasury_short,
        ),
        ("a dispute against us", outcome.disputes_against_us),
        ("a share that is forfeited", outcome.forfeited),
        ("a late attestation of others", outcome.others_late),
        ("a wrong attestation of others", outcome.others_wrong),
        ("an attestation of ours", outcome.attested),
        ("a late attestation of ours", outcome.late),
    ];
    for (what, count) in counts {
        assert!(count > 0, "{what} did not happen");
    }
}
