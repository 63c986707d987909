//! Signals that something has changed, for those who show it.

use tokio::sync::watch;

/// Says that something has changed, and not what. It costs nothing while nobody watches. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Changed(watch::Sender<u64>);

impl Default for Changed {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Changed {
    /// Notes a change that can be read from now on.
    pub(crate) fn note(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Tells of changes from now on; several may be told as one.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changes_are_told_from_then_on() {
        let changed = Changed::default();
        changed.note();
        let mut watch = changed.watch();
        assert!(!watch.has_changed().unwrap());
        changed.clone().note();
        changed.note();
        watch.changed().await.unwrap();
        assert!(!watch.has_changed().unwrap());
    }
}
