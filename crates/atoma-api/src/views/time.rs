//! Times in responses.

use atoma_domain::TimestampMs;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A time as RFC 3339; `None` beyond the year 9999.
pub(super) fn rfc3339(timestamp: TimestampMs) -> Option<String> {
    let nanoseconds = i128::from(timestamp.get()) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .ok()?
        .format(&Rfc3339)
        .ok()
}
