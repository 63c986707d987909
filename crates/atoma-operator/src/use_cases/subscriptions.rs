//! Subscribing nodes to tasks and models.

use atoma_domain::journal::{Action, Failure, GasOptions, IntentStatus, NewIntent};
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{JournalFilter, Page};
use atoma_domain::{EchelonId, PricePerMillion, TaskSmallId};

use super::nodes::{NodeChoice, actor};
use super::operator::Operator;
use super::single::{Completed, Unsuccessful};
use crate::causes::internal;

/// The most recent transactions of a node that the mirror may not have applied yet.
const MOST_UNMIRRORED: u32 = 100;
/// The longest model name in characters. Sui takes less than 16,384 bytes for an argument, and the name's
/// length takes three of them.
pub const LONGEST_MODEL_NAME: usize = 16_380;

impl Operator {
    /// Subscribes a node to a model in an echelon (`add_node_to_model`).
    ///
    /// # Errors
    /// When no node is registered, the choice of the node is ambiguous, or the transaction fails.
    pub async fn subscribe_to_model(
        &self,
        model_name: String,
        echelon_id: EchelonId,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Completed, Unsuccessful> {
        if !(1..=LONGEST_MODEL_NAME).contains(&model_name.len()) || !model_name.is_ascii() {
            let message = format!(
                "`model_name` must be 1 to {LONGEST_MODEL_NAME} ASCII characters; it has {}.",
                model_name.chars().count()
            );
            return Err(Failure::InvalidRequest { message }.into());
        }
        self.run_one(async {
            let node = self.acting_node(choice).await?;
            Ok(NewIntent {
                action: Action::SubscribeToModel {
                    model_name,
                    echelon_id,
                },
                actor: actor(node),
                gas,
            })
        })
        .await
    }

    /// Subscribes a node to a task (`subscribe_node_to_task`).
    ///
    /// # Errors
    /// When the task is unknown, the node is already subscribed to it, or the transaction fails.
    pub async fn subscribe_to_task(
        &self,
        task_small_id: TaskSmallId,
        price: PricePerMillion,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Completed, Unsuccessful> {
        self.run_one(async {
            let (node, is_subscribed) = self.node_and_subscription(task_small_id, choice).await?;
            let checked = if is_subscribed {
                Err(Failure::AlreadySubscribed {
                    node_small_id: node.node_small_id,
                    task_small_id,
                })
            } else {
                Ok(())
            };
            let intent = NewIntent {
                action: Action::SubscribeToTask {
                    task_small_id,
                    price,
                },
                actor: actor(node),
                gas,
            };
            self.admit(intent, checked)
        })
        .await
    }

    /// Changes the price of a subscription (`update_node_subscription`).
    ///
    /// # Errors
    /// When the task is unknown, the node is not subscribed to it, or the transaction fails.
    pub async fn update_subscription(
        &self,
        task_small_id: TaskSmallId,
        price: PricePerMillion,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Completed, Unsuccessful> {
        let action = Action::UpdateSubscription {
            task_small_id,
            price,
        };
        self.change_subscription(task_small_id, action, choice, gas)
            .await
    }

    /// Unsubscribes a node from a task (`unsubscribe_node_from_task`).
    ///
    /// # Errors
    /// When the task is unknown, the node is not subscribed to it, or the transaction fails.
    pub async fn unsubscribe_from_task(
        &self,
        task_small_id: TaskSmallId,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Completed, Unsuccessful> {
        let action = Action::UnsubscribeFromTask { task_small_id };
        self.change_subscription(task_small_id, action, choice, gas)
            .await
    }

    async fn change_subscription(
        &self,
        task_small_id: TaskSmallId,
        action: Action,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Completed, Unsuccessful> {
        self.run_one(async {
            let (node, is_subscribed) = self.node_and_subscription(task_small_id, choice).await?;
            let checked = if is_subscribed {
                Ok(())
            } else {
                Err(Failure::NotSubscribed {
                    node_small_id: node.node_small_id,
                    task_small_id,
                })
            };
            let intent = NewIntent {
                action,
                actor: actor(node),
                gas,
            };
            self.admit(intent, checked)
        })
        .await
    }

    /// The node that acts, and whether it is subscribed to the task.
    async fn node_and_subscription(
        &self,
        task_small_id: TaskSmallId,
        choice: NodeChoice,
    ) -> Result<(OperatorNode, bool), Failure> {
        let node = self.acting_node(choice).await?;
        let state = &self.ports.state;
        if state.task(task_small_id).await.map_err(internal)?.is_none() {
            return Err(Failure::UnknownTask { task_small_id });
        }
        if let Some(is_subscribed) = self.unmirrored_subscription(node, task_small_id).await? {
            return Ok((node, is_subscribed));
        }
        // The list is ordered by task, and the page begins right before this one.
        let after = task_small_id
            .get()
            .checked_sub(1)
            .map(|before| (node.node_small_id, TaskSmallId::new(before)));
        let page = Page { after, limit: 1 };
        let subscriptions = state
            .subscriptions(&[node.node_small_id], page)
            .await
            .map_err(internal)?;
        let is_subscribed = subscriptions
            .iter()
            .any(|subscription| subscription.task_small_id == task_small_id && subscription.valid);
        Ok((node, is_subscribed))
    }

    /// Whether the node's latest change of its subscription subscribed it; `None` if the mirror has
    /// applied that change, or if there is none.
    async fn unmirrored_subscription(
        &self,
        node: OperatorNode,
        task_small_id: TaskSmallId,
    ) -> Result<Option<bool>, Failure> {
        let succeeded = JournalFilter {
            status: Some(IntentStatus::Succeeded),
            node: Some(node.node_small_id),
            ..JournalFilter::default()
        };
        let page = Page::first(MOST_UNMIRRORED);
        let recent = self.ports.journal.list(&succeeded, page).await;
        let latest = recent.map_err(internal)?.into_iter().find_map(|record| {
            let is_subscribed = match record.intent.action {
                Action::SubscribeToTask {
                    task_small_id: task,
                    ..
                }
                | Action::UpdateSubscription {
                    task_small_id: task,
                    ..
                } if task == task_small_id => true,
                Action::UnsubscribeFromTask {
                    task_small_id: task,
                } if task == task_small_id => false,
                _ => return None,
            };
            Some((is_subscribed, record.tx_digest?))
        });
        Ok(match latest {
            Some((is_subscribed, digest)) if !self.is_mirrored(digest).await => Some(is_subscribed),
            _ => None,
        })
    }
}
