//! Telling that the books differ from the chain.

use std::collections::BTreeMap;

use atoma_domain::alarms::{AlarmKind, Condition, Subject};
use tracing::debug;

use super::BooksChecked;
use crate::use_cases::Operator;

impl Operator {
    /// Compares the books with the chain, and reports what differs as alarms, one for each stack.
    pub(crate) async fn report_books(&self) {
        match self.check_books().await {
            Ok(checked) => {
                let kind = AlarmKind::BooksDiffer;
                self.alarm_reports().report(kind, conditions(&checked));
            }
            Err(failure) => debug!(%failure, "can't check the books; trying again later"),
        }
    }
}

fn conditions(checked: &BooksChecked) -> Vec<Condition> {
    let mut first = BTreeMap::new();
    for difference in &checked.differences {
        first.entry(difference.stack).or_insert(difference);
    }
    let conditions = first.into_iter().map(|(stack, difference)| {
        let (digest, recorded) = (difference.digest, difference.recorded);
        let computed = match difference.computed {
            Some(computed) => format!("{computed} micro-USDC by the contract's rules"),
            None => String::from("no amount by the contract's rules"),
        };
        let kind = difference.kind.name();
        let summary = format!(
            "the books differ from the chain in transaction {digest} ({kind}): {computed}, {recorded} on chain"
        );
        let subject = match stack {
            Some(stack) => Subject::Stack(stack),
            None => Subject::named(&difference.digest.to_string()),
        };
        Condition::new(AlarmKind::BooksDiffer, subject, summary)
    });
    conditions.collect()
}
