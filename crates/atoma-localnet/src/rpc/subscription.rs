//! SubscriptionService: each new checkpoint's matching items, as they come.

use std::sync::Arc;
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
use super::cursor::Cursor;
use super::filter::Filter;
use super::list::watermark;
use super::render::mask;
use super::sources::{Checkpoints, Events, Source, Transactions, Window};
use crate::core::Core;
use crate::faults::FaultKind;

/// A silent stream repeats its progress this often, long before a client takes it for dead.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// What a live stream gives.
enum Live<T> {
    Item {
        cursor: Cursor,
        item: T,
    },
    /// Everything up to and including the checkpoint has been given.
    Progress {
        checkpoint: u64,
    },
}

struct Follower<S> {
    core: Arc<Core>,
    source: S,
    tip: watch::Receiver<u64>,
    /// The last checkpoint that was given completely.
    covered: Option<u64>,
    begun: bool,
    broken: bool,
}

/// Follows the ledger from the current tip on.
fn follow<S: Source>(
    core: Arc<Core>,
    source: S,
) -> impl Stream<Item = Result<Live<S::Item>, Status>> + Send + 'static {
    let tip = core.tip();
    let follower = Follower {
        core,
        source,
        tip,
        covered: None,
        begun: false,
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
        if !self.begun {
            self.begun = true;
            return Some(self.begin());
        }
        loop {
            if self.core.faults.take(FaultKind::EventsCut).is_some() {
                self.broken = true;
                return Some(vec![Err(Status::unavailable(
                    "the stream was cut (injected)",
                ))]);
            }
            if let Some(stall) = self.core.faults.take(FaultKind::EventsStall) {
                tokio::time::sleep(stall).await;
            }
            let height = *self.tip.borrow_and_update();
            let next = self.covered.map_or(0, |covered| covered + 1);
            if next <= height {
                return Some(self.give(next));
            }
            let faults = self.core.faults.changed();
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

    /// Where the stream begins: the latest checkpoint, itself given only if checkpoints are asked
    /// for.
    fn begin(&mut self) -> Vec<Result<Live<S::Item>, Status>> {
        let height = *self.tip.borrow_and_update();
        if S::WHOLE_CHECKPOINTS {
            return self.give(height);
        }
        self.covered = Some(height);
        vec![Ok(Live::Progress { checkpoint: height })]
    }

    fn give(&mut self, sequence: u64) -> Vec<Result<Live<S::Item>, Status>> {
        let ledger = self.core.ledger();
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
        let request = request.into_inner();
        let source = Checkpoints {
            filter: Filter::transactions(request.filter.as_ref())?,
            mask: mask::<Checkpoint>(request.read_mask.as_ref(), "sequence_number,digest")?,
        };
        let stream = follow(Arc::clone(&self.core), source).map(|live| {
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
        let request = request.into_inner();
        let source = Transactions {
            filter: Filter::transactions(request.filter.as_ref())?,
            mask: mask::<ExecutedTransaction>(request.read_mask.as_ref(), "digest")?,
        };
        let stream = follow(Arc::clone(&self.core), source).map(|live| {
            let mut response = SubscribeTransactionsResponse::default();
            match live? {
                Live::Item { cursor, item } => {
                    let covered = cursor.checkpoint.checked_sub(1);
                    response.watermark = Some(watermark(cursor, covered));
                    response.transaction = Some(item);
                }
                Live::Progress { checkpoint } => response.watermark = Some(whole(checkpoint)),
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
        let request = request.into_inner();
        let source = Events {
            filter: Filter::events(request.filter.as_ref())?,
            mask: mask::<Event>(request.read_mask.as_ref(), "*")?,
        };
        let stream = follow(Arc::clone(&self.core), source).map(|live| {
            let mut response = SubscribeEventsResponse::default();
            match live? {
                Live::Item { cursor, item } => {
                    let covered = cursor.checkpoint.checked_sub(1);
                    response.watermark = Some(watermark(cursor, covered));
                    response.event = Some(item);
                }
                Live::Progress { checkpoint } => response.watermark = Some(whole(checkpoint)),
            }
            Ok(response)
        });
        Ok(Response::new(self.until_stopped(stream)))
    }
}

fn whole(checkpoint: u64) -> sui_rpc::proto::sui::rpc::v2::Watermark {
    watermark(Cursor::end_of(checkpoint), Some(checkpoint))
}
