//! Requests as an operator makes them, each of every kind of intent.

use atoma_domain::journal::Failure;
use atoma_domain::{Digest, EchelonId, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId};
use atoma_operator::{Done, Operator, Registered, StackResult, StackStatus};

use super::world::{choice, gas};

/// A request.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Register,
    Model(String, EchelonId),
    Subscribe(TaskSmallId, PricePerMillion),
    Update(TaskSmallId, PricePerMillion),
    Unsubscribe(TaskSmallId),
    Settle(Vec<StackSmallId>),
    Attest(Vec<StackSmallId>),
    Dispute(StackSmallId),
    Claim(Vec<StackSmallId>),
}

impl Ask {
    /// Makes the request by the node; one result for each stack, or one in all.
    pub(crate) async fn make(
        &self,
        operator: &Operator,
        node: NodeSmallId,
    ) -> Vec<Result<(), Failure>> {
        let answers = self.make_for_digests(operator, node).await;
        answers.into_iter().map(|answer| answer.map(drop)).collect()
    }

    /// The same, with the digests of what was done.
    pub(crate) async fn make_for_digests(
        &self,
        operator: &Operator,
        node: NodeSmallId,
    ) -> Vec<Result<Digest, Failure>> {
        let node = choice(node);
        let done = match self {
            Self::Register => {
                let registered = operator.register(false, gas()).await;
                let registered = registered.map_err(|unsuccessful| unsuccessful.failure);
                return vec![registered.map(|registered| match registered {
                    Registered::Executed { tx_digest, .. } => tx_digest,
                    Registered::Rehearsed { .. } => panic!("{registered:?}"),
                })];
            }
            Self::Settle(stacks) => return each(operator.settle(stacks, None, node, gas()).await),
            Self::Attest(stacks) => return each(operator.attest(stacks, false, node, gas()).await),
            Self::Claim(stacks) => return each(operator.claim(stacks, node, gas()).await),
            Self::Model(name, echelon) => {
                let done = operator.subscribe_to_model(name.clone(), *echelon, node, gas());
                done.await
            }
            Self::Subscribe(task, price) => {
                let done = operator.subscribe_to_task(*task, *price, node, gas());
                done.await
            }
            Self::Update(task, price) => {
                let done = operator.update_subscription(*task, *price, node, gas());
                done.await
            }
            Self::Unsubscribe(task) => operator.unsubscribe_from_task(*task, node, gas()).await,
            Self::Dispute(stack) => operator.dispute(*stack, node, gas()).await,
        };
        let done = done.map_err(|unsuccessful| unsuccessful.failure);
        vec![done.map(|done| match done {
            Done::Executed { tx_digest, .. } => tx_digest,
            Done::Rehearsed { .. } => panic!("{done:?}"),
        })]
    }

    /// Whether a failure says that what was asked for is so already.
    pub(crate) fn is_already_so(&self, failure: &Failure) -> bool {
        if let (Self::Model(..), Failure::ContractAbort { abort_name, .. }) = (self, failure) {
            return abort_name.as_deref() == Some("ENodeAlreadySubscribedToModel");
        }
        matches!(
            (self, failure),
            (Self::Register, Failure::AlreadyRegistered { .. })
                | (Self::Subscribe(..), Failure::AlreadySubscribed { .. })
                | (Self::Unsubscribe(_), Failure::NotSubscribed { .. })
                | (Self::Settle(_), Failure::AlreadySettling { .. })
                | (Self::Attest(_), Failure::AlreadyAttested { .. })
                | (Self::Dispute(_), Failure::AlreadyInDispute { .. })
                | (Self::Claim(_), Failure::AlreadyClaimed { .. })
        )
    }
}

fn each(results: Result<Vec<StackResult>, Failure>) -> Vec<Result<Digest, Failure>> {
    let result = |result: StackResult| match (result.status, result.tx_digest, result.failure) {
        (StackStatus::Succeeded, Some(digest), None) => Ok(digest),
        (StackStatus::Failed, _, Some(failure)) => Err(failure),
        other => panic!("{other:?}"),
    };
    match results {
        Ok(results) => results.into_iter().map(result).collect(),
        Err(failure) => vec![Err(failure)],
    }
}
