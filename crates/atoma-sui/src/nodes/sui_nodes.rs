//! The nodes, and which of them answers.

use std::fmt;
use std::sync::{Arc, OnceLock};

use atoma_domain::Digest;
use atoma_domain::ports::{ChainError, LeftAside, Refusal, SuiNodeReport};
use tokio::sync::watch;

use super::standing::{Aside, Standing};
use crate::chain::SuiChain;
use crate::connection::{ConnectError, SuiChainConfig};
use crate::node::Priority;

/// One chain with the Atoma contract, reached through one or several nodes.
#[derive(Clone)]
pub struct SuiNodes {
    pub(super) nodes: Arc<[Node]>,
    /// Of all requests.
    pub(super) priority: Priority,
    /// Told whenever any of them is left aside or taken back.
    changes: Arc<watch::Sender<()>>,
    /// The node that everything goes to once it has answered; `None` if any of them may answer.
    bound: Option<Arc<OnceLock<usize>>>,
}

/// One of the nodes.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// One for each priority.
    chains: [Arc<SuiChain>; 3],
    pub(super) standing: Arc<Standing>,
}

impl Node {
    /// The node, for requests of this priority.
    pub(super) const fn of(&self, priority: Priority) -> &Arc<SuiChain> {
        let [money, ingestion, other] = &self.chains;
        match priority {
            Priority::Money => money,
            Priority::Ingestion => ingestion,
            Priority::Other => other,
        }
    }

    /// How many requests wait because of its limit.
    fn waiting(&self) -> usize {
        self.of(Priority::Money).connection().gate().waiting()
    }
}

/// Why nothing can be connected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectNodesError {
    /// There is no node in the list.
    #[error("the list of Sui nodes is empty")]
    Empty,
    /// A node can't be connected.
    #[error("the Sui node number {number} can't be used")]
    Node {
        /// Its place in the list, from 1.
        number: usize,
        /// Why.
        #[source]
        source: ConnectError,
    },
}

impl SuiNodes {
    /// Prepares connections to nodes of one chain, the preferred one first, without opening them. Each
    /// configuration names the same contract. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// When there is none, or one has an RPC address that is not a valid URL.
    pub fn connect(
        configs: impl IntoIterator<Item = SuiChainConfig>,
    ) -> Result<Self, ConnectNodesError> {
        let changes = Arc::new(watch::Sender::new(()));
        let mut nodes: Vec<Node> = Vec::new();
        for (place, config) in configs.into_iter().enumerate() {
            let chain = match nodes.first() {
                None => SuiChain::connect(config),
                Some(first) => first.of(Priority::Money).beside(config),
            };
            let chain = chain.map_err(|source| ConnectNodesError::Node {
                number: place + 1,
                source,
            })?;
            let node = chain.connection().gate().url().to_string();
            nodes.push(Node {
                chains: [
                    Arc::clone(&chain),
                    chain.with_priority(Priority::Ingestion),
                    chain.with_priority(Priority::Other),
                ],
                standing: Arc::new(Standing::new(node, Arc::clone(&changes))),
            });
        }
        if nodes.is_empty() {
            return Err(ConnectNodesError::Empty);
        }
        Ok(Self {
            nodes: nodes.into(),
            priority: Priority::Money,
            changes,
            bound: None,
        })
    }

    /// The same nodes, for requests of this priority: money, unless another one is set.
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> Self {
        Self {
            priority,
            ..self.clone()
        }
    }

    /// Expects this chain of all nodes, if there are several. Without it, the chain of the first answer is expected.
    pub(super) fn expect(&self, chain: Digest) -> Result<(), ChainError> {
        if self.nodes.len() < 2 {
            return Ok(());
        }
        for node in self.nodes.iter() {
            node.of(self.priority).connection().gate().expect(chain)?;
        }
        Ok(())
    }

    /// Each node by itself, in order.
    pub fn each(&self) -> impl Iterator<Item = &Arc<SuiChain>> {
        self.nodes.iter().map(|node| node.of(self.priority))
    }

