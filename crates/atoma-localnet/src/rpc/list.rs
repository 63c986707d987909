//! The scans of the list calls: bounds, limits, watermarks and end reasons.

use futures::stream::{self, Stream, StreamExt};
use sui_rpc::proto::sui::rpc::v2::{Ordering, QueryEnd, QueryEndReason, QueryOptions, Watermark};
use tonic::Status;

use super::cursor::LedgerCursor;
use super::floor::Floor;
use super::node::Node;
use super::sources::{Source, Window};
use crate::execution::status::bad_request;
use crate::faults::FaultKind;

/// The default and the maximum number of items of a list.
const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;
/// Checkpoints scanned before the ledger's lock is released for a moment.
const CHECKPOINTS_PER_STEP: u64 = 256;
/// Items rendered before the ledger's lock is released.
const ITEMS_PER_STEP: usize = 64;

/// One frame of a list.
#[derive(Debug)]
pub(crate) struct ListFrame<T> {
    pub(crate) item: Option<T>,
    pub(crate) watermark: Watermark,
    pub(crate) end: Option<QueryEnd>,
}

/// A list request with its bounds resolved against the ledger's tip.
#[derive(Debug, Clone, Copy)]
struct ListPlan {
    /// Whether the request asks for any checkpoint, which the node may have pruned.
    is_wanted: bool,
    descending: bool,
    limit: u32,
    window: Window,
    /// The first and the last checkpoint to scan, if any.
    span: Option<(u64, u64)>,
    /// The reason and position with which the scan ends when it reaches its bound.
    reason: QueryEndReason,
    bound: LedgerCursor,
    /// The covered checkpoint in the last frame's watermark.
    covered_at_end: Option<u64>,
}

/// The checkpoint bounds of a request: start inclusive, end exclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckpointBounds {
    pub(crate) start: Option<u64>,
    pub(crate) end: Option<u64>,
}

/// Scans the ledger for a list request.
///
/// # Errors
/// `INVALID_ARGUMENT` for contradictory bounds or an invalid cursor. A request that begins before the node's history
/// is refused by the stream, with `OUT_OF_RANGE`.
pub(super) fn list<S: Source>(
    node: Node,
    source: S,
    range: CheckpointBounds,
    options: Option<&QueryOptions>,
) -> Result<impl Stream<Item = Result<ListFrame<S::Item>, Status>> + Send + 'static, Status> {
    let window = window(options)?;
    let (tip, floor) = {
        let ledger = node.ledger()?;
        let floor = Floor::of::<S>(&node, &ledger, range.start, window.after);
        (ledger.height(), floor)
    };
    let plan = plan(range, options, window, tip, floor)?;
    let scan = Scan {
        refusal: plan.is_wanted.then(|| floor.refusal()).flatten(),
        node,
        source,
        next: plan
            .span
            .map(|(first, last)| if plan.descending { last } else { first }),
        plan,
        count: 0,
        covered: None,
        ended: false,
    };
    Ok(stream::unfold(scan, |mut scan| async move {
        let frames = scan.step()?;
        Some((stream::iter(frames), scan))
    })
    .flatten())
}

/// The window of a request's cursors.
fn window(options: Option<&QueryOptions>) -> Result<Window, Status> {
    let decode = |field: &str, bytes: Option<&bytes::Bytes>| {
        bytes.map(|b| LedgerCursor::decode(field, b)).transpose()
    };
    let after = options.and_then(|options| options.after.as_ref());
    let before = options.and_then(|options| options.before.as_ref());
    Ok(Window {
        after: decode("options.after", after)?,
        before: decode("options.before", before)?,
    })
}

