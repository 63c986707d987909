//! Times in responses.

use atoma_domain::TimestampMs;
use time::OffsetDateTime;

/// A time in UTC as RFC 3339, always with milliseconds, so that times compare as text; `None` beyond
/// the year 9999.
pub(super) fn rfc3339(timestamp: TimestampMs) -> Option<String> {
    let nanoseconds = i128::from(timestamp.get()) * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?;
    let (date, clock) = (time.date(), time.time());
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second(),
        clock.millisecond()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_width() {
        for (timestamp, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_000, "2023-11-14T22:13:20.000Z"),
            (1_700_000_000_100, "2023-11-14T22:13:20.100Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(TimestampMs::new(timestamp)).as_deref(), Some(text));
        }
        assert_eq!(rfc3339(TimestampMs::new(u64::MAX)), None);
    }
}