    /// The same nodes, of which the first to answer is asked everything.
    pub(super) fn through_one(&self) -> Option<Self> {
        (self.nodes.len() > 1).then(|| Self {
            nodes: Arc::clone(&self.nodes),
            priority: self.priority,
            changes: Arc::clone(&self.changes),
            bound: Some(Arc::default()),
        })
    }

    /// How the nodes stand.
    pub(super) fn reports(&self) -> Vec<SuiNodeReport> {
        let reports = self.nodes.iter().map(|node| {
            let newest = node.standing.newest();
            SuiNodeReport {
                node: node.standing.node().to_owned(),
                height: newest.map(|newest| newest.height),
                height_at: newest.map(|newest| newest.at),
                left_aside: node.standing.aside().map(|aside| aside.why),
                waiting: node.waiting(),
            }
        });
        reports.collect()
    }

    /// The nodes to ask, in order, each with its place: those that are not left aside, first those at which no request
    /// waits for the limit; then the others. Only one once there is one that everything goes to.
    pub(super) fn in_order(&self) -> Vec<(usize, &Node)> {
        let places = || self.nodes.iter().enumerate();
        if let Some(bound) = self.bound.as_ref().and_then(|bound| bound.get()) {
            return places().filter(|(place, _)| place == bound).collect();
        }
        let (aside, in_use): (Vec<_>, Vec<_>) =
            places().partition(|(_, node)| node.standing.is_aside());
        let (busy, free): (Vec<_>, Vec<_>) =
            in_use.into_iter().partition(|(_, node)| node.waiting() > 0);
        free.into_iter().chain(busy).chain(aside).collect()
    }

    /// Waits until this node is left aside and another one is not.
    pub(super) async fn left_for_another(&self, standing: &Standing) -> LeftAside {
        let mut changes = self.changes.subscribe();
        loop {
            let has_other = self.nodes.iter().any(|node| !node.standing.is_aside());
            if let Some(aside) = standing.aside().filter(|_| has_other) {
                return aside.why;
            }
            // Its sender lives as long as `self`.
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Everything goes to this node from now on, if it is to go to one.
    pub(super) fn bind(&self, place: usize) {
        if let Some(bound) = &self.bound {
            // A call at the same time may have been answered first. Either has begun nothing yet.
            let _ = bound.set(place);
        }
    }

    /// Leaves a node aside if the error is a reason to, and there are others.
    pub(super) fn note_error(&self, node: &Node, error: &ChainError) {
        if self.nodes.len() > 1
            && let Some(aside) = Aside::of(error)
        {
            node.standing.set_aside(aside);
        }
    }

    /// Asks one node after the other until one answers.
    ///
    /// # Errors
    /// That of the first node asked, if none answers.
    pub(super) async fn ask<'a, T, Asking>(
        &'a self,
        question: impl Fn(&'a SuiChain) -> Asking,
    ) -> Result<T, ChainError>
    where
        Asking: Future<Output = Result<T, ChainError>>,
    {
        let mut first = None;
        for (place, node) in self.in_order() {
            match question(node.of(self.priority)).await {
                Ok(answer) => {
                    node.standing.note_answer();
                    self.bind(place);
                    return Ok(answer);
                }
                Err(error) => {
                    let may_others_answer = is_this_nodes_own(&error);
                    self.note_error(node, &error);
                    if !may_others_answer {
                        return Err(error);
                    }
                    first.get_or_insert(error);
                }
            }
        }
        // There is always a node to ask.
        Err(first.unwrap_or(ChainError::Malformed { what: "a node" }))
    }
}

/// Whether an error may say something about the node rather than about the question: a node that is being set up has
/// no contract yet.
fn is_this_nodes_own(error: &ChainError) -> bool {
    match error {
        ChainError::Answer(source) => !source.is::<Refusal>(),
        ChainError::Build(_) => false,
        _ => true,
    }
}

impl fmt::Debug for SuiNodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = self.nodes.iter().map(|node| node.standing.node());
        f.debug_list().entries(nodes).finish()
    }
}
