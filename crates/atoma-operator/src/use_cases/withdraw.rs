//! Collecting the shares that the contract owes a node.

use atoma_domain::journal::{Action, GasOptions, NewIntent};

use super::nodes::{NodeChoice, actor};
use super::operator::Operator;
use super::single::{Completed, Unsuccessful};

impl Operator {
    /// Collects the shares that the contract owes a node for its attestations (`withdraw_fees`). A claim of the node does
    /// the same.
    ///
    /// # Errors
    /// When the contract owes the node nothing or its treasury can't pay yet, or the transaction fails.
    pub async fn withdraw(
        &self,
        choice: NodeChoice,
        gas: GasOptions,
    ) -> Result<Completed, Unsuccessful> {
        self.run_one(async {
            let node = self.acting_node(choice).await?;
            Ok(NewIntent {
                action: Action::WithdrawFees {},
                actor: actor(node),
                gas,
            })
        })
        .await
    }
}
