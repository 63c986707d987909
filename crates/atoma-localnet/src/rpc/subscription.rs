//! SubscriptionService: the matching items of each new checkpoint.

use std::time::Duration;

use futures::stream::{self, Stream, StreamExt};
use sui_rpc::proto::sui::rpc::v2::subscription_service_server::SubscriptionService;
use sui_rpc::proto::sui::rpc::v2::{
    Checkpoint, Event, ExecutedTransaction, SubscribeCheckpointsRequest,
    SubscribeCheckpointsResponse, SubscribeEventsRequest, SubscribeEventsResponse,
    SubscribeTransactionsRequest, SubscribeTransactionsResponse,
};
use tokio::sync::watch;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use super::Service;
use super::cursor::LedgerCursor;
use super::filter::Filter;
use super::list::watermark;
use super::node::Node;
use super::render::mask;
use super::sources::{Checkpoints, Events, Source, Transactions, Window};
use crate::faults::FaultKind;

/// An idle stream repeats its progress at this interval, well before a client considers it dead.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A frame of a live stream.
enum Live<T> {
    Item {
        cursor: LedgerCursor,
        item: T,
    },
    /// Everything up to and including the checkpoint has been sent.
    Progress {
        checkpoint: u64,
    },
}

/// The state of a live stream.
struct Follower<S> {
    node: Node,
    source: S,
    tip: watch::Receiver<u64>,
    /// The last checkpoint that has been sent completely.
    covered: Option<u64>,
    started: bool,
    broken: bool,
}

/// Follows the ledger from the current tip.
fn follow<S: Source>(
    node: Node,
    source: S,
) -> impl Stream<Item = Result<Live<S::Item>, Status>> + Send + 'static {
    let tip = node.core.tip();
    let follower = Follower {
        node,
        source,
        tip,
        covered: None,
        started: false,
        broken: false,
    };
    stream::unfold(follower, |mut follower| async move {
        let frames = follower.next().await?;
        Some((stream::iter(frames), follower))
    })
    .flatten()
}

impl<S: Source> Follower<S> {
    async fn next(&mut self) -> Option<Vec<Result<Live<S::Item>, Status>>> {
        if self.broken {
            return None;
        }
        if !self.started {
            self.started = true;
            return Some(self.start());
        }
        loop {
            if self.node.faults.take(FaultKind::EventsCut).is_some() {
                self.broken = true;
                return Some(vec![Err(Status::unavailable(
                    "the stream was cut (injected)",
                ))]);
            }
            if let Some(stall) = self.node.faults.take(FaultKind::EventsStall) {
                tokio::time::sleep(stall).await;
            }
            let height = self.height();
            let next = self.covered.map_or(0, |covered| covered + 1);
            if next <= height {
                return Some(self.frames_of(next));
            }
            let faults = self.node.faults.changed();
            tokio::select! {
                changed = self.tip.changed() => changed.ok()?,
                () = faults => {}
                () = tokio::time::sleep(HEARTBEAT) => {
                    if let (Some(covered), false) = (self.covered, S::WHOLE_CHECKPOINTS) {
                        return Some(vec![Ok(Live::Progress { checkpoint: covered })]);
                    }
                }
            }
        }
    }

    /// The latest checkpoint that the node has executed.
    fn height(&mut self) -> u64 {
        let tip = *self.tip.borrow_and_update();
        tip.saturating_sub(self.node.behind())
    }

    /// The first frames. The stream starts at the latest checkpoint, which itself is sent only by a
    /// stream of checkpoints.
    fn start(&mut self) -> Vec<Result<Live<S::Item>, Status>> {
        let height = self.height();
        if S::WHOLE_CHECKPOINTS {
            return self.frames_of(height);
        }
        self.covered = Some(height);
        vec![Ok(Live::Progress { checkpoint: height })]
    }

