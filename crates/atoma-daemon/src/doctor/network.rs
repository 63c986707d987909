//! The Sui node and what it shows: contract, badges, gas, clock.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::journal::Failure;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{
    Chain, ChainError, ChainEvents as _, Clock as _, EventCursor, EventSource, Journal, Progress,
    StoreError,
};
use atoma_domain::{Address, CheckpointNumber, Mist, with_causes};
use atoma_operator::foreign_uses;
use atoma_state::SqliteState;
use atoma_sui::{ClientConfig, NodeUrl, SuiChain, SuiEventSource};

use super::mirror::Mirror;
use super::{Finding, Verdict};
use crate::amounts::{sui, total};
use crate::backend::connect;
use crate::config::Config;
use atoma_operator::{CLOCK_TOLERANCE, SystemClock, is_ahead};

/// How long all questions to the node may take together.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait for the next page of the ledger.
const PAGE_PATIENCE: Duration = Duration::from_secs(3);
const NODE: &str = "Sui node";
const LISTS: &str = "list calls";

pub(super) async fn examine(config: &Config, mirror: &Mirror) -> Vec<Finding> {
    let connected = ClientConfig::load(&config.sui.client_config)
        .map_err(anyhow::Error::from)
        .and_then(|client| {
            let address = client.active_address()?;
            let (urls, nodes) = connect(config, &client)?;
            Ok((address, urls, nodes))
        });
    let (address, urls, nodes) = match connected {
        Ok(connected) => connected,
        Err(error) => return vec![Finding::skipped(NODE, format!("not asked: {error:#}"))],
    };
    let known = Known::of(mirror).await;
    if let Some(state) = known.state
        && let Ok(Some(identity)) = state.bound_to().await
        && let Err(error) = nodes.expect_chain(identity.chain_id)
    {
        return vec![node_failed(&error)];
    }
    let mut each = Vec::with_capacity(urls.len());
    for (url, chain) in urls.iter().zip(nodes.each()) {
        each.push(examine_node(config, url, chain, &known).await);
    }
    let mut findings = one_must_work(each, &urls);
    let is_reached = findings
        .iter()
        .any(|finding| finding.check == NODE && finding.verdict == Verdict::Ok);
    if !is_reached {
        return findings;
    }
    let questions = async {
        let mut found = vec![contract(&nodes, known.state).await];
        found.extend(badges(config, &nodes, address, mirror).await);
        found.push(gas(config, &nodes, address).await);
        found
    };
    match tokio::time::timeout(PATIENCE, questions).await {
        Ok(more) => findings.extend(more),
        Err(_) => findings.push(late(&urls)),
    }
    findings
}

/// What the database can tell about the mirror.
struct Known<'a> {
    state: Option<&'a SqliteState>,
    progress: Result<Progress, String>,
}

impl<'a> Known<'a> {
    async fn of(mirror: &'a Mirror) -> Self {
        let (state, progress) = match mirror {
            Mirror::Open(state) => {
                let read = state.progress().await;
                (Some(state), read.map_err(|error| with_causes(&error)))
            }
            Mirror::Missing => (None, Ok(Progress::default())),
            Mirror::Unreadable => (None, Err(String::from("see `database`"))),
        };
        Self { state, progress }
    }
}

/// What is asked of each node by itself.
async fn examine_node(
    config: &Config,
    url: &NodeUrl,
    chain: &Arc<SuiChain>,
    known: &Known<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let questions = ask(config, chain, known, &mut findings);
    if tokio::time::timeout(PATIENCE, questions).await.is_err() {
        findings.push(late(std::slice::from_ref(url)));
    }
    findings
}

fn late(urls: &[NodeUrl]) -> Finding {
    let urls: Vec<_> = urls.iter().map(NodeUrl::to_string).collect();
    let found = format!("it did not answer within {} seconds", PATIENCE.as_secs());
    Finding::problem(NODE, found).advise(format!(
        "Check `sui.rpc_url` ({}) and the way to the node, or use another node.",
        urls.join(", ")
    ))
}

/// The findings about several nodes, each with the node's URL. The daemon works as long as one node is sound.
fn one_must_work(each: Vec<Vec<Finding>>, urls: &[NodeUrl]) -> Vec<Finding> {
    if urls.len() == 1 {
        return each.into_iter().flatten().collect();
    }
    let is_problem = |finding: &Finding| finding.verdict == Verdict::Problem;
    let has_sound = each.iter().any(|found| !found.iter().any(is_problem));
    let named = each.into_iter().zip(urls).flat_map(|(found, url)| {
        let found = found.into_iter();
        found.map(move |finding| Finding {
            verdict: match finding.verdict {
                Verdict::Problem if has_sound => Verdict::Warning,
                verdict => verdict,
            },
            found: format!("{url}: {}", finding.found),
            ..finding
        })
    });
    named.collect()
}

