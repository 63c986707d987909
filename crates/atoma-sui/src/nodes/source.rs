//! Following the ledger at one of the nodes, and going on at another one.

use std::sync::Arc;

use async_trait::async_trait;
use atoma_domain::CheckpointNumber;
use atoma_domain::ports::{ChainError, EventCursor, EventSource, LedgerFrame, LedgerStream};
use thiserror::Error;

use super::standing::{Aside, Standing};
use super::sui_nodes::SuiNodes;
use crate::node::Priority;
use crate::refusal::read_error;
use crate::source::{OnLoss, SuiEventSource, SuiLedgerStream};

/// Follows the transactions that change the contract's `AtomaDb` at whichever node answers. Cursors mean the
/// same at all of them.
#[derive(Debug)]
pub struct SuiNodesSource {
    nodes: SuiNodes,
    start: CheckpointNumber,
}

impl SuiNodesSource {
    /// Follows the ledger of the nodes' chain. Without a cursor it begins at checkpoint `start`.
    pub const fn new(nodes: SuiNodes, start: CheckpointNumber) -> Self {
        Self { nodes, start }
    }
}

/// The node that was followed is left aside.
#[derive(Debug, Error)]
#[error("{node} is left aside: {why}")]
struct Left {
    node: String,
    why: String,
}

#[async_trait]
impl EventSource for SuiNodesSource {
    /// # Errors
    /// That of the first node asked, if none can be followed.
    async fn follow(
        &self,
        after: Option<EventCursor>,
    ) -> Result<Box<dyn LedgerStream>, ChainError> {
        let mut first = None;
        for (_, node) in self.nodes.in_order() {
            let source = SuiEventSource::new(Arc::clone(node.of(Priority::Ingestion)), self.start);
            let has_others = self.nodes.nodes.len() > 1;
            let standing = Arc::clone(&node.standing);
            let on_loss: Option<OnLoss> = has_others.then(|| {
                let standing = Arc::clone(&standing);
                let on_loss: OnLoss = Arc::new(move |status| {
                    if let Some(aside) = Aside::of(&read_error(status.clone())) {
                        standing.set_aside(aside);
                    }
                });
                on_loss
            });
            match source.follow_until_lost(after.clone(), on_loss).await {
                Ok(stream) => {
                    return Ok(Box::new(NodeStream {
                        nodes: self.nodes.clone(),
                        standing,
                        stream,
                    }));
                }
                Err(error) => {
                    self.nodes.note_error(node, &error);
                    first.get_or_insert(error);
                }
            }
        }
        // There is always a node to follow.
        Err(first.unwrap_or(ChainError::Malformed { what: "a node" }))
    }
}

/// A stream of one node, until the node is left aside and another one is not.
#[derive(Debug)]
struct NodeStream {
    nodes: SuiNodes,
    standing: Arc<Standing>,
    stream: SuiLedgerStream,
}

#[async_trait]
impl LedgerStream for NodeStream {
    async fn next_steps(&mut self, limit: usize) -> Result<Vec<LedgerFrame>, ChainError> {
        let left = self.nodes.left_for_another(&self.standing);
        tokio::select! {
            biased;
            steps = self.stream.next_steps(limit) => steps,
            why = left => Err(ChainError::Unavailable(Box::new(Left {
                node: self.standing.node().to_owned(),
                why: why.to_string(),
            }))),
        }
    }
}
