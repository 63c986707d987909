//! Offers for tasks and models.

use atoma_domain::journal::{Action, Failure, GasOptions, IntentStatus, NewIntent};
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{JournalFilter, Page};
use atoma_domain::{EchelonId, PricePerMillion, TaskSmallId};

use super::nodes::actor;
use super::{Done, NodeChoice, Operator, Unsuccessful, internal};

/// How many of a node's latest transactions a mirror may be behind.
const AS_FAR_AS_A_MIRROR_LAGS: u32 = 100;

impl Operator {
    /// Offers a model in an echelon.
    ///
    /// # Errors
    /// When no node, or more than one, could act, or the network refuses.
    pub async fn subscribe_to_model(
        &self,
        model_name: String,
        echelon_id: EchelonId,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Done, Unsuccessful> {
        if model_name.is_empty() || !model_name.is_ascii() {
            let message = String::from("`model_name` must be ASCII and not empty");
            return Err(Failure::InvalidRequest { message }.into());
        }
        self.run(async {
            let node = self.sole_node(choice).await?;
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

    /// Offers to serve a task.
    ///
    /// # Errors
    /// When the task is unknown, the node already subscribed, or the network refuses.
    pub async fn subscribe_to_task(
        &self,
        task_small_id: TaskSmallId,
        price: PricePerMillion,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Done, Unsuccessful> {
        self.run(async {
            let (node, is_offered) = self.node_and_offer(task_small_id, choice).await?;
            let checked = if is_offered {
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
            self.unless_refused(intent, checked)
        })
        .await
    }

    /// Changes the price of an offer.
    ///
    /// # Errors
    /// When the task is unknown, the node not subscribed, or the network refuses.
    pub async fn update_subscription(
        &self,
        task_small_id: TaskSmallId,
        price: PricePerMillion,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Done, Unsuccessful> {
        let action = Action::UpdateSubscription {
            task_small_id,
            price,
        };
        self.change_offer(task_small_id, action, choice, gas).await
    }

    /// Withdraws an offer.
    ///
    /// # Errors
    /// When the task is unknown, the node not subscribed, or the network refuses.
    pub async fn unsubscribe_from_task(
        &self,
        task_small_id: TaskSmallId,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Done, Unsuccessful> {
        let action = Action::UnsubscribeFromTask { task_small_id };
        self.change_offer(task_small_id, action, choice, gas).await
    }

    async fn change_offer(
        &self,
        task_small_id: TaskSmallId,
        action: Action,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Done, Unsuccessful> {
        self.run(async {
            let (node, is_offered) = self.node_and_offer(task_small_id, choice).await?;
            let checked = if is_offered {
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
            self.unless_refused(intent, checked)
        })
        .await
    }

    /// The acting node, and whether it offers the task.
    async fn node_and_offer(
        &self,
        task_small_id: TaskSmallId,
        choice: NodeChoice,
    ) -> Result<(OperatorNode, bool), Failure> {
        let node = self.sole_node(choice).await?;
        let state = &self.ports.state;
        if state.task(task_small_id).await.map_err(internal)?.is_none() {
            return Err(Failure::UnknownTask { task_small_id });
        }
        if let Some(is_offered) = self.unmet_offer(node, task_small_id).await? {
            return Ok((node, is_offered));
        }
        // The entry right before this task's in the list's order: the page begins behind it.
        let after = task_small_id
            .get()
            .checked_sub(1)
            .map(|before| (node.node_small_id, TaskSmallId::new(before)));
        let page = Page { after, limit: 1 };
        let offers = state
            .subscriptions(&[node.node_small_id], page)
            .await
            .map_err(internal)?;
        let is_offered = offers
            .iter()
            .any(|offer| offer.task_small_id == task_small_id && offer.valid);
        Ok((node, is_offered))
    }

    /// Whether the node offers the task by its latest change of it, where the mirror has not met
    /// that yet.
    async fn unmet_offer(
        &self,
        node: OperatorNode,
        task_small_id: TaskSmallId,
    ) -> Result<Option<bool>, Failure> {
        let done = JournalFilter {
            status: Some(IntentStatus::Succeeded),
            node: Some(node.node_small_id),
            ..JournalFilter::default()
        };
        let page = Page::first(AS_FAR_AS_A_MIRROR_LAGS);
        let done = self.ports.journal.list(&done, page).await;
        let latest = done.map_err(internal)?.into_iter().find_map(|record| {
            let is_offered = match record.intent.action {
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
            Some((is_offered, record.tx_digest?))
        });
        Ok(match latest {
            Some((is_offered, digest)) if !self.has_met(digest).await => Some(is_offered),
            _ => None,
        })
    }
}
