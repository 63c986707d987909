//! The outcome of an executed attempt in the journal.

use std::collections::BTreeMap;

use atoma_domain::contract::Abort;
use atoma_domain::events::NodeRegistered;
use atoma_domain::{CheckpointNumber, Digest, Epoch, NodeSmallId, ObjectId};

use super::*;
use crate::engine::testing::claim;

const CHECKPOINT: CheckpointNumber = CheckpointNumber::new(9);

fn executed(outcome: ExecutionOutcome) -> Executed {
    Executed {
        digest: Digest::new([1; 32]),
        outcome,
        epoch: Epoch::new(1),
        gas_used: Mist::new(5),
        gas_returned: Mist::ZERO,
        checkpoint: Some(CHECKPOINT),
        written: BTreeMap::new(),
        gas_coin: None,
        events: Vec::new(),
        other_events: 0,
        effects: vec![7],
    }
}

fn abort(module: &str, abort_code: u64) -> ExecutionOutcome {
    ExecutionOutcome::Abort(Abort {
        module: module.to_owned(),
        function: Some(String::from("claim_funds")),
        abort_code,
        command: Some(3),
    })
}

fn out_of_gas() -> ExecutionOutcome {
    ExecutionOutcome::Failed {
        reason: String::from("INSUFFICIENT_GAS"),
        out_of_gas: true,
    }
}

#[test]
fn every_outcome_keeps_its_reason_and_checkpoint() {
    let receipt = Receipt {
        gas_used: Mist::new(5),
        gas_returned: Mist::ZERO,
        effects: vec![7],
        checkpoint: Some(CHECKPOINT),
        registered_badge: None,
    };
    let in_dispute = || abort("db", 312_012_031);
    let short = || abort("balance", 2);
    let budget = Mist::new(3);
    let ended = |outcome, batch, budget| outcome_of(executed(outcome), batch, budget);
    assert_eq!(
        ended(ExecutionOutcome::Success, 2, None),
        AttemptOutcome::Succeeded {
            receipt: receipt.clone()
        }
    );
    // Alone it is the intent's failure, in a batch the attempt's.
    let failure = failure_of(in_dispute(), Mist::ZERO);
    assert!(matches!(failure, Failure::ContractAbort { .. }));
    assert_eq!(
        ended(in_dispute(), 1, None),
        AttemptOutcome::Aborted {
            failure: failure.clone(),
            receipt: receipt.clone()
        }
    );
    assert_eq!(
        ended(in_dispute(), 2, None),
        AttemptOutcome::BatchAborted {
            failure,
            receipt: receipt.clone()
        }
    );
    for batch in [1, 2] {
        assert_eq!(
            ended(short(), batch, None),
            AttemptOutcome::BatchAborted {
                failure: Failure::TreasuryShort {},
                receipt: receipt.clone()
            }
        );
    }
    let reason = || String::from("CONGESTION");
    let congested = || ExecutionOutcome::Cancelled { reason: reason() };
    for budget in [None, Some(budget)] {
        assert_eq!(
            ended(congested(), 2, budget),
            AttemptOutcome::Cancelled {
                reason: reason(),
                receipt: receipt.clone()
            }
        );
    }
    // Whose budget it was decides whose fault it is.
    assert_eq!(
        ended(out_of_gas(), 1, None),
        AttemptOutcome::Cancelled {
            reason: String::from("INSUFFICIENT_GAS"),
            receipt: receipt.clone()
        }
    );
    assert_eq!(
        ended(out_of_gas(), 1, Some(budget)),
        AttemptOutcome::Aborted {
            failure: Failure::GasBudgetTooLow { gas_budget: budget },
            receipt
        }
    );
}

#[test]
fn a_registration_names_its_badge() {
    let badge_id = ObjectId::new([6; 32]);
    let registered = Executed {
        events: vec![
            NodeRegistered {
                badge_id,
                node_small_id: NodeSmallId::new(1),
            }
            .into(),
        ],
        ..executed(ExecutionOutcome::Success)
    };
    let outcome = outcome_of(registered, 1, None);
    let receipt = outcome.receipt().unwrap();
    assert_eq!(receipt.registered_badge, Some(badge_id));
}

/// Twenty requests with too small a budget of their own must not stop everybody's signing.
#[test]
fn only_gas_that_the_request_chose_is_its_own_failure() {
    let receipt = executed(out_of_gas());
    let ended = |budget: Option<Mist>, failure: Failure| {
        let mut intent = claim(1);
        intent.gas.budget = budget;
        Ended {
            badge: BadgeAfter::Unchanged,
            conclusion: Conclusion {
                digest: receipt.digest,
                outcome: AttemptOutcome::Aborted {
                    failure,
                    receipt: Receipt {
                        gas_used: Mist::new(5),
                        gas_returned: Mist::ZERO,
                        effects: Vec::new(),
                        checkpoint: None,
                        registered_badge: None,
                    },
                },
            },
            intents: vec![intent],
            carried: 1,
            unspent: None,
        }
    };
    let budget = Mist::new(7);
    let too_low = || Failure::GasBudgetTooLow { gas_budget: budget };
    assert!(ended(Some(budget), too_low()).is_requests_own_failure());
    assert!(!ended(None, too_low()).is_requests_own_failure());
    let other = Failure::ExecutionFailed {
        reason: String::from("arithmetic"),
    };
    assert!(!ended(Some(budget), other).is_requests_own_failure());
}
