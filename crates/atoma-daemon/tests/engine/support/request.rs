//! An operator's requests, for every kind of intent.

use atoma_domain::journal::Failure;
use atoma_domain::{Digest, EchelonId, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId};
use atoma_operator::{
    Completed, KeyCommitment, NodeChoice, Operator, Registered, StackResult, StackStatus,
};
use serde_json::{Value, json};

use super::cases::ANY;
use super::world::gas;

/// A request.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Register { additional: bool },
    Model(String, EchelonId),
    Subscribe(TaskSmallId, PricePerMillion),
    Update(TaskSmallId, PricePerMillion),
    Unsubscribe(TaskSmallId),
    RotateKey(KeyCommitment),
    Settle(Vec<StackSmallId>),
    Attest(Vec<StackSmallId>),
    Dispute(StackSmallId),
    Claim(Vec<StackSmallId>),
}

impl Request {
    /// Sends the request for the node. Returns one result per stack, or a single one.
    pub(crate) async fn send(
        &self,
        operator: &Operator,
        node: NodeSmallId,
    ) -> Vec<Result<(), Failure>> {
        let answers = self.send_for_digests(operator, node).await;
        answers.into_iter().map(|answer| answer.map(drop)).collect()
    }

    /// The same, with the digests of the transactions.
    pub(crate) async fn send_for_digests(
        &self,
        operator: &Operator,
        node: NodeSmallId,
    ) -> Vec<Result<Digest, Failure>> {
        let node = if node == ANY {
            NodeChoice::default()
        } else {
            NodeChoice::from(node)
        };
        let done = match self {
            Self::Register { additional } => {
                let registered = operator.register(*additional, gas()).await;
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
            Self::RotateKey(commitment) => {
                let done = operator.rotate_key(commitment.clone(), node, gas());
                done.await
            }
            Self::Dispute(stack) => operator.dispute(*stack, node, gas()).await,
        };
        let done = done.map_err(|unsuccessful| unsuccessful.failure);
        vec![done.map(|done| match done {
            Completed::Executed { tx_digest, .. } => tx_digest,
            Completed::Rehearsed { .. } => panic!("{done:?}"),
        })]
    }

    /// The path and body of the request over HTTP.
    pub(crate) fn over_http(&self) -> (&'static str, Value) {
        match self {
            Self::Register { additional } => ("/register", json!({"additional": additional})),
            Self::Settle(stacks) => {
                let body = json!({"stack_small_ids": stacks});
                ("/try_settle_stack_ids", body)
            }
            Self::Attest(stacks) => {
                let body = json!({"stack_small_ids": stacks});
                ("/submit_stack_settlement_attestations", body)
            }
            Self::Claim(stacks) => ("/claim_funds", json!({"stack_small_ids": stacks})),
            // Not used over HTTP.
            other => ("/", json!(format!("{other:?}"))),
        }
    }

    /// Whether the repeated request, without a key, is executed again.
    pub(crate) const fn is_new_each_time(&self) -> bool {
        matches!(self, Self::Update(..) | Self::Register { additional: true })
    }

    /// Whether a failure says that the request is already done.
    pub(crate) fn is_already_done(&self, failure: &Failure) -> bool {
        // Done after the daemon checked its own state, so the contract reports it.
        if let Failure::ContractAbort { abort_name, .. } = failure {
            let abort = match self {
                Self::Subscribe(..) => "ENodeAlreadySubscribedToTask",
                Self::Unsubscribe(_) => "ENodeNotSubscribedToTask",
                _ => return false,
            };
            return abort_name.as_deref() == Some(abort);
        }
        matches!(
            (self, failure),
            (Self::Register { .. }, Failure::AlreadyRegistered { .. })
                | (Self::Model(..), Failure::AlreadySubscribedToModel { .. })
                | (Self::Subscribe(..), Failure::AlreadySubscribed { .. })
                | (Self::Unsubscribe(_), Failure::NotSubscribed { .. })
                | (Self::RotateKey(_), Failure::KeyAlreadyRotated { .. })
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
        // A pending result has the reason why it waits.
        (StackStatus::Failed | StackStatus::Pending, _, Some(failure)) => Err(failure),
        other => panic!("{other:?}"),
    };
    match results {
        Ok(results) => results.into_iter().map(result).collect(),
        Err(failure) => vec![Err(failure)],
    }
}
