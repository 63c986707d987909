//! Calls that write served work, and their answers.

use atoma_domain::TimestampMs;
use atoma_domain::ports::StoreError;
use tokio::sync::oneshot;

use super::loaded::Loaded;
use super::needs::Needs;

/// A call that writes served work.
pub(super) trait Operation: Send + 'static {
    type Answer: Send;
    type Error: From<StoreError> + Send;

    /// The time at which reservations expire for it.
    fn now(&self) -> TimestampMs;

    /// Adds what it reads, beside the reservations that have expired.
    fn needs(&self, needs: &mut Needs);

    /// Does it in memory. Nothing that can fail comes after its first change, except for
    /// [the end of expired reservations](Loaded::end_expired).
    ///
    /// # Errors
    /// When it is refused.
    fn run(&self, loaded: &mut Loaded) -> Result<Self::Answer, Self::Error>;
}

/// What its caller waits for.
pub(super) type Said<O> = Result<<O as Operation>::Answer, <O as Operation>::Error>;

/// An operation that waits for its turn, whatever its type.
pub(crate) trait Job: Send {
    /// Adds what it reads.
    fn needs(&self, needs: &mut Needs);

    /// Runs it, and keeps what it said. If it is refused, it has changed nothing.
    fn run(&mut self, loaded: &mut Loaded);

    /// Tells its caller what it said, or that the database failed.
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

/// An operation whose caller waits. A caller that has left changes nothing: what was asked for is done.
pub(super) struct Waiting<O: Operation> {
    operation: O,
    said: Option<Said<O>>,
    caller: oneshot::Sender<Said<O>>,
}

impl<O: Operation> Waiting<O> {
    pub(super) const fn new(operation: O, caller: oneshot::Sender<Said<O>>) -> Self {
        Self {
            operation,
            said: None,
            caller,
        }
    }
}

impl<O: Operation> Job for Waiting<O> {
    fn needs(&self, needs: &mut Needs) {
        self.operation.needs(needs.at(self.operation.now()));
    }

    fn run(&mut self, loaded: &mut Loaded) {
        let now = self.operation.now();
        // Seldom: leases expire when a service has died.
        let before = loaded.reservations.has_expired(now).then(|| loaded.clone());
        let said = self.operation.run(loaded);
        if let (Err(_), Some(before)) = (&said, before) {
            *loaded = before;
        }
        self.said = Some(said);
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        let said = match failed {
            Some(error) => Err(error.into()),
            None => match self.said {
                Some(said) => said,
                // Its group ended before it ran.
                None => return,
            },
        };
        // A caller that has left needs no answer.
        let _ = self.caller.send(said);
    }
}
