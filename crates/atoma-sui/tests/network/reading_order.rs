//! The order in which a node is asked for what a view consists of.
//!
//! A node reads one object after another, while others execute. A view whose badge is read first
//! can't show a ticket that is older than the badge: what is signed with it is stale if anything of
//! that badge happened since.

use std::sync::{Arc, Mutex};

use atoma_domain::ports::{Chain as _, ViewQuery};
use atoma_localnet::Purchase;
use atoma_sui::{SuiChain, SuiConfig};
use sui_rpc::Client;
use sui_rpc::proto::sui::rpc::v2::ledger_service_server::{LedgerService, LedgerServiceServer};
use sui_rpc::proto::sui::rpc::v2::*;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::support::{PRICE, World};

/// The ids asked for in one call, in order.
type Call = Vec<String>;

/// A node that passes questions on, and notes those for objects.
#[derive(Clone)]
struct NotingNode {
    node: Client,
    asked: Arc<Mutex<Vec<Call>>>,
}

impl NotingNode {
    async fn serve(world: &World) -> (Self, Arc<SuiChain>) {
        let node = Self {
            node: Client::new(world.net.url()).unwrap(),
            asked: Arc::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(LedgerServiceServer::new(node.clone()))
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        let addresses = world.net.addresses();
        let config = SuiConfig::new(url, addresses.package, addresses.atoma_db);
        (node, SuiChain::connect(config).unwrap())
    }

    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[tonic::async_trait]
impl LedgerService for NotingNode {
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
            .map(|wanted| wanted.object_id.clone().unwrap())
            .collect();
        self.asked.lock().unwrap().push(ids);
        let mut node = self.node.clone();
        node.ledger_client().batch_get_objects(request).await
    }
}

#[tokio::test]
async fn a_view_asks_for_the_badge_before_all_else() {
    let world = World::start().await;
    let task = world.task(2);
    let operator = world.operator(0, &[task]).await;
    // More than one call takes, so that some are asked for after the first call's answer.
    let purchase = Purchase {
        task_small_id: task,
        num_compute_units: 10,
        price: PRICE.get(),
        count: 60,
        node_small_id: None,
    };
    let stacks = world.net.buy_stacks(&purchase).unwrap();
    let (node, chain) = NotingNode::serve(&world).await;
    let query = ViewQuery {
        badge: Some(operator.badge),
        stacks: stacks.clone(),
        tickets: stacks,
        ..ViewQuery::default()
    };
    for is_known in [false, true] {
        node.take();
        let view = chain.view(&query).await.unwrap();
        assert_eq!(
            view.badge.map(|badge| *badge.object_id()),
            Some(operator.badge)
        );
        let badge = operator.badge.to_string();
        let mut calls = node.take();
        if !is_known {
            // What never changes is learned first, once.
            calls.retain(|call| call.len() > 2);
        }
        // Of each call: one address can be that of several nodes.
        assert!(calls.len() > 1, "{calls:?}");
        for call in &calls {
            assert_eq!(call.first(), Some(&badge));
            let again = call.iter().filter(|id| **id == badge);
            assert_eq!(again.count(), 1, "{call:?}");
        }
    }
}
