//! The composition root: the configured adapters, and the node that runs on them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use atoma_domain::ports::{Clock, Signer as _};
use atoma_domain::{CheckpointNumber, Mist};
use atoma_metrics::Metrics;
use atoma_operator::{Adapters, EngineConfig, LimitsConfig, Node, NodeConfig, SystemClock};
use atoma_state::{OwnedState, StateOptions};
use atoma_sui::{
    ClientConfig, MaxLag, NodeUrl, Priority, SuiChainConfig, SuiNodes, SuiNodesSource,
};
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Interval between looks at the Sui nodes, if there are several.
const LOOK_INTERVAL: Duration = Duration::from_secs(15);
/// A day in seconds.
const DAY_S: u64 = 86_400;

/// Connections to the configured Sui nodes, not opened yet, with the nodes' URLs.
///
/// # Errors
/// When no node is configured, or the files about them can't be used.
pub(crate) fn connect(
    config: &Config,
    client: &ClientConfig,
) -> anyhow::Result<(Vec<NodeUrl>, SuiNodes)> {
    let needs_client = config.sui.rpc_url.is_none() && config.sui.nodes.is_empty();
    let in_client = needs_client.then(|| client.rpc_url()).transpose()?;
    let urls = config.urls_of_nodes(in_client.map(str::to_owned));
    config.warn_of_exposed_headers(&urls);
    let accesses = config.access_of_nodes(|name| std::env::var_os(name))?;
    let nodes = urls.iter().zip(accesses).zip(config.limits_of_nodes());
    let nodes = nodes.map(|((url, access), limit)| SuiChainConfig {
        max_lag: Some(MaxLag {
            limit: Duration::from_secs(config.sui.max_lag_s),
            clock: Arc::new(SystemClock),
        }),
        access,
        limit,
        ..SuiChainConfig::new(url, config.sui.package_id, config.sui.atoma_db_id)
    });
    let chain = SuiNodes::connect(nodes)?;
    let urls = urls
        .iter()
        .map(|url| url.parse())
        .collect::<Result<_, _>>()?;
    Ok((urls, chain))
}

/// Reads the key, locks the data directory, opens the database, and puts the node together. Asks nothing of the chain.
///
/// # Errors
/// When the key can't be read, the data directory is in use, or the database can't be opened.
pub(crate) async fn build_node(
    config: &Config,
    metrics: &Metrics,
    stopping: CancellationToken,
) -> anyhow::Result<Node> {
    let client = ClientConfig::load(&config.sui.client_config)
        .context("can't use the file that `sui.client_config` names")?;
    let signer = client.signer().with_context(|| {
        format!(
            "can't use the key of `active_address` in the keystore that `keystore.File` in {} names",
            config.sui.client_config.display()
        )
    })?;
    let (_, nodes) = connect(config, &client)?;
    let start = CheckpointNumber::new(config.sui.start_checkpoint);
    let source = SuiNodesSource::new(nodes.clone(), start);
    let owned = OwnedState::open(&config.data_dir, StateOptions::default()).await?;
    let state = owned.state().clone();
    let chain = Arc::new(nodes.clone());
    let address = signer.address().to_string();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let notifiers = config.notifiers(&address, &clock, |name| std::env::var_os(name))?;
    let signer = Arc::new(signer);
    let mut adapters = Adapters::new(
        chain.clone(),
        Arc::new(source),
        signer,
        Arc::new(state.clone()),
        Arc::new(owned),
    );
    adapters.ports.chain = metrics.counting(chain);
    // Clients and the engine don't wait for each other's connections.
    adapters.serving = adapters
        .ports
        .clone()
        .over_database(state.for_served_work());
    let background = nodes.with_priority(Priority::Other);
    adapters.background_chain = metrics.counting(Arc::new(background.clone()));
    adapters.contract = Arc::new(background);
    adapters.notifiers = notifiers;
    let node = Node::build(adapters, node_config(config), stopping.clone()).await?;
    node.spawn(nodes.watch(LOOK_INTERVAL, stopping));
    Ok(node)
}

/// The node's settings as configured.
fn node_config(config: &Config) -> NodeConfig {
    let mut node = NodeConfig::default();
    node.engine = EngineConfig {
        gas_margin_percent: config.gas.margin_percent,
        gas_budget_ceiling: config.gas.budget_ceiling_mist,
        low_gas_balance: config.gas.low_balance_mist,
        queue_limit: config.queue_limit,
        allow_foreign_use: config.allow_foreign_use,
        limits: LimitsConfig {
            daily_gas_cap: config.gas.daily_cap_mist.map(Mist::new),
            breaker_failures: config.breaker.failures,
            breaker_pause: Duration::from_secs(config.breaker.pause_s),
        },
        ..node.engine
    };
    node.alarms = config.alarms.settings();
    node.autopilot = config.autopilot.config(&config.data_dir);
    node.request_timeout = Duration::from_secs(config.request_timeout_s);
    node.recovery_timeout = Duration::from_secs(config.recovery_timeout_s);
    let keep_days = config.journal.keep_bytes_days;
    node.keep_bytes = (keep_days > 0).then(|| Duration::from_secs(keep_days * DAY_S));
    node.expects_foreign_use = config.is_demonstration;
    node
}
