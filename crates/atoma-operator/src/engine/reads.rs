//! Questions to the chain, asked again when they are not answered.

use atoma_domain::Mist;
use atoma_domain::journal::Failure;
use atoma_domain::ports::{ChainError, Refusal, RefusalKind};
use tracing::warn;

use super::config::{Backoff, EngineConfig};
use super::fate::refusal_failure;
use crate::causes::{chain_failure, with_causes};

/// Asks until there is an answer, at most as often as configured.
///
/// # Errors
/// What the last try failed with.
pub(super) async fn ask<T, Asked>(
    config: &EngineConfig,
    mut question: impl FnMut() -> Asked,
) -> Result<T, ChainError>
where
    Asked: Future<Output = Result<T, ChainError>>,
{
    let mut backoff = Backoff::new(config);
    let mut tries = 1;
    loop {
        match question().await {
            Ok(answer) => return Ok(answer),
            // A refusal is an answer.
            Err(error) if tries >= config.read_attempts || refusal(&error).is_some() => {
                return Err(error);
            }
            Err(error) => {
                warn!(
                    error = with_causes(&error),
                    tries, "the chain did not answer; asking again"
                );
            }
        }
        tries += 1;
        backoff.pause().await;
    }
}

/// What an unanswered question means for the intents that need its answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unanswered {
    /// Nothing: there is no answer, of whatever kind, until the node is back, or knows what we know.
    Outage(Failure),
    /// This, unless it was a node that lags behind, or a moment's trouble.
    Doubtful(Failure),
    /// This.
    Final(Failure),
}

impl Unanswered {
    /// What it means, where a transaction with this budget was to be.
    pub(super) fn of(error: &ChainError, gas_budget: Mist) -> Self {
        let failure = chain_failure(error);
        match error {
            ChainError::Unavailable(_)
            | ChainError::Behind { .. }
            | ChainError::Answer(_)
            | ChainError::Malformed { .. }
            | ChainError::NoObject(_) => match refusal(error) {
                Some(refusal) => Self::of_refusal(refusal, gas_budget),
                // What a node in trouble says; there is nothing to be learned of the intents.
                None => Self::Outage(failure),
            },
            ChainError::Build(_) | ChainError::Pruned { .. } => Self::Final(failure),
        }
    }

    fn of_refusal(refusal: &Refusal, gas_budget: Mist) -> Self {
        let failure = refusal_failure(refusal, gas_budget);
        match refusal.kind {
            // The epoch has ended since the plan was made, or an input has moved, or the node does not
            // know it yet: plan anew, however long that lasts.
            RefusalKind::Expired | RefusalKind::ObjectVersion { .. } => Self::Outage(failure),
            RefusalKind::ObjectNotUsable { .. } => Self::Doubtful(failure),
            _ => Self::Final(failure),
        }
    }
}

/// The network's refusal, if the error is one.
fn refusal(error: &ChainError) -> Option<&Refusal> {
    let ChainError::Answer(source) = error else {
        return None;
    };
    source.downcast_ref::<Refusal>()
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::time::Duration;

    use super::*;

    fn config() -> EngineConfig {
        EngineConfig {
            read_attempts: 3,
            backoff: Duration::ZERO,
            ..EngineConfig::default()
        }
    }

    #[tokio::test]
    async fn a_question_is_asked_as_often_as_configured() {
        let config = config();
        let mut asked = 0;
        let answer = ask(&config, || {
            asked += 1;
            let answer = if asked == 3 {
                Ok(7)
            } else {
                Err(ChainError::Malformed { what: "it" })
            };
            ready(answer)
        });
        assert_eq!(answer.await.unwrap(), 7);
        let mut asked = 0;
        let answer = ask::<(), _>(&config, || {
            asked += 1;
            ready(Err(ChainError::Malformed { what: "it" }))
        });
        assert!(answer.await.is_err());
        assert_eq!(asked, 3);
    }

    /// What a node in trouble or behind says ends nothing.
    #[test]
    fn only_what_the_node_says_of_the_request_is_final() {
        let told = |error: &ChainError| Unanswered::of(error, Mist::ZERO);
        let refused = |kind| {
            told(&ChainError::Answer(Box::new(Refusal {
                kind,
                message: String::from("refused"),
            })))
        };
        let object = Some(atoma_domain::Address::ZERO);
        for unanswered in [
            told(&ChainError::Unavailable("away".into())),
            told(&ChainError::Answer("internal error".into())),
            told(&ChainError::Malformed { what: "it" }),
            told(&ChainError::NoObject(atoma_domain::Address::ZERO)),
            told(&ChainError::Behind {
                object: atoma_domain::Address::ZERO,
                shown: None,
                known: 7,
            }),
            refused(RefusalKind::Expired),
            refused(RefusalKind::ObjectVersion { object }),
        ] {
            assert!(
                matches!(unanswered, Unanswered::Outage(_)),
                "{unanswered:?}"
            );
        }
        for unanswered in [
            told(&ChainError::Build("too large".into())),
            refused(RefusalKind::GasBalance),
        ] {
            assert!(matches!(unanswered, Unanswered::Final(_)), "{unanswered:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_an_answer() {
        let config = config();
        let mut asked = 0;
        let answer = ask::<(), _>(&config, || {
            asked += 1;
            ready(Err(ChainError::Answer(Box::new(Refusal {
                kind: RefusalKind::Expired,
                message: String::from("Transaction Expired"),
            }))))
        });
        assert!(refusal(&answer.await.unwrap_err()).is_some());
        assert_eq!(asked, 1);
    }
}