    fn frames_of(&mut self, sequence: u64) -> Vec<Result<Live<S::Item>, Status>> {
        let ledger = self.node.core.ledger();
        match self.source.items(&ledger, sequence, Window::ALL) {
            Ok(items) => {
                self.covered = Some(sequence);
                let progress = !S::WHOLE_CHECKPOINTS || items.is_empty();
                items
                    .into_iter()
                    .map(|(cursor, item)| Ok(Live::Item { cursor, item }))
                    .chain(progress.then_some(Ok(Live::Progress {
                        checkpoint: sequence,
                    })))
                    .collect()
            }
            Err(status) => {
                self.broken = true;
                vec![Err(status)]
            }
        }
    }
}

#[tonic::async_trait]
impl SubscriptionService for Service {
    async fn subscribe_checkpoints(
        &self,
        request: Request<SubscribeCheckpointsRequest>,
    ) -> Result<Response<BoxStream<SubscribeCheckpointsResponse>>, Status> {
        self.delay().await;
        let node = self.node(&request);
        let request = request.into_inner();
        let source = Checkpoints {
            contract: self.core.contract,
            filter: Filter::transactions(request.filter.as_ref())?,
            mask: mask::<Checkpoint>(request.read_mask.as_ref(), "sequence_number,digest")?,
        };
        let stream = follow(node, source).map(|live| {
            let mut response = SubscribeCheckpointsResponse::default();
            match live? {
                Live::Item { cursor, item } => {
                    response.cursor = Some(cursor.checkpoint);
                    response.checkpoint = Some(item);
                }
                Live::Progress { checkpoint } => response.cursor = Some(checkpoint),
            }
            Ok(response)
        });
        Ok(Response::new(self.until_stopped(stream)))
    }

    async fn subscribe_transactions(
        &self,
        request: Request<SubscribeTransactionsRequest>,
    ) -> Result<Response<BoxStream<SubscribeTransactionsResponse>>, Status> {
        self.delay().await;
        let node = self.node(&request);
        let request = request.into_inner();
        let source = Transactions {
            contract: self.core.contract,
            filter: Filter::transactions(request.filter.as_ref())?,
            mask: mask::<ExecutedTransaction>(request.read_mask.as_ref(), "digest")?,
        };
        let stream = follow(node, source).map(|live| {
            let mut response = SubscribeTransactionsResponse::default();
            match live? {
                Live::Item { cursor, item } => {
                    let covered = cursor.checkpoint.checked_sub(1);
                    response.watermark = Some(watermark(cursor, covered));
                    response.transaction = Some(item);
                }
                Live::Progress { checkpoint } => response.watermark = Some(end_of(checkpoint)),
            }
            Ok(response)
        });
        Ok(Response::new(self.until_stopped(stream)))
    }

    async fn subscribe_events(
        &self,
        request: Request<SubscribeEventsRequest>,
    ) -> Result<Response<BoxStream<SubscribeEventsResponse>>, Status> {
        self.delay().await;
        let node = self.node(&request);
        let request = request.into_inner();
        let source = Events {
            contract: self.core.contract,
            filter: Filter::events(request.filter.as_ref())?,
            mask: mask::<Event>(request.read_mask.as_ref(), "*")?,
        };
        let stream = follow(node, source).map(|live| {
            let mut response = SubscribeEventsResponse::default();
            match live? {
                Live::Item { cursor, item } => {
                    let covered = cursor.checkpoint.checked_sub(1);
                    response.watermark = Some(watermark(cursor, covered));
                    response.event = Some(item);
                }
                Live::Progress { checkpoint } => response.watermark = Some(end_of(checkpoint)),
            }
            Ok(response)
        });
        Ok(Response::new(self.until_stopped(stream)))
    }
}

fn end_of(checkpoint: u64) -> sui_rpc::proto::sui::rpc::v2::Watermark {
    watermark(LedgerCursor::end_of(checkpoint), Some(checkpoint))
}