async fn ask(
    config: &Config,
    chain: &Arc<SuiChain>,
    known: &Known<'_>,
    findings: &mut Vec<Finding>,
) {
    let height = match chain.height().await {
        Ok(height) => height,
        Err(error) => return findings.push(node_failed(&error)),
    };
    match chain.chain_id().await {
        Ok(id) => findings.push(Finding::ok(
            NODE,
            format!("chain {id}, checkpoint {height}"),
        )),
        Err(error) => return findings.push(node_failed(&error)),
    }
    findings.push(clock(chain, height).await);
    findings.push(history(config, chain, height, known.progress.as_ref()).await);
    findings.push(stream(chain, height, known.progress.clone().ok()).await);
}

fn node_failed(error: &ChainError) -> Finding {
    Finding::problem(NODE, with_causes(error))
        .advise("Check `sui.rpc_url` and the way to the node, or use another node.")
}

/// This machine's clock, and the node's lag: the newest checkpoint shows both.
async fn clock(chain: &Arc<SuiChain>, height: CheckpointNumber) -> Finding {
    const CHECK: &str = "clock";
    let at = match chain.checkpoint_time(height).await {
        Ok(at) => at,
        Err(error) => return Finding::skipped(CHECK, with_causes(&error)),
    };
    let now = SystemClock.now();
    let difference = Duration::from_millis(now.get().abs_diff(at.get()));
    let seconds = difference.as_secs();
    if difference <= CLOCK_TOLERANCE {
        let found = format!("{seconds} s from the time of the node's newest checkpoint");
        return Finding::ok(CHECK, found);
    }
    if at > now {
        let found = format!("it is {seconds} s behind the node's newest checkpoint");
        return Finding::problem(CHECK, found).advise("Set this machine's clock, best by NTP.");
    }
    let found = format!("the node's newest checkpoint is {seconds} s old");
    Finding::warning(CHECK, found).advise(
        "Compare the node's checkpoint with an explorer: the node has fallen behind, the network stands still, or this \
         machine's clock is fast.",
    )
}

/// Whether the node still has what the mirror needs next.
async fn history(
    config: &Config,
    chain: &Arc<SuiChain>,
    height: CheckpointNumber,
    progress: Result<&Progress, &String>,
) -> Finding {
    const CHECK: &str = "history";
    let progress = match progress {
        Ok(progress) => progress,
        Err(why) => {
            let found = format!("it is not known what the mirror needs next: {why}");
            return Finding::skipped(CHECK, found);
        }
    };
    if let Some(covered) = progress.covered
        && is_ahead(covered, height)
    {
        let found = format!("the mirror is at checkpoint {covered}, and the node only at {height}");
        return Finding::problem(CHECK, found).advise(
            "The node has fallen far behind, or its network began anew: use another node, or set another `data_dir` for \
             a new network.",
        );
    }
    let lowest = match chain.lowest_checkpoint().await {
        Ok(lowest) => lowest,
        Err(error) => return Finding::warning(CHECK, with_causes(&error)),
    };
    let next = progress
        .covered
        .map_or(config.sui.start_checkpoint, |covered| {
            covered.get().saturating_add(1)
        });
    let found = format!("the node keeps checkpoints from {lowest} on; the mirror needs {next}");
    if lowest.get() <= next {
        return Finding::ok(CHECK, found);
    }
    Finding::problem(CHECK, found)
        .advise("Set `sui.rpc_url` to a node that keeps its whole history, an archive node.")
}

/// Whether the node has the calls by which the mirror follows the ledger, from where the mirror is.
async fn stream(
    chain: &Arc<SuiChain>,
    height: CheckpointNumber,
    progress: Option<Progress>,
) -> Finding {
    // A mirror that has everything would wait for the next checkpoint. The node must have an answer about its newest.
    let behind = progress.filter(|progress| progress.covered.is_some_and(|at| at < height));
    let source = SuiEventSource::new(Arc::clone(chain), height);
    let found = listed(
        &source,
        behind.and_then(|behind| behind.cursor),
        PAGE_PATIENCE,
    )
    .await;
    if found.verdict == Verdict::Ok && chain.lacks_lists() {
        let found = "the node has no list calls, so the daemon reads whole checkpoints, which takes longer and more data";
        return Finding::warning(LISTS, found)
            .advise("Use a node that serves `sui.rpc.v2` with its list calls and their indexes.");
    }
    found
}

/// Whether a source that has something to tell does so.
async fn listed(
    source: &dyn EventSource,
    cursor: Option<EventCursor>,
    patience: Duration,
) -> Finding {
    let read = async {
        let mut stream = source.follow(cursor).await?;
        stream.next_steps(1).await
    };
    match tokio::time::timeout(patience, read).await {
        Ok(Ok(_)) => Finding::ok(LISTS, "the node lists the contract's transactions"),
        Ok(Err(error)) => Finding::problem(LISTS, with_causes(&error))
            .advise("Use a node that serves `sui.rpc.v2` with its list calls and their indexes."),
        Err(_) => {
            let found = format!(
                "the node did not list the contract's transactions within {} seconds",
                patience.as_secs()
            );
            Finding::warning(LISTS, found).advise("Try again. If it stays so, use another node.")
        }
    }
}

