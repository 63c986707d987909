//! Questions to the chain, asked again when they are not answered.

use atoma_domain::ports::{ChainError, Refusal, RefusalKind};
use tracing::warn;

use super::config::{Backoff, EngineConfig};
use crate::causes::with_causes;

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
            Err(error) if tries >= config.read_attempts || is_expiration(&error) => {
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

/// Whether a simulation was refused because the epoch has ended since the plan was made.
pub(super) fn is_expiration(error: &ChainError) -> bool {
    let ChainError::Answer(source) = error else {
        return false;
    };
    source
        .downcast_ref::<Refusal>()
        .is_some_and(|refusal| refusal.kind == RefusalKind::Expired)
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

    #[tokio::test]
    async fn an_epoch_that_is_past_is_not_asked_about_again() {
        let config = config();
        let mut asked = 0;
        let answer = ask::<(), _>(&config, || {
            asked += 1;
            ready(Err(ChainError::Answer(Box::new(Refusal {
                kind: RefusalKind::Expired,
                message: String::from("Transaction Expired"),
            }))))
        });
        assert!(is_expiration(&answer.await.unwrap_err()));
        assert_eq!(asked, 1);
    }
}
