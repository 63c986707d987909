//! What it means for intents when a read from the chain fails, the network refuses a transaction, or
//! an execution does not succeed.

use atoma_domain::journal::{Failure, Intent};
use atoma_domain::ports::{ChainError, ExecutionOutcome, Refusal, RefusalKind};
use atoma_domain::{Mist, ObjectReference};

use super::next::Next;
use crate::causes::chain_failure;
use crate::engine::reads::refusal;
use crate::engine::shared::{Context, fail_all};
use crate::engine::wait_reason::WaitReason;

/// What to do with a batch when a read for a transaction with this gas budget failed or was refused.
pub(super) async fn unanswered(
    context: &Context,
    intents: &[Intent],
    gas_budget: Mist,
    error: &ChainError,
) -> Next {
    match Unanswered::of(error, gas_budget) {
        Unanswered::Outage(reason) => Next::Wait {
            intents: intents.to_vec(),
            reason,
        },
        Unanswered::Doubtful(failure) => Next::doubt(intents, &failure),
        Unanswered::Final(failure) => {
            fail_all(context, intents, &failure).await;
            Next::Nothing
        }
    }
}

/// What a failed read means for the intents that need its answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unanswered {
    /// Nothing: wait until the node is back, or has caught up with what we know.
    Outage(WaitReason),
    /// This failure, unless the node lags behind.
    Doubtful(Failure),
    /// This failure.
    Final(Failure),
}

impl Unanswered {
    /// What it means for a transaction with this gas budget.
    pub(super) fn of(error: &ChainError, gas_budget: Mist) -> Self {
        match error {
            ChainError::Unavailable(_)
            | ChainError::OtherChain { .. }
            | ChainError::Late { .. }
            | ChainError::Behind { .. }
            | ChainError::Answer(_)
            | ChainError::Malformed { .. }
            | ChainError::Contract { .. }
            | ChainError::NoObject(_) => match refusal(error) {
                Some(refusal) => Self::of_refusal(refusal, gas_budget),
                // A node in trouble says nothing about the intents.
                None => Self::Outage(WaitReason::SuiNode(chain_failure(error))),
            },
            ChainError::Build(_) | ChainError::Pruned { .. } => Self::Final(chain_failure(error)),
        }
    }

    fn of_refusal(refusal: &Refusal, gas_budget: Mist) -> Self {
        let failure = refusal_failure(refusal, gas_budget);
        match refusal.kind {
            // Since planning, the epoch has ended or an input has moved, or the node does not know
            // the input yet: plan anew, however long that lasts.
            RefusalKind::Expired | RefusalKind::ObjectVersion { .. } => {
                Self::Outage(WaitReason::SuiNode(failure))
            }
            RefusalKind::ObjectNotUsable { .. } => Self::Doubtful(failure),
            _ => Self::Final(failure),
        }
    }
}

/// The failure that callers see when a simulation failed or was refused.
pub(in crate::engine) fn simulation_failure(error: &ChainError, gas_budget: Mist) -> Failure {
    match refusal(error) {
        Some(refusal) => refusal_failure(refusal, gas_budget),
        None => chain_failure(error),
    }
}

/// The failure that callers see when the network refuses a transaction that nobody has seen before.
pub(super) fn refusal_failure(refusal: &Refusal, gas_budget: Mist) -> Failure {
    let reason = refusal.message.clone();
    match refusal.kind {
        RefusalKind::ObjectNotUsable {
            object: Some(object_id),
        }
        | RefusalKind::ObjectVersion {
            object: Some(object_id),
        } => Failure::ObjectNotUsable { object_id, reason },
        RefusalKind::GasBalance => Failure::GasBalanceInsufficient { gas_budget },
        RefusalKind::GasBudgetTooLow => Failure::GasBudgetTooLow { gas_budget },
        _ => Failure::TransactionRefused { reason },
    }
}

/// The budget that the request chose itself, if it did.
pub(super) fn own_budget(intents: &[Intent]) -> Option<Mist> {
    intents.first().and_then(|intent| intent.gas.budget)
}

