//! The scans behind the list calls: bounds, limits, watermarks and how they end.

use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt};
use sui_rpc::proto::sui::rpc::v2::{Ordering, QueryEnd, QueryEndReason, QueryOptions, Watermark};
use tonic::Status;

use super::cursor::Cursor;
use super::sources::{Source, Window};
use crate::core::Core;
use crate::faults::FaultKind;

/// Items a list gives when it is not told how many, and at most.
const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;
/// Checkpoints looked at before the ledger is let go of for a moment.
const CHECKPOINTS_A_STEP: u64 = 256;
/// Items rendered before the ledger is let go of.
const ITEMS_A_STEP: usize = 64;

/// One frame of a list.
#[derive(Debug)]
pub(crate) struct Frame<T> {
    pub(crate) item: Option<T>,
    pub(crate) watermark: Watermark,
    pub(crate) end: Option<QueryEnd>,
}

/// What a list was asked for, with bounds resolved against the ledger's tip.
#[derive(Debug, Clone, Copy)]
struct Plan {
    descending: bool,
    limit: u32,
    window: Window,
    /// First and last checkpoint of the interval, or none if it is empty.
    span: Option<(u64, u64)>,
    /// Why and where the scan ends when it runs into its bound.
    reason: QueryEndReason,
    bound: Cursor,
    /// What the last frame says to be covered.
    covered_at_end: Option<u64>,
}

/// Checkpoint bounds of a request: start included, end excluded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) start: Option<u64>,
    pub(crate) end: Option<u64>,
}

/// Scans the ledger as a list request asks.
///
/// # Errors
/// Invalid argument for bounds that make no sense.
pub(crate) fn list<S: Source>(
    core: Arc<Core>,
    source: S,
    range: Range,
    options: Option<&QueryOptions>,
) -> Result<impl Stream<Item = Result<Frame<S::Item>, Status>> + Send + 'static, Status> {
    let tip = core.ledger().height();
    let plan = plan(range, options, tip)?;
    let scan = Scan {
        core,
        source,
        next: plan
            .span
            .map(|(first, last)| if plan.descending { last } else { first }),
        plan,
        given: 0,
        covered: None,
        ended: false,
    };
    Ok(stream::unfold(scan, |mut scan| async move {
        let frames = scan.step()?;
        Some((stream::iter(frames), scan))
    })
    .flatten())
}

fn plan(range: Range, options: Option<&QueryOptions>, tip: u64) -> Result<Plan, Status> {
    let cursor = |bytes: Option<&bytes::Bytes>| bytes.map(|b| Cursor::decode(b)).transpose();
    let after = cursor(options.and_then(|options| options.after.as_ref()))?;
    let before = cursor(options.and_then(|options| options.before.as_ref()))?;
    let descending = match options.and_then(|options| options.ordering) {
        None => false,
        Some(ordering) => match Ordering::try_from(ordering) {
            Ok(Ordering::Ascending) => false,
            Ok(Ordering::Descending) => true,
            _ => return Err(Status::invalid_argument("unknown ordering")),
        },
    };
    if let (Some(start), Some(end)) = (range.start, range.end)
        && start > end
    {
        return Err(Status::invalid_argument(format!(
            "start_checkpoint {start} is after end_checkpoint {end}"
        )));
    }
    let limit = match options.and_then(|options| options.limit) {
        None => DEFAULT_LIMIT,
        Some(0) => return Err(Status::invalid_argument("limit must not be 0")),
        Some(limit) => limit.min(MAX_LIMIT),
    };
    let start = range.start.unwrap_or(0);
    let first = start.max(after.map_or(0, |after| after.checkpoint));
    // The end of the interval among checkpoints: asked for, or the tip.
    let end_bound = range.end.filter(|end| *end <= tip.saturating_add(1));
    let end = end_bound.unwrap_or_else(|| tip.saturating_add(1));
    let cut = before.filter(|before| before.checkpoint < end);
    let last = end
        .checked_sub(1)
        .map(|last| cut.map_or(last, |cut| last.min(cut.checkpoint)));
    let span = last.filter(|last| first <= *last).map(|last| (first, last));
    let (reason, bound, covered_at_end) = if descending {
        let (reason, bound) = match after {
            _ if start > tip => (QueryEndReason::LedgerTip, Cursor::before(start)),
            Some(after) if after >= Cursor::before(start) => (QueryEndReason::CursorBound, after),
            _ => (QueryEndReason::CheckpointBound, Cursor::before(start)),
        };
        let covered =
            (reason == QueryEndReason::CheckpointBound && span.is_some()).then_some(start);
        (reason, bound, covered)
    } else {
        let floor = after.unwrap_or_else(|| Cursor::before(start));
        match cut {
            Some(cut) => {
                let covered = cut.checkpoint.checked_sub(1).filter(|c| *c >= first);
                (QueryEndReason::CursorBound, cut.max(floor), covered)
            }
            None => {
                let reason = if end_bound.is_some() {
                    QueryEndReason::CheckpointBound
                } else {
                    QueryEndReason::LedgerTip
                };
                let covered = end.checked_sub(1).filter(|last| *last >= start);
                (reason, Cursor::before(end).max(floor), covered)
            }
        }
    };
    Ok(Plan {
        descending,
        limit,
        window: Window { after, before },
        span,
        reason,
        bound,
        covered_at_end,
    })
}

