//! The same reads on a public network, whose addresses are given in the environment.

use atoma_domain::ports::{Chain as _, Until, ViewQuery};
use atoma_domain::{Digest, ObjectId, StackSmallId};
use atoma_sui::{SuiChain, SuiChainConfig};

use crate::support::NOBODY;

fn env(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} must be set"))
}

fn id(variable: &str) -> ObjectId {
    env(variable).parse().unwrap()
}

#[tokio::test]
#[ignore = "needs ATOMA_TEST_RPC_URL, ATOMA_TEST_PACKAGE and ATOMA_TEST_DB"]
async fn the_contract_is_read_on_a_public_network() {
    let config = SuiChainConfig::new(
        env("ATOMA_TEST_RPC_URL"),
        id("ATOMA_TEST_PACKAGE"),
        id("ATOMA_TEST_DB"),
    );
    let chain = SuiChain::connect(config).unwrap();
    chain.identity().await.unwrap();
    let query = ViewQuery {
        stacks: vec![StackSmallId::new(u64::MAX)],
        tickets: vec![StackSmallId::new(u64::MAX)],
        ..ViewQuery::default()
    };
    let view = chain.view(&query).await.unwrap();
    assert!(view.epoch.epoch.get() > 0);
    assert!(view.epoch.reference_gas_price.get() > 0);
    assert!(view.stacks.is_empty() && view.tickets.is_empty());
    assert!(chain.badges(NOBODY).await.unwrap().is_empty());
    assert!(chain.lookup(Digest::ZERO).await.unwrap().is_none());
    let absent = chain.is_absent(Digest::ZERO, view.epoch.epoch, Until::EpochEnd);
    assert!(!absent.await.unwrap());
}
