//! Requests as an operator makes them, each of every kind of intent.

use atoma_domain::journal::Failure;
use atoma_domain::{NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId};
use atoma_operator::{Operator, StackResult, StackStatus};

use super::world::{choice, gas};

/// A request.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Register,
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
        let node = choice(node);
        match self {
            Self::Register => vec![operator.register(false, gas()).await.map(drop)],
            Self::Subscribe(task, price) => {
                let done = operator.subscribe_to_task(*task, *price, node, gas());
                vec![done.await.map(drop)]
            }
            Self::Update(task, price) => {
                let done = operator.update_subscription(*task, *price, node, gas());
                vec![done.await.map(drop)]
            }
            Self::Unsubscribe(task) => {
                let done = operator.unsubscribe_from_task(*task, node, gas());
                vec![done.await.map(drop)]
            }
            Self::Settle(stacks) => each(operator.settle(stacks, None, node, gas()).await),
            Self::Attest(stacks) => each(operator.attest(stacks, false, node, gas()).await),
            Self::Dispute(stack) => vec![operator.dispute(*stack, node, gas()).await.map(drop)],
            Self::Claim(stacks) => each(operator.claim(stacks, node, gas()).await),
        }
    }

    /// Whether a failure says that what was asked for is so already.
    pub(crate) fn is_already_so(&self, failure: &Failure) -> bool {
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

fn each(results: Result<Vec<StackResult>, Failure>) -> Vec<Result<(), Failure>> {
    let result = |result: StackResult| match (result.status, result.failure) {
        (StackStatus::Succeeded, None) => Ok(()),
        (StackStatus::Failed, Some(failure)) => Err(failure),
        (status, failure) => panic!("{status:?} with {failure:?}"),
    };
    match results {
        Ok(results) => results.into_iter().map(result).collect(),
        Err(failure) => vec![Err(failure)],
    }
}
