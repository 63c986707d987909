//! Collecting the shares that the contract owes a node.

use atoma_api_types::WithdrawRequest;
use atoma_client::{Client, Write};
use clap::Args;

use super::spend::{Acting, Spending};

/// The flags of `withdraw`.
#[derive(Debug, Args)]
pub(super) struct WithdrawArgs {
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    spending: Spending,
}

impl WithdrawArgs {
    /// How the transaction is paid.
    pub(super) const fn spending(&self) -> &Spending {
        &self.spending
    }

    pub(super) async fn run(self) -> anyhow::Result<()> {
        let request = WithdrawRequest {
            options: self.spending.options(self.acting),
        };
        let what = "Collect the shares that the contract owes the node";
        let call = async |client: &Client, write: &Write| client.withdraw(&request, write).await;
        self.spending.run(what, call).await
    }
}
