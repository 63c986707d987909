//! What the Sui node says about the answers.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use atoma_domain::Mist;
use atoma_domain::ports::{Chain as _, Signer as _};
use atoma_sui::{ClientConfig, NodeUrl, SuiChain, SuiChainConfig};

use super::answers::Answers;
use super::network::Network;
use crate::amounts::{sui, total};

/// How long all questions to the node may take together.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was checked, for the person who runs `init`.
pub(super) struct Found {
    url: NodeUrl,
    network: Network,
    chain_id: String,
    address: String,
    balance: Mist,
}

/// Checks that the key can be read, that the node is of the network, that it has the contract, and what the
/// operator's address has to pay for gas.
///
/// # Errors
/// When one of them is not so.
pub(super) async fn check(answers: &Answers) -> anyhow::Result<Found> {
    let url: NodeUrl = answers.rpc_url.parse()?;
    let client = ClientConfig::load(&answers.client_config)
        .context("can't use the Sui client configuration")?;
    let signer = client.signer().with_context(|| {
        format!(
            "can't use the key of `active_address` in the keystore that `keystore.File` in {} names",
            answers.client_config.display()
        )
    })?;
    let checks = async {
        let config = SuiChainConfig::new(&answers.rpc_url, answers.package_id, answers.atoma_db_id);
        let chain = SuiChain::connect(config)?;
        let chain_id = chain
            .chain_id()
            .await
            .context("can't check the settings against the Sui node")?
            .to_string();
        check_network(answers.network, &chain_id)?;
        chain
            .identity()
            .await
            .context("the Sui node doesn't have this contract")?;
        let coins = chain.gas_coins(signer.address()).await;
        let coins = coins.context("can't read the coins of the operator's address")?;
        anyhow::Ok((chain_id, total(&coins)))
    };
    let (chain_id, balance) = match tokio::time::timeout(PATIENCE, checks).await {
        Ok(checked) => checked?,
        Err(_) => bail!(
            "the Sui node {url} did not answer within {} seconds; check the URL, or try another node",
            PATIENCE.as_secs()
        ),
    };
    Ok(Found {
        url,
        network: answers.network,
        chain_id,
        address: signer.address().to_string(),
        balance,
    })
}

fn check_network(network: Network, chain_id: &str) -> anyhow::Result<()> {
    let found = Network::of_chain(chain_id);
    if found == Some(network) || (found.is_none() && network.chain_id().is_none()) {
        return Ok(());
    }
    let on = found.map_or_else(
        || format!("another network (chain {chain_id})"),
        |found| found.to_string(),
    );
    bail!(
        "the Sui node is on {on}, not on {network}; give the URL of a node of {network}, or another `--network`"
    )
}

impl Found {
    /// What was found, in lines.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "Sui node   {}", self.url);
        let _ = writeln!(text, "network    {}, chain {}", self.network, self.chain_id);
        let _ = writeln!(text, "contract   the package and its AtomaDb are there");
        let _ = writeln!(text, "operator   {}", self.address);
        let _ = writeln!(text, "gas        {}", sui(self.balance));
        if self.balance == Mist::ZERO {
            let _ = writeln!(
                text,
                "warning: the operator's address has no SUI, so it can't pay for transactions; send it some"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_of_another_network_is_refused() {
        let testnet = Network::Testnet.chain_id().unwrap();
        check_network(Network::Testnet, testnet).unwrap();
        check_network(Network::Local, "1111").unwrap();
        check_network(Network::Devnet, "1111").unwrap();
        for (network, chain, named) in [
            (Network::Mainnet, testnet, "is on testnet, not on mainnet"),
            (Network::Local, testnet, "is on testnet, not on local"),
            (Network::Mainnet, "1111", "chain 1111"),
        ] {
            let error = check_network(network, chain).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