struct Scan<S> {
    core: Arc<Core>,
    source: S,
    plan: Plan,
    next: Option<u64>,
    given: u32,
    covered: Option<u64>,
    ended: bool,
}

impl<S: Source> Scan<S> {
    /// The next frames, or none after the last.
    fn step(&mut self) -> Option<Vec<Result<Frame<S::Item>, Status>>> {
        if self.ended {
            return None;
        }
        if self.core.faults.take(FaultKind::EventsCut).is_some() {
            self.ended = true;
            return Some(vec![Err(Status::unavailable(
                "the stream was cut (injected)",
            ))]);
        }
        match self.scan() {
            Ok(frames) => Some(frames.into_iter().map(Ok).collect()),
            Err(status) => {
                self.ended = true;
                Some(vec![Err(status)])
            }
        }
    }

    fn scan(&mut self) -> Result<Vec<Frame<S::Item>>, Status> {
        let core = Arc::clone(&self.core);
        let ledger = core.ledger();
        let mut frames = Vec::new();
        for _ in 0..CHECKPOINTS_A_STEP {
            let Some(sequence) = self.next else {
                frames.push(self.last());
                return Ok(frames);
            };
            let mut items = self.source.items(&ledger, sequence, self.plan.window)?;
            if self.plan.descending {
                items.reverse();
            }
            for (cursor, item) in items {
                self.given += 1;
                let mut covered = self.covered;
                if S::WHOLE_CHECKPOINTS {
                    covered = Some(sequence);
                }
                let mut frame = Frame {
                    item: Some(item),
                    watermark: watermark(cursor, covered),
                    end: None,
                };
                if self.given >= self.plan.limit {
                    frame.end = Some(end(QueryEndReason::ItemLimit));
                    self.ended = true;
                    frames.push(frame);
                    return Ok(frames);
                }
                frames.push(frame);
            }
            if !self.is_cut(sequence) {
                self.covered = Some(sequence);
            }
            self.advance(sequence);
            if frames.len() >= ITEMS_A_STEP {
                return Ok(frames);
            }
        }
        // A long stretch without a match still tells how far it came.
        if frames.is_empty()
            && let (Some(covered), Some(next)) = (self.covered, self.next)
        {
            let cursor = if self.plan.descending {
                Cursor::before(next.saturating_add(1))
            } else {
                Cursor::before(next)
            };
            frames.push(Frame {
                item: None,
                watermark: watermark(cursor, Some(covered)),
                end: None,
            });
        }
        Ok(frames)
    }

    /// Whether a cursor cuts the far end off a checkpoint, so that it is not covered to its end.
    fn is_cut(&self, sequence: u64) -> bool {
        let far = if self.plan.descending {
            self.plan.window.after
        } else {
            self.plan.window.before
        };
        far.is_some_and(|cursor| cursor.checkpoint == sequence)
    }

    fn advance(&mut self, sequence: u64) {
        let span = self.plan.span;
        self.next = span.and_then(|(first, last)| {
            if self.plan.descending {
                sequence.checked_sub(1).filter(|next| *next >= first)
            } else {
                sequence.checked_add(1).filter(|next| *next <= last)
            }
        });
    }

    fn last(&mut self) -> Frame<S::Item> {
        self.ended = true;
        Frame {
            item: None,
            watermark: watermark(self.plan.bound, self.plan.covered_at_end.or(self.covered)),
            end: Some(end(self.plan.reason)),
        }
    }
}

pub(crate) fn watermark(cursor: Cursor, covered: Option<u64>) -> Watermark {
    let mut watermark = Watermark::default();
    watermark.cursor = Some(cursor.encode());
    watermark.checkpoint = covered;
    watermark
}

fn end(reason: QueryEndReason) -> QueryEnd {
    let mut end = QueryEnd::default();
    end.set_reason(reason);
    end
}
