//! Looks at the nodes: how far each of them is, and whether what it says fits what it and the others said.

use std::collections::BTreeMap;
use std::time::Duration;

use atoma_domain::ports::{AsideReason, Chain as _, ChainError};
use atoma_domain::{Digest, with_causes};
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::standing::{Aside, Newest, is_own_limit};
use super::sui_nodes::{Node, SuiNodes};
use crate::node::Priority;

/// How many checkpoints a node's height may go back: several nodes can answer at one address.
const HEIGHT_SLACK: u64 = 100;

/// How much older than that of another node a node's newest checkpoint may be.
const LAG: Duration = Duration::from_secs(30);

/// The node's newest checkpoint, which it has.
#[derive(Clone, Copy, Debug)]
struct Tip {
    newest: Newest,
    digest: Digest,
}

/// What a look found: the node's newest checkpoint, why the node is to be left aside, or nothing, since the limit on
/// requests left no room for the look.
type Looked = Result<Tip, Option<Aside>>;

impl SuiNodes {
    /// Looks at all nodes at this interval, until stopped. A single node has nothing to be compared with.
    pub async fn watch(self, interval: Duration, stopping: CancellationToken) {
        if self.nodes.len() == 1 {
            return;
        }
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.look_once() => {}
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(interval) => {}
            }
        }
    }

    /// Looks at all nodes once: leaves those aside that something is wrong with, and takes the others back.
    /// Does nothing while it is not known which chain it is: a node that is wrong must not be the first to say.
    pub async fn look_once(&self) {
        let knows_chain = |node: &Node| node.of(Priority::Other).connection().gate().knows_chain();
        if !self.nodes.first().is_some_and(knows_chain) {
            return;
        }
        let looked = join_all(self.nodes.iter().map(tip)).await;
        let mut found: Vec<Looked> = Vec::with_capacity(looked.len());
        for (node, tip) in self.nodes.iter().zip(looked) {
            found.push(tip.and_then(|tip| check_height(node, tip)));
        }
        self.compare_checkpoints(&mut found).await;
        self.compare_times(&mut found);
        for (node, found) in self.nodes.iter().zip(found) {
            match found {
                Ok(tip) => {
                    node.standing.note_newest(tip.newest);
                    if shows_newer_object(node).await {
                        node.standing.restore();
                    }
                }
                Err(Some(aside)) => node.standing.set_aside(aside),
                Err(None) => {}
            }
        }
    }

    /// Compares what the nodes have as the highest checkpoint that all of them have. Those that differ from most
    /// are wrong, or from the earlier one in the list if there are as many of each.
    async fn compare_checkpoints(&self, found: &mut [Looked]) {
        let heights = found.iter().flatten().map(|tip| tip.newest.height);
        let Some(common) = heights.min() else { return };
        let digests = self
            .nodes
            .iter()
            .zip(found.iter())
            .map(|(node, found)| async move {
                match found {
                    Ok(tip) if tip.newest.height == common => Some(tip.digest),
                    Ok(_) => {
                        let read = node.of(Priority::Other).checkpoint(common).await;
                        read.ok().flatten().map(|(digest, _)| digest)
                    }
                    Err(_) => None,
                }
            });
        let digests = join_all(digests).await;
        let mut counts: BTreeMap<Digest, usize> = BTreeMap::new();
        for digest in digests.iter().flatten() {
            *counts.entry(*digest).or_default() += 1;
        }
        let most = counts.values().max().copied().unwrap_or_default();
        let right = digests.iter().flatten();
        let right = right
            .copied()
            .find(|digest| counts.get(digest) == Some(&most));
        for (found, digest) in found.iter_mut().zip(digests) {
            if let (Some(digest), Some(right)) = (digest, right)
                && digest != right
            {
                let detail =
                    format!("it has {digest} as checkpoint {common}, but other nodes have {right}");
                *found = Err(Some(Aside::new(AsideReason::Checkpoint, detail)));
            }
        }
    }

    /// Leaves those aside whose newest checkpoint is much older than another's. A time to come counts for nothing: it
    /// would make all others look late.
    fn compare_times(&self, found: &mut [Looked]) {
        let clock = self.nodes.first().and_then(|node| {
            let connection = node.of(Priority::Other).connection();
            connection.peers().freshness.clock_ms()
        });
        let lag_ms = u64::try_from(LAG.as_millis()).unwrap_or(u64::MAX);
        let latest_possible = clock.map_or(u64::MAX, |clock| clock.saturating_add(lag_ms));
        let times = found.iter().flatten().map(|tip| tip.newest.at.get());
        let times = times.filter(|time| *time <= latest_possible);
        let Some(latest) = times.max() else { return };
        for found in found {
            let Ok(tip) = found else { continue };
            let behind = Duration::from_millis(latest.saturating_sub(tip.newest.at.get()));
            if behind > LAG {
                let detail = format!(
                    "its newest checkpoint {} is {} s older than that of another node",
                    tip.newest.height,
                    behind.as_secs()
                );
                *found = Err(Some(Aside::new(AsideReason::Lags, detail)));
            }
        }
    }
}

/// The node's newest checkpoint.
async fn tip(node: &Node) -> Looked {
    let wrong = |error: ChainError| {
        if is_own_limit(&error) {
            return None;
        }
        let other = || Aside::new(AsideReason::Unreachable, with_causes(&error));
        Some(Aside::of(&error).unwrap_or_else(other))
    };
    let chain = node.of(Priority::Other);
    let height = chain.height().await.map_err(wrong)?;
    match chain.checkpoint(height).await.map_err(wrong)? {
        Some((digest, at)) => Ok(Tip {
            newest: Newest { height, at },
            digest,
        }),
        None => Err(Some(Aside::new(
            AsideReason::Height,
            format!("it names {height} as its newest checkpoint, but does not have it"),
        ))),
    }
}

fn check_height(node: &Node, tip: Tip) -> Looked {
    let height = tip.newest.height;
    match node.standing.newest() {
        Some(known) if height.get().saturating_add(HEIGHT_SLACK) < known.height.get() => {
            let detail = format!("its height went back from {} to {height}", known.height);
            Err(Some(Aside::new(AsideReason::Height, detail)))
        }
        _ => Ok(tip),
    }
}

/// Whether the node shows the object that it was left aside for at its newer version, if it was.
async fn shows_newer_object(node: &Node) -> bool {
    let Some((object, known)) = node.standing.aside().and_then(|aside| aside.object) else {
        return true;
    };
    match node.of(Priority::Other).shown_version(object).await {
        Ok(shown) => shown.is_none_or(|shown| shown >= known),
        Err(_) => false,
    }
}
