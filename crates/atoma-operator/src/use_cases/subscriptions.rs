//! Offers for tasks and models.

use atoma_domain::journal::{Action, Failure, GasOptions, NewIntent};
use atoma_domain::model::{OperatorNode, Subscription};
use atoma_domain::ports::Page;
use atoma_domain::{EchelonId, PricePerMillion, TaskSmallId};

use super::nodes::actor;
use super::{Done, NodeChoice, Operator, Unsuccessful, internal};

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
            let (node, offer) = self.node_and_offer(task_small_id, choice).await?;
            if offer.is_some() {
                return Err(Failure::AlreadySubscribed {
                    node_small_id: node.node_small_id,
                    task_small_id,
                });
            }
            Ok(NewIntent {
                action: Action::SubscribeToTask {
                    task_small_id,
                    price,
                },
                actor: actor(node),
                gas,
            })
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
            let (node, offer) = self.node_and_offer(task_small_id, choice).await?;
            if offer.is_none() {
                return Err(Failure::NotSubscribed {
                    node_small_id: node.node_small_id,
                    task_small_id,
                });
            }
            Ok(NewIntent {
                action,
                actor: actor(node),
                gas,
            })
        })
        .await
    }

    /// The acting node with its valid offer for the task, if it has one.
    async fn node_and_offer(
        &self,
        task_small_id: TaskSmallId,
        choice: NodeChoice,
    ) -> Result<(OperatorNode, Option<Subscription>), Failure> {
        let node = self.sole_node(choice).await?;
        let state = &self.ports.state;
        if state.task(task_small_id).await.map_err(internal)?.is_none() {
            return Err(Failure::UnknownTask { task_small_id });
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
        let offer = offers
            .into_iter()
            .find(|offer| offer.task_small_id == task_small_id && offer.valid);
        Ok((node, offer))
    }
}
