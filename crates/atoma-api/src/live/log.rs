//! The latest events, as they are sent.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::event::Event;

/// How many events are kept for those who come back.
const KEPT: usize = 512;

/// The latest events of this run of the daemon.
#[derive(Debug)]
pub(super) struct EventLog {
    run: String,
    /// The number of the latest event.
    latest: u64,
    /// The latest number without the events before it.
    floor: u64,
    texts: VecDeque<String>,
}

/// What a stream has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing, or what is no longer known: the page must read everything.
    Unknown,
    /// Everything up to the event with this number.
    After(u64),
}

impl EventLog {
    pub(super) const fn new(run: String) -> Self {
        Self {
            run,
            latest: 0,
            floor: 0,
            texts: VecDeque::new(),
        }
    }

    /// Notes that something was not written down.
    pub(super) fn skip(&mut self) {
        self.texts.clear();
        self.latest = self.latest.saturating_add(1);
        self.floor = self.latest;
    }

    /// Writes an event down. Returns its number.
    pub(super) fn add(&mut self, event: &Event) -> u64 {
        self.latest = self.latest.saturating_add(1);
        self.texts
            .push_back(self.text(event.name, &event.data.to_string()));
        if self.texts.len() > KEPT {
            self.texts.pop_front();
            self.floor = self.floor.saturating_add(1);
        }
        self.latest
    }

    /// The place after the event with this id.
    pub(super) fn place(&self, id: Option<&str>) -> Place {
        let number = id.and_then(|id| {
            let (run, number) = id.split_once('-')?;
            (run == self.run).then(|| number.parse::<u64>().ok())?
        });
        match number {
            Some(number) if (self.floor..=self.latest).contains(&number) => Place::After(number),
            _ => Place::Unknown,
        }
    }

    /// What comes after a place, which moves behind it. `None` if nothing does yet.
    pub(super) fn after(&self, place: &mut Place) -> Option<String> {
        let before = std::mem::replace(place, Place::After(self.latest));
        match before {
            Place::After(number) if number >= self.latest => None,
            Place::After(number) if number >= self.floor => {
                let skipped = usize::try_from(number.saturating_sub(self.floor));
                let texts = self.texts.iter().skip(skipped.unwrap_or(usize::MAX));
                Some(texts.map(String::as_str).collect())
            }
            Place::Unknown | Place::After(_) => Some(self.text("reset", "{}")),
        }
    }

    fn text(&self, name: &str, data: &str) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = write!(
            text,
            "event: {name}\nid: {}-{}\ndata: {data}\n\n",
            self.run, self.latest
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::changed;
    use super::*;

    fn log() -> EventLog {
        EventLog::new(String::from("a1"))
    }

    fn names(text: Option<String>) -> Vec<String> {
        let text = text.unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.strip_prefix("event: "));
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn who_comes_back_is_told_what_came_since() {
        let mut log = log();
        log.add(&changed("alarms"));
        let mut place = log.place(Some("a1-1"));
        assert_eq!(place, Place::After(1));
        assert_eq!(log.after(&mut place), None);
        log.add(&changed("status"));
        log.add(&changed("autopilot"));
        let text = log.after(&mut place).unwrap();
        assert_eq!(
            text,
            "event: status\nid: a1-2\ndata: {}\n\nevent: autopilot\nid: a1-3\ndata: {}\n\n"
        );
        assert_eq!(log.after(&mut place), None);
        assert_eq!(
            names(log.after(&mut log.place(Some("a1-2")))),
            ["autopilot"]
        );
    }

    #[test]
    fn who_can_t_go_on_reads_everything_and_then_what_is_new() {
        let mut log = log();
        log.add(&changed("alarms"));
        for id in [
            None,
            Some(""),
            Some("b2-1"),
            Some("a1-2"),
            Some("a1--1"),
            Some("a1-x"),
            Some("1"),
        ] {
            let mut place = log.place(id);
            assert_eq!(
                log.after(&mut place).unwrap(),
                "event: reset\nid: a1-1\ndata: {}\n\n"
            );
            assert_eq!(log.after(&mut place), None);
        }
        log.skip();
        assert_eq!(log.place(Some("a1-1")), Place::Unknown);
        assert_eq!(log.place(Some("a1-2")), Place::After(2));
        log.add(&changed("status"));
        assert_eq!(names(log.after(&mut Place::After(2))), ["status"]);
        assert_eq!(names(log.after(&mut Place::After(1))), ["reset"]);
    }

    #[test]
    fn the_log_is_bounded_and_who_is_too_slow_reads_everything() {
        let mut log = log();
        let mut slow = log.place(Some("a1-0"));
        let mut quick = slow;
        for _ in 0..KEPT {
            log.add(&changed("status"));
        }
        assert_eq!(names(log.after(&mut quick)).len(), KEPT);
        log.add(&changed("alarms"));
        assert_eq!(names(log.after(&mut quick)), ["alarms"]);
        assert_eq!(names(log.after(&mut slow)), ["reset"]);
        assert_eq!(log.after(&mut slow), None);
        assert_eq!(log.texts.len(), KEPT);
    }
}
