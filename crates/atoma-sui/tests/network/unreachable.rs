//! Nodes that are down or hang.

use std::time::Duration;

use atoma_domain::ports::{Chain as _, ChainError, EventSource as _, SubmitError, ViewQuery};
use atoma_domain::{CheckpointNumber, Digest};
use atoma_sui::{SuiChain, SuiChainConfig, SuiEventSource};

use crate::support::NOBODY;

async fn assert_unavailable(config: SuiChainConfig) {
    let chain = SuiChain::connect(config).unwrap();
    let error = chain.view(&ViewQuery::default()).await.unwrap_err();
    assert!(matches!(error, ChainError::Unavailable(_)), "{error:?}");
    let error = chain.lookup(Digest::ZERO).await.unwrap_err();
    assert!(matches!(error, ChainError::Unavailable(_)), "{error:?}");
    let source = SuiEventSource::new(chain.clone(), CheckpointNumber::new(0));
    let error = source.follow(None).await.unwrap_err();
    assert!(matches!(error, ChainError::Unavailable(_)), "{error:?}");
    let signed = atoma_domain::ports::SignedTransaction {
        bytes: vec![0],
        digest: Digest::ZERO,
        signatures: Vec::new(),
    };
    let error = chain.execute(&signed).await.unwrap_err();
    assert!(matches!(error, SubmitError::Unknown(_)), "{error:?}");
}

#[tokio::test]
async fn a_node_that_is_down_is_reported_by_each_call() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_unavailable(SuiChainConfig::new(url, NOBODY, NOBODY)).await;
}

#[tokio::test]
async fn calls_to_a_node_that_hangs_time_out() {
    // The system accepts connections, but nothing ever responds.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut config = SuiChainConfig::new(url, NOBODY, NOBODY);
    config.request_timeout = Duration::from_millis(20);
    assert_unavailable(config).await;
}

#[tokio::test]
async fn an_invalid_address_is_rejected_and_never_printed() {
    let config = SuiChainConfig::new("http://token@ bad", NOBODY, NOBODY);
    assert!(!format!("{config:?}").contains("token"));
    let error = SuiChain::connect(config).unwrap_err();
    assert!(!format!("{error}").contains("token"));
}
