//! Following the ledger by whole checkpoints, at a node without the list calls.
//!
//! The checkpoints that the node has are read one by one, several at a time, and the later ones are subscribed to. That
//! takes a request for each checkpoint, and all transactions of it, where a list has only the contract's.

use std::collections::VecDeque;

use futures::future::try_join_all;
use futures::stream::{self, Stream};
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2 as proto;
use tonic::codec::Streaming;
use tonic::{Code, Status};

use super::frame::Frame;
use crate::connection::Connection;

/// The fields read of a checkpoint.
const MASK: [&str; 11] = [
    "sequence_number",
    "summary.timestamp",
    "transactions.digest",
    "transactions.effects.epoch",
    "transactions.effects.status",
    "transactions.effects.lamport_version",
    "transactions.effects.changed_objects.object_id",
    "transactions.events.events.event_type",
    "transactions.events.events.contents",
    "transactions.transaction.sender",
    "transactions.balance_changes",
];

/// Checkpoints that are read at the same time.
const AT_ONCE: u64 = 8;

/// The ledger from one checkpoint on.
struct Reader {
    connection: Connection,
    /// The next checkpoint to deliver.
    next: u64,
    /// The last one to read by itself, because the subscription begins behind it.
    read_until: Option<u64>,
    subscription: Option<Streaming<proto::SubscribeCheckpointsResponse>>,
    /// What the subscription delivered too early.
    ahead: Option<proto::Checkpoint>,
    frames: VecDeque<Frame>,
    is_broken: bool,
}

/// The frames of the ledger from a checkpoint on. They end with the first error.
pub(super) fn frames(
    connection: Connection,
    next: u64,
) -> impl Stream<Item = Result<Frame, Status>> + Send {
    let reader = Reader {
        connection,
        next,
        read_until: None,
        subscription: None,
        ahead: None,
        frames: VecDeque::new(),
        is_broken: false,
    };
    stream::unfold(reader, |mut reader| async move {
        if reader.is_broken {
            return None;
        }
        let frame = reader.next_frame().await;
        reader.is_broken = frame.is_err();
        Some((frame, reader))
    })
}

impl Reader {
    async fn next_frame(&mut self) -> Result<Frame, Status> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Ok(frame);
            }
            if let Some(until) = self.read_until {
                self.read(until).await?;
            } else if let Some(ahead) = self.ahead.take() {
                self.deliver(ahead)?;
            } else if self.subscription.is_none() {
                self.subscribe().await?;
            } else {
                self.receive().await?;
            }
        }
    }

    /// Reads the next checkpoints up to this one.
    async fn read(&mut self, until: u64) -> Result<(), Status> {
        if self.next > until {
            self.read_until = None;
            return Ok(());
        }
        let last = until.min(self.next.saturating_add(AT_ONCE - 1));
        let connection = &self.connection;
        let reads = (self.next..=last).map(|number| get(connection, number));
        for checkpoint in try_join_all(reads).await? {
            self.deliver(checkpoint)?;
        }
        Ok(())
    }

    /// Subscribes to what comes, and reads what the node has already.
    async fn subscribe(&mut self) -> Result<(), Status> {
        let mut client = self.connection.stream_client().subscription_client();
        let request = proto::SubscribeCheckpointsRequest::default()
            .with_read_mask(FieldMask::from_paths(MASK));
        let subscription = client.subscribe_checkpoints(request).await?.into_inner();
        let request = proto::GetServiceInfoRequest::default();
        let mut client = self.connection.client();
        let mut client = client.ledger_client();
        let info = client.get_service_info(self.connection.timed(request));
        self.read_until = info.await?.into_inner().checkpoint_height;
        self.subscription = Some(subscription);
        Ok(())
    }

    /// Takes the subscription's next checkpoint.
    async fn receive(&mut self) -> Result<(), Status> {
        let Some(subscription) = &mut self.subscription else {
            return Ok(());
        };
        let ended = || Status::unavailable("the node ended the subscription to its checkpoints");
        let response = subscription.message().await?.ok_or_else(ended)?;
        let checkpoint = response
            .checkpoint
            .ok_or_else(|| missing("the checkpoint"))?;
        let number = number_of(&checkpoint)?;
        if number > self.next {
            // The subscription began later, or left some out.
            self.read_until = Some(number.saturating_sub(1));
            self.ahead = Some(checkpoint);
            return Ok(());
        }
        self.deliver(checkpoint)
    }

    /// Makes frames of a checkpoint, unless it was delivered before.
    fn deliver(&mut self, checkpoint: proto::Checkpoint) -> Result<(), Status> {
        let number = number_of(&checkpoint)?;
        if number < self.next {
            return Ok(());
        }
        if number > self.next {
            return Err(missing("the requested checkpoint"));
        }
        let timestamp = checkpoint.summary.and_then(|summary| summary.timestamp);
        for (index, mut transaction) in (0..).zip(checkpoint.transactions) {
            transaction.checkpoint = Some(number);
            transaction.transaction_index = Some(index);
            transaction.timestamp = timestamp;
            self.frames.push_back(Frame {
                transaction: Some(transaction),
                covered: None,
            });
        }
        self.frames.push_back(Frame {
            transaction: None,
            covered: Some(number),
        });
        self.next = number.saturating_add(1);
        Ok(())
    }
}

async fn get(connection: &Connection, number: u64) -> Result<proto::Checkpoint, Status> {
    let request = proto::GetCheckpointRequest::by_sequence_number(number)
        .with_read_mask(FieldMask::from_paths(MASK));
    let mut client = connection.client();
    let mut client = client.ledger_client();
    let response = client.get_checkpoint(connection.timed(request)).await?;
    let checkpoint = response.into_inner().checkpoint;
    checkpoint.ok_or_else(|| missing("the checkpoint"))
}

fn number_of(checkpoint: &proto::Checkpoint) -> Result<u64, Status> {
    checkpoint
        .sequence_number
        .ok_or_else(|| missing("the checkpoint's number"))
}

fn missing(what: &str) -> Status {
    Status::new(Code::DataLoss, format!("the response lacks {what}"))
}
