use atoma_domain::TimestampMs;
use futures::future::join;

use super::super::loaded::Loaded;
use super::*;

/// A call whose rule panics, or does nothing.
#[derive(Clone, Copy)]
enum Fake {
    PanicsInNeeds,
    PanicsInRun,
    Done,
}

impl Operation for Fake {
    type Answer = ();
    type Error = StoreError;

    fn now(&self) -> TimestampMs {
        TimestampMs::new(1)
    }

    fn needs(&self, _: &mut Needs) {
        if matches!(self, Self::PanicsInNeeds) {
            panic!("a rule that is wrong");
        }
    }

    fn run(&self, _: &mut Loaded) -> Result<(), StoreError> {
        match self {
            Self::PanicsInRun => panic!("a rule that is wrong"),
            _ => Ok(()),
        }
    }
}

/// The calls of its group and those after it are done.
#[tokio::test]
async fn a_rule_that_panics_fails_its_own_call_alone() {
    let store = SqliteState::open_temporary().await.unwrap();
    for wrong in [Fake::PanicsInNeeds, Fake::PanicsInRun] {
        let others = || join(run(&store, Fake::Done), run(&store, Fake::Done));
        let (before, (failed, after)) = join(others(), join(run(&store, wrong), others())).await;
        assert!(matches!(
            (before, after),
            ((Ok(()), Ok(())), (Ok(()), Ok(())))
        ));
        let Err(StoreError::Unavailable(cause)) = failed else {
            panic!("{failed:?}");
        };
        assert!(cause.to_string().contains("panicked"), "{cause}");
    }
    run(&store, Fake::Done).await.unwrap();
}
