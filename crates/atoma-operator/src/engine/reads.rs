//! Reads from the chain, retried when the node does not answer.

use atoma_domain::ports::{ChainError, Refusal};
use atoma_domain::with_causes;
use tracing::warn;

use super::EngineConfig;
use super::backoff::Backoff;

/// Asks until there is an answer, at most [`EngineConfig::read_attempts`] times. A refusal is an
/// answer.
///
/// # Errors
/// The error of the last try.
pub(super) async fn ask<T, Asking>(
    config: &EngineConfig,
    mut question: impl FnMut() -> Asking,
) -> Result<T, ChainError>
where
    Asking: Future<Output = Result<T, ChainError>>,
{
    let mut backoff = Backoff::new(config);
    let mut tries = 1;
    loop {
        match question().await {
            Ok(answer) => return Ok(answer),
            Err(error) if tries >= config.read_attempts || refusal(&error).is_some() => {
                return Err(error);
            }
            Err(error) => {
                warn!(
                    error = with_causes(&error),
                    tries, "the Sui node did not answer; retrying"
                );
            }
        }
        tries += 1;
        backoff.pause().await;
    }
}

/// The network's refusal, if the error is one.
pub(super) fn refusal(error: &ChainError) -> Option<&Refusal> {
    let ChainError::Answer(source) = error else {
        return None;
    };
    source.downcast_ref::<Refusal>()
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::time::Duration;

    use atoma_domain::ports::RefusalKind;

    use super::*;

    fn config() -> EngineConfig {
        EngineConfig {
            read_attempts: 3,
            backoff: Duration::ZERO,
            ..EngineConfig::default()
        }
    }

    #[tokio::test]
    async fn a_read_is_tried_as_often_as_configured() {
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
