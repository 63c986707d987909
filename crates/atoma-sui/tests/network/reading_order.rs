//! The order in which a view's objects are requested.
//!
//! A node reads one object after another while transactions execute. If the badge is read first,
//! the view can't contain a ticket that is older than the badge. If a transaction with that badge
//! executes afterwards, whatever is signed with the view's badge version is stale and refused.

use std::sync::{Arc, Mutex};

use atoma_domain::ports::{Chain as _, ViewQuery};
use atoma_localnet::Purchase;
use atoma_sui::{SuiChain, SuiChainConfig};
use sui_rpc::Client;
use sui_rpc::proto::sui::rpc::v2::ledger_service_server::{LedgerService, LedgerServiceServer};
use sui_rpc::proto::sui::rpc::v2::*;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::support::{PRICE, TestNetwork};

/// The ids requested in one call, in order.
type Call = Vec<String>;

/// A node that forwards requests, and records those for objects.
#[derive(Clone)]
struct RecordingNode {
    node: Client,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl RecordingNode {
    async fn serve(network: &TestNetwork) -> (Self, Arc<SuiChain>) {
        let node = Self {
            node: Client::new(network.localnet.url()).unwrap(),
            calls: Arc::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(LedgerServiceServer::new(node.clone()))
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        let addresses = network.localnet.addresses();
        let config = SuiChainConfig::new(url, addresses.package, addresses.atoma_db);
        (node, SuiChain::connect(config).unwrap())
    }

    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

#[tonic::async_trait]
impl LedgerService for RecordingNode {
    async fn get_service_info(
        &self,
        request: Request<GetServiceInfoRequest>,
    ) -> Result<Response<GetServiceInfoResponse>, Status> {
        let mut node = self.node.clone();
        node.ledger_client()
            .get_service_info(request.into_inner())
            .await
    }

    async fn get_epoch(
        &self,
        request: Request<GetEpochRequest>,
    ) -> Result<Response<GetEpochResponse>, Status> {
        let mut node = self.node.clone();
        node.ledger_client().get_epoch(request.into_inner()).await
    }

    async fn batch_get_objects(
        &self,
        request: Request<BatchGetObjectsRequest>,
    ) -> Result<Response<BatchGetObjectsResponse>, Status> {
        let request = request.into_inner();
        let ids = request.requests.iter();
        let ids = ids
            .map(|request| request.object_id.clone().unwrap())
            .collect();
        self.calls.lock().unwrap().push(ids);
        let mut node = self.node.clone();
        node.ledger_client().batch_get_objects(request).await
    }
}

#[tokio::test]
async fn a_view_requests_the_badge_first() {
    let network = TestNetwork::start().await;
    let task = network.task(2);
    let operator = network.operator(0, &[task]).await;
    // Too many for one call, so that several are needed.
    let purchase = Purchase {
        task_small_id: task,
        num_compute_units: 10,
        price: PRICE.get(),
        count: 60,
        node_small_id: None,
    };
    let stacks = network.localnet.buy_stacks(&purchase).unwrap();
    let (node, chain) = RecordingNode::serve(&network).await;
    let query = ViewQuery {
        badge: Some(operator.badge),
        stacks: stacks.clone(),
        tickets: stacks,
        ..ViewQuery::default()
    };
    for facts_are_known in [false, true] {
        node.take();
        let view = chain.view(&query).await.unwrap();
        assert_eq!(
            view.badge.map(|badge| *badge.object_id()),
            Some(operator.badge)
        );
        let badge = operator.badge.to_string();
        let mut calls = node.take();
        if !facts_are_known {
            // The immutable facts are read before, once.
            calls.retain(|call| call.len() > 2);
        }
        // First in every call, because another node may serve each of them.
        assert!(calls.len() > 1, "{calls:?}");
        for call in &calls {
            assert_eq!(call.first(), Some(&badge));
            let again = call.iter().filter(|id| **id == badge);
            assert_eq!(again.count(), 1, "{call:?}");
        }
    }
}