/// Whether the node has the contract, and it is the one that the database mirrors.
async fn contract(chain: &dyn Chain, state: Option<&SqliteState>) -> Finding {
    const CHECK: &str = "contract";
    match chain.identity().await {
        Ok(identity) => {
            if let Some(state) = state
                && let Err(error @ StoreError::OtherChain { .. }) = state.bind(&identity).await
            {
                return Finding::problem(CHECK, error.to_string()).advise(
                    "Check `sui.package_id`, `sui.atoma_db_id` and the node, or set another `data_dir`.",
                );
            }
            Finding::ok(CHECK, format!("AtomaDb {}", identity.atoma_db_id))
        }
        Err(error) => Finding::problem(CHECK, with_causes(&error))
            .advise("Check `sui.package_id` and `sui.atoma_db_id`, and whether the node is on the right network."),
    }
}

/// The operator's badges, and those that other software has used.
async fn badges(
    config: &Config,
    chain: &dyn Chain,
    address: Address,
    mirror: &Mirror,
) -> Vec<Finding> {
    const CHECK: &str = "nodes";
    let badges = match chain.badges(address).await {
        Ok(badges) if badges.is_empty() => {
            let none = Finding::warning(CHECK, format!("{address} has no node badge"))
                .advise("Register a node: `atoma-daemon register`.");
            return vec![none];
        }
        Ok(badges) => badges,
        Err(error) => return vec![Finding::problem(CHECK, with_causes(&error))],
    };
    let ids = badges.iter().map(|badge| badge.node_small_id.to_string());
    let ids = ids.collect::<Vec<_>>().join(", ");
    let nodes = badges.iter().map(|badge| OperatorNode {
        node_small_id: badge.node_small_id,
        node_badge_id: *badge.reference.object_id(),
        address,
    });
    let journal: Option<&dyn Journal> = match mirror {
        Mirror::Open(state) => Some(state),
        Mirror::Missing => None,
        Mirror::Unreadable => {
            let found = format!(
                "{address} has the nodes {ids}; it is not known whether other software used them: see `database`"
            );
            return vec![Finding::ok(CHECK, found)];
        }
    };
    match foreign_uses(chain, journal, nodes.collect()).await {
        Ok(uses) if uses.is_empty() || config.allow_foreign_use => {
            vec![Finding::ok(CHECK, format!("{address} has the nodes {ids}"))]
        }
        Ok(uses) => {
            let foreign = uses.into_iter().map(|used| {
                if !used.is_shown {
                    let found = format!(
                        "the Sui node does not show transaction {}, which used the badge of node {} last, or one before it",
                        used.tx_digest, used.node.node_small_id
                    );
                    return Finding::warning(CHECK, found).advise(
                        "The daemon accepts no writes until it does. If the node has pruned it, and you know of the use, \
                         start once with `allow_foreign_use = true`: docs/transactions.md.",
                    );
                }
                Finding::problem(CHECK, Failure::from(used).to_string()).advise(
                    "Stop the other daemon, or restore a newer copy of the database. If the use is harmless, start once \
                     with `allow_foreign_use = true`: docs/transactions.md.",
                )
            });
            foreign.collect()
        }
        Err(error) => vec![Finding::warning(CHECK, with_causes(&error))],
    }
}

async fn gas(config: &Config, chain: &dyn Chain, address: Address) -> Finding {
    const CHECK: &str = "gas";
    let coins = match chain.gas_coins(address).await {
        Ok(coins) => coins,
        Err(error) => return Finding::problem(CHECK, with_causes(&error)),
    };
    let balance = total(&coins);
    let found = format!("{} in {} coins", sui(balance), coins.len());
    let advice = format!("Send SUI to {address}.");
    if balance == Mist::ZERO {
        return Finding::problem(CHECK, found).advise(advice);
    }
    if balance < Mist::new(config.gas.low_balance_mist) {
        return Finding::warning(CHECK, found).advise(advice);
    }
    Finding::ok(CHECK, found)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use atoma_domain::ports::{LedgerFrame, LedgerStream};

    use super::*;

    /// A node that takes the call and says nothing.
    #[derive(Debug)]
    struct Silent;

    #[async_trait]
    impl EventSource for Silent {
        async fn follow(
            &self,
            _: Option<EventCursor>,
        ) -> Result<Box<dyn LedgerStream>, ChainError> {
            Ok(Box::new(Self))
        }
    }

    #[async_trait]
    impl LedgerStream for Silent {
        async fn next_steps(&mut self, _: usize) -> Result<Vec<LedgerFrame>, ChainError> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_node_that_lists_nothing_in_time_is_not_ok() {
        let found = listed(&Silent, None, Duration::ZERO).await;
        assert_eq!(found.verdict, Verdict::Warning, "{found:?}");
        assert!(found.found.contains("did not list"), "{found:?}");
    }
}