fn plan(
    range: CheckpointBounds,
    options: Option<&QueryOptions>,
    window: Window,
    tip: u64,
    floor: Floor,
) -> Result<ListPlan, Status> {
    let Window { after, before } = window;
    let descending = match options.and_then(|options| options.ordering) {
        None => false,
        Some(ordering) => match Ordering::try_from(ordering) {
            Ok(Ordering::Ascending) => false,
            Ok(Ordering::Descending) => true,
            _ => return Err(bad_request("options.ordering", "invalid ordering")),
        },
    };
    if let (Some(start), Some(end)) = (range.start, range.end)
        && start > end
    {
        return Err(bad_request(
            "end_checkpoint",
            "end_checkpoint must be greater than or equal to start_checkpoint",
        ));
    }
    let limit = options.and_then(|options| options.limit);
    let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    // The end of the interval in checkpoints: the requested end, or the tip.
    let end_bound = range.end.filter(|end| *end <= tip.saturating_add(1));
    let end = end_bound.unwrap_or_else(|| tip.saturating_add(1));
    let cut = before.filter(|before| before.checkpoint < end);
    let last = end
        .checked_sub(1)
        .map(|last| cut.map_or(last, |cut| last.min(cut.checkpoint)));
    let span_from = |start: u64| {
        let first = start.max(after.map_or(0, |after| after.checkpoint));
        last.filter(|last| first <= *last).map(|last| (first, last))
    };
    let requested = range.start.unwrap_or(0);
    let is_wanted = span_from(requested).is_some();
    // Nothing is claimed to be covered that was pruned.
    let span = span_from(requested.max(floor.checkpoint));
    let start = if span.is_some() {
        requested.max(floor.checkpoint)
    } else {
        requested
    };
    let first = start.max(after.map_or(0, |after| after.checkpoint));
    let is_kept = start >= floor.checkpoint;
    let (reason, bound, covered_at_end) = if descending {
        let (reason, bound) = match after {
            _ if start > tip => (QueryEndReason::LedgerTip, LedgerCursor::before(start)),
            Some(after) if after >= LedgerCursor::before(start) => {
                (QueryEndReason::CursorBound, after)
            }
            _ => (QueryEndReason::CheckpointBound, LedgerCursor::before(start)),
        };
        let covered =
            (reason == QueryEndReason::CheckpointBound && span.is_some()).then_some(start);
        (reason, bound, covered)
    } else {
        let floor = after.unwrap_or_else(|| LedgerCursor::before(start));
        match cut {
            Some(cut) => {
                let covered = cut
                    .checkpoint
                    .checked_sub(1)
                    .filter(|c| *c >= first && is_kept);
                (QueryEndReason::CursorBound, cut.max(floor), covered)
            }
            None => {
                let reason = if end_bound.is_some() {
                    QueryEndReason::CheckpointBound
                } else {
                    QueryEndReason::LedgerTip
                };
                let covered = end.checked_sub(1).filter(|last| *last >= start && is_kept);
                (reason, LedgerCursor::before(end).max(floor), covered)
            }
        }
    };
    Ok(ListPlan {
        is_wanted,
        descending,
        limit,
        window,
        span,
        reason,
        bound,
        covered_at_end,
    })
}

struct Scan<S> {
    node: Node,
    source: S,
    plan: ListPlan,
    next: Option<u64>,
    /// The items sent so far.
    count: u32,
    covered: Option<u64>,
    ended: bool,
    /// The only frame, as a full node sends it: it looks for the history once it has answered the call.
    refusal: Option<Status>,
}

impl<S: Source> Scan<S> {
    /// The next frames, or none after the last.
    fn step(&mut self) -> Option<Vec<Result<ListFrame<S::Item>, Status>>> {
        if self.ended {
            return None;
        }
        if let Some(refusal) = self.refusal.take() {
            self.ended = true;
            return Some(vec![Err(refusal)]);
        }
        if self.node.faults.take(FaultKind::EventsCut).is_some() {
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

    fn scan(&mut self) -> Result<Vec<ListFrame<S::Item>>, Status> {
        let node = self.node.clone();
        let ledger = node.ledger()?;
        let mut frames = Vec::new();
        for _ in 0..CHECKPOINTS_PER_STEP {
            let Some(sequence) = self.next else {
                frames.push(self.last());
                return Ok(frames);
            };
            let mut items = self.source.items(&ledger, sequence, self.plan.window)?;
            if self.plan.descending {
                items.reverse();
            }
            for (cursor, item) in items {
                self.count += 1;
                let mut covered = self.covered;
                if S::WHOLE_CHECKPOINTS {
                    covered = Some(sequence);
                }
                let mut frame = ListFrame {
                    item: Some(item),
                    watermark: watermark(cursor, covered),
                    end: None,
                };
                if self.count >= self.plan.limit {
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
            if frames.len() >= ITEMS_PER_STEP {
                return Ok(frames);
            }
        }
        // Report progress even if a long range has no match.
        if frames.is_empty()
            && let (Some(covered), Some(next)) = (self.covered, self.next)
        {
            let cursor = if self.plan.descending {
                LedgerCursor::before(next.saturating_add(1))
            } else {
                LedgerCursor::before(next)
            };
            frames.push(ListFrame {
                item: None,
                watermark: watermark(cursor, Some(covered)),
                end: None,
            });
        }
        Ok(frames)
    }

    /// Whether the request's cursor bound is inside the checkpoint, which is then not covered
    /// completely.
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

    /// The last frame.
    fn last(&mut self) -> ListFrame<S::Item> {
        self.ended = true;
        ListFrame {
            item: None,
            watermark: watermark(self.plan.bound, self.plan.covered_at_end.or(self.covered)),
            end: Some(end(self.plan.reason)),
        }
    }
}

pub(crate) fn watermark(cursor: LedgerCursor, covered: Option<u64>) -> Watermark {
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
