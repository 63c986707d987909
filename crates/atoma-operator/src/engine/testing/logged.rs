//! A subscriber that keeps what is logged.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::field::{Field, Visit};
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber, span};

/// With a single subscriber, tracing asks only the first thread that comes by a log line whether anybody
/// wants it: a test without a subscriber would silence the line for all. This is a second one.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

/// Keeps what this thread logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logged(Arc<Mutex<Vec<(Level, Line)>>>);

/// The fields of a line by name; its sentence is `message`.
pub(crate) type Line = BTreeMap<&'static str, String>;

impl Logged {
    /// Begins, and goes on until the guard is dropped.
    pub(crate) fn begin() -> (Self, DefaultGuard) {
        LazyLock::force(&SECOND);
        let logged = Self::default();
        let guard = set_default(logged.clone());
        (logged, guard)
    }

    /// Takes the lines of this level since the last call; the others are dropped.
    pub(crate) fn take(&self, wanted: Level) -> Vec<Line> {
        let lines = std::mem::take(&mut *self.0.lock().unwrap());
        let lines = lines.into_iter().filter(|(level, _)| *level == wanted);
        lines.map(|(_, line)| line).collect()
    }
}

/// A line from its fields.
pub(crate) fn line<const N: usize>(fields: [(&'static str, &str); N]) -> Line {
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
}

impl Subscriber for Logged {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(Line::new());
        event.record(&mut fields);
        let line = (*event.metadata().level(), fields.0);
        self.0.lock().unwrap().push(line);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Fields(Line);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
