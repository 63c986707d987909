//! What the Sui node says about the answers.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use atoma_domain::ports::{Chain as _, Signer as _};
use atoma_domain::{Mist, with_causes};
use atoma_sui::{ClientConfig, KeystoreSigner, MaxLag, NodeUrl, SuiChain, SuiChainConfig};

use super::answers::Answers;
use super::network::Network;
use crate::amounts::{sui, total};
use atoma_operator::SystemClock;

/// How old a node's newest checkpoint may be without a warning.
const LAG: Duration = Duration::from_secs(60);

/// How long all questions to a node may take together.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was checked, for the person who runs `init`.
pub(super) struct Found {
    urls: Vec<NodeUrl>,
    network: Network,
    chain_id: String,
    address: String,
    balance: Mist,
    warnings: Vec<String>,
}

/// Checks that the key can be read, that the node is of the network, that it has the contract, and what the
/// operator's address has to pay for gas.
///
/// # Errors
/// When one of them is not so.
pub(super) async fn check(answers: &Answers) -> anyhow::Result<Found> {
    let client = ClientConfig::load(&answers.client_config)
        .context("can't use the Sui client configuration")?;
    let signer = client.signer().with_context(|| {
        format!(
            "can't use the key of `active_address` in the keystore that `keystore.File` in {} names",
            answers.client_config.display()
        )
    })?;
    let mut found = None;
    for url in &answers.rpc_urls {
        let checked = check_node(answers, url, &signer).await?;
        match &mut found {
            None => found = Some(checked),
            Some(first) if first.chain_id == checked.chain_id => {
                first.urls.extend(checked.urls);
                first.warnings.extend(checked.warnings);
            }
            Some(first) => bail!(
                "the Sui nodes are on different chains: {} on {}, {} on {}; give the URLs of nodes of one network",
                first.names(),
                first.chain_id,
                checked.names(),
                checked.chain_id
            ),
        }
    }
    found.context("no URL of a Sui node was given")
}

/// Checks one node: its network, its contract, how far it is, and whether it lists the ledger.
async fn check_node(
    answers: &Answers,
    rpc_url: &str,
    signer: &KeystoreSigner,
) -> anyhow::Result<Found> {
    let url: NodeUrl = rpc_url.parse()?;
    let checks = async {
        let config = SuiChainConfig {
            max_lag: Some(MaxLag {
                limit: LAG,
                clock: Arc::new(SystemClock),
            }),
            ..SuiChainConfig::new(rpc_url, answers.package_id, answers.atoma_db_id)
        };
        let chain = SuiChain::connect(config)?;
        let chain_id = chain
            .chain_id()
            .await
            .with_context(|| format!("can't check the settings against the Sui node {url}"))?
            .to_string();
        check_network(answers.network, &chain_id)?;
        chain
            .identity()
            .await
            .with_context(|| format!("the Sui node {url} doesn't have this contract"))?;
        let warnings = warnings(&url, &chain).await;
        let coins = chain.gas_coins(signer.address()).await;
        let coins = coins.context("can't read the coins of the operator's address")?;
        anyhow::Ok((chain_id, total(&coins), warnings))
    };
    let (chain_id, balance, warnings) = match tokio::time::timeout(PATIENCE, checks).await {
        Ok(checked) => checked?,
        Err(_) => bail!(
            "the Sui node {url} did not answer within {} seconds; check the URL, or try another node",
            PATIENCE.as_secs()
        ),
    };
    Ok(Found {
        urls: vec![url],
        network: answers.network,
        chain_id,
        address: signer.address().to_string(),
        balance,
        warnings,
    })
}

/// What may keep the daemon from following the ledger at this node, a sentence each.
async fn warnings(url: &NodeUrl, chain: &SuiChain) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Err(error) = chain.height().await {
        warnings.push(with_causes(&error));
    }
    match chain.lowest_checkpoint().await {
        Ok(lowest) if lowest.get() > 0 => warnings.push(format!(
            "the Sui node {url} keeps history from checkpoint {lowest} on only; a new database may need more"
        )),
        Ok(_) => {}
        Err(error) => warnings.push(with_causes(&error)),
    }
    warnings
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
    fn names(&self) -> String {
        let names: Vec<_> = self.urls.iter().map(NodeUrl::to_string).collect();
        names.join(", ")
    }

    /// What was found, in lines.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for url in &self.urls {
            let _ = writeln!(text, "Sui node   {url}");
        }
        let _ = writeln!(text, "network    {}, chain {}", self.network, self.chain_id);
        let _ = writeln!(text, "contract   the package and its AtomaDb are there");
        let _ = writeln!(text, "operator   {}", self.address);
        let _ = writeln!(text, "gas        {}", sui(self.balance));
        for warning in &self.warnings {
            let _ = writeln!(text, "warning: {warning}");
        }
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
