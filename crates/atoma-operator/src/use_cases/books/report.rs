//! Telling that the books differ from the chain.

use std::sync::atomic::{AtomicU64, Ordering};

use atoma_domain::alarms::{AlarmKind, Condition, Subject};
use atoma_domain::books::BookDifference;
use tracing::debug;

use super::BooksChecked;
use crate::use_cases::Operator;

/// How many differences the alarm names.
const NAMED: usize = 3;

impl Operator {
    /// Compares the books with the chain, and reports what differs as one alarm: the differences mostly have one cause.
    pub(crate) async fn report_books(&self) {
        match self.check_books().await {
            Ok(checked) => {
                let count = self.books_differences.get_or_init(AtomicU64::default);
                count.store(checked.count, Ordering::Relaxed);
                let kind = AlarmKind::BooksDiffer;
                self.alarm_reports().report(kind, condition(&checked));
            }
            Err(failure) => debug!(%failure, "can't check the books; trying again later"),
        }
    }
}

fn condition(checked: &BooksChecked) -> Option<Condition> {
    if checked.count == 0 {
        return None;
    }
    let first = checked.differences.iter().take(NAMED).map(told);
    let first: Vec<_> = first.collect();
    let summary = match checked.count {
        1 => format!("the books differ from the chain {}", first.join("")),
        count => format!(
            "the books differ from the chain in {count} amounts; the first are {}",
            first.join("; ")
        ),
    };
    let (kind, subject) = (AlarmKind::BooksDiffer, Subject::Daemon);
    Some(Condition::new(kind, subject, summary))
}

fn told(difference: &BookDifference) -> String {
    let (digest, recorded) = (difference.digest, difference.recorded);
    let stack = difference.stack.map(|stack| format!("stack {stack}, "));
    let stack = stack.unwrap_or_default();
    let computed = match difference.computed {
        Some(computed) => format!("{computed} micro-USDC by the contract's rules"),
        None => String::from("no amount by the contract's rules"),
    };
    let kind = difference.kind.name();
    format!("in transaction {digest} ({stack}{kind}): {computed}, {recorded} on chain")
}

#[cfg(test)]
mod tests {
    use atoma_domain::books::DifferenceKind;
    use atoma_domain::{Digest, Epoch, StackSmallId, TimestampMs};

    use super::*;

    #[test]
    fn many_differences_are_one_alarm() {
        let difference = |stack| BookDifference {
            sequence: stack,
            digest: Digest::ZERO,
            timestamp: TimestampMs::new(1),
            epoch: Epoch::new(1),
            kind: DifferenceKind::Refund,
            stack: Some(StackSmallId::new(stack)),
            address: None,
            computed: Some(5),
            recorded: 6,
        };
        let of = |count| {
            condition(&BooksChecked {
                differences: (1..=count).map(difference).collect(),
                count,
                unchecked: 0,
            })
        };
        assert_eq!(of(0), None);
        let many = of(87).unwrap();
        assert_eq!(many.key, of(1).unwrap().key);
        assert!(many.summary.contains("in 87 amounts"), "{}", many.summary);
        assert!(many.summary.contains("stack 3,") && !many.summary.contains("stack 4,"));
    }
}