/// Whether a refusal is about one of these coins, which no request named.
pub(super) fn is_own_coin(refusal: &Refusal, gas: &[ObjectReference], intents: &[Intent]) -> bool {
    let (RefusalKind::ObjectNotUsable {
        object: Some(object),
    }
    | RefusalKind::ObjectVersion {
        object: Some(object),
    }) = &refusal.kind
    else {
        return false;
    };
    let named = intents.first().and_then(|intent| intent.gas.coin);
    named != Some(*object) && gas.iter().any(|coin| coin.object_id() == object)
}

/// The failure that an unsuccessful execution or simulation means.
pub(in crate::engine) fn failure_of(outcome: ExecutionOutcome, gas_budget: Mist) -> Failure {
    match outcome {
        ExecutionOutcome::Abort(abort) => Failure::from_abort(abort),
        ExecutionOutcome::Failed {
            out_of_gas: true, ..
        } => Failure::GasBudgetTooLow { gas_budget },
        ExecutionOutcome::Failed { reason, .. } | ExecutionOutcome::Cancelled { reason } => {
            Failure::ExecutionFailed { reason }
        }
        ExecutionOutcome::Success => Failure::Internal {
            reason: String::from("a success was taken for a failure"),
        },
    }
}

#[cfg(test)]
mod tests {
    use atoma_domain::ObjectId;

    use super::*;

    const OBJECT: ObjectId = ObjectId::new([7; 32]);

    /// The words of a node that is in trouble or lags are never final.
    #[test]
    fn only_what_the_node_says_about_the_request_is_final() {
        let told = |error: &ChainError| Unanswered::of(error, Mist::ZERO);
        let refused = |kind| {
            told(&ChainError::Answer(Box::new(Refusal {
                kind,
                message: String::from("refused"),
            })))
        };
        let object = Some(atoma_domain::Address::ZERO);
        for unanswered in [
            told(&ChainError::Unavailable("away".into())),
            told(&ChainError::Answer("internal error".into())),
            told(&ChainError::Malformed { what: "it" }),
            told(&ChainError::NoObject(atoma_domain::Address::ZERO)),
            told(&ChainError::Behind {
                object: atoma_domain::Address::ZERO,
                shown: None,
                known: 7,
            }),
            refused(RefusalKind::Expired),
            refused(RefusalKind::ObjectVersion { object }),
        ] {
            assert!(
                matches!(unanswered, Unanswered::Outage(_)),
                "{unanswered:?}"
            );
        }
        for unanswered in [
            told(&ChainError::Build("too large".into())),
            refused(RefusalKind::GasBalance),
        ] {
            assert!(matches!(unanswered, Unanswered::Final(_)), "{unanswered:?}");
        }
    }

    #[test]
    fn a_refusal_is_the_requests_fault_and_an_error_the_nodes() {
        let budget = Mist::new(7);
        let refused = |kind| {
            let message = String::from("no");
            let error = ChainError::Answer(Box::new(Refusal { kind, message }));
            simulation_failure(&error, budget)
        };
        let (object, reason) = (Some(OBJECT), String::from("no"));
        let not_usable = Failure::ObjectNotUsable {
            object_id: OBJECT,
            reason: reason.clone(),
        };
        let transaction_refused = Failure::TransactionRefused { reason };
        for (kind, failure) in [
            (RefusalKind::ObjectNotUsable { object }, not_usable.clone()),
            (RefusalKind::ObjectVersion { object }, not_usable),
            (
                RefusalKind::ObjectVersion { object: None },
                transaction_refused.clone(),
            ),
            (
                RefusalKind::GasBalance,
                Failure::GasBalanceInsufficient { gas_budget: budget },
            ),
            (
                RefusalKind::GasBudgetTooLow,
                Failure::GasBudgetTooLow { gas_budget: budget },
            ),
            (RefusalKind::GasTerms, transaction_refused.clone()),
            (RefusalKind::Invalid, transaction_refused.clone()),
            (RefusalKind::Other, transaction_refused),
        ] {
            assert_eq!(refused(kind.clone()), failure, "{kind:?}");
        }
        for error in [
            ChainError::Answer("a panic".into()),
            ChainError::Malformed { what: "it" },
        ] {
            let failure = simulation_failure(&error, budget);
            assert!(matches!(failure, Failure::SuiNodeError { .. }), "{error}");
        }
    }
}
