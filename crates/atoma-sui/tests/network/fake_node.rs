//! A node with a configurable height, history and object.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::ports::{ChainError, Consumption};
use atoma_domain::{Address, Digest, ObjectId, ObjectReference};
use atoma_sui::{SuiChain, SuiChainConfig};
use sui_rpc::proto::google::rpc::Status as ProtoStatus;
use sui_rpc::proto::sui::rpc::v2::changed_object::InputObjectState;
use sui_rpc::proto::sui::rpc::v2::filter::transaction::affected_object;
use sui_rpc::proto::sui::rpc::v2::ledger_service_server::{LedgerService, LedgerServiceServer};
use sui_rpc::proto::sui::rpc::v2::*;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::codegen::BoxStream;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};

use crate::support::NOBODY;

/// The only object that the node has.
pub(crate) const OBJECT: ObjectId = Address::new([5; 32]);
/// The past epoch in question and its first and last checkpoints. The next epoch is current.
pub(crate) const EPOCH: u64 = 3;
pub(crate) const FIRST: u64 = 100;
pub(crate) const LAST: u64 = 200;

/// A fake node: what it reports, and what it has.
#[derive(Clone, Debug)]
pub(crate) struct FakeNode {
    /// The chain's id in its service info. Its headers have none.
    pub(crate) chain: Digest,
    pub(crate) height: u64,
    pub(crate) lowest: Option<u64>,
    /// Height and lowest available checkpoint in its response headers.
    pub(crate) headers: Option<(u64, u64)>,
    /// The message for a missing transaction; `{}` stands for the digest.
    pub(crate) not_found: &'static str,
    /// The object's latest version.
    pub(crate) version: u64,
    /// The object's versions that the node still has, and the transactions that wrote them.
    pub(crate) writers: BTreeMap<u64, Digest>,
    /// The transactions that the node still has: their input version of the object, and their
    /// checkpoint.
    pub(crate) transactions: BTreeMap<Digest, (u64, u64)>,
    /// The last transaction that touched the object according to the node's index, found on the
    /// second page; `None` for a node without an index.
    pub(crate) listed: Option<Digest>,
}

impl Default for FakeNode {
    /// A node with its whole history, and the object at version 1.
    fn default() -> Self {
        Self {
            chain: Digest::new([1; 32]),
            height: LAST + 100,
            lowest: Some(0),
            headers: Some((LAST + 100, 0)),
            not_found: "Transaction {} not found",
            version: 1,
            writers: BTreeMap::from([(1, Digest::ZERO)]),
            transactions: BTreeMap::new(),
            listed: None,
        }
    }
}

impl FakeNode {
    /// Starts serving, and connects to the node.
    pub(crate) async fn serve(self) -> Arc<SuiChain> {
        let url = self.listen().await;
        SuiChain::connect(SuiChainConfig::new(url, NOBODY, NOBODY)).unwrap()
    }

    /// Starts serving; returns the URL.
    pub(crate) async fn listen(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(LedgerServiceServer::new(self))
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        url
    }

    /// The consumption that the chain port determines for a version of the object.
    pub(crate) async fn consumption(self, version: u64) -> Result<Consumption, ChainError> {
        use atoma_domain::ports::Chain as _;
        let used = ObjectReference::new(OBJECT, version, Digest::ZERO);
        let results = self.serve().await.consumption(&[used]).await?;
        Ok(results[0])
    }

    fn add_headers(&self, metadata: &mut MetadataMap) {
        if let Some((height, lowest)) = self.headers {
            let number = |number: u64| number.to_string().parse().unwrap();
            metadata.insert("x-sui-checkpoint-height", number(height));
            metadata.insert("x-sui-lowest-available-checkpoint", number(lowest));
        }
    }

    fn respond<T>(&self, message: T) -> Result<Response<T>, Status> {
        let mut response = Response::new(message);
        self.add_headers(response.metadata_mut());
        Ok(response)
    }

    fn object(&self, version: u64) -> Option<Object> {
        let writer = self.writers.get(&version)?;
        let mut object = Object::default();
        object.object_id = Some(OBJECT.to_string());
        object.version = Some(version);
        object.digest = Some(Digest::ZERO.to_string());
        object.previous_transaction = Some(writer.to_string());
        Some(object)
    }
}

#[tonic::async_trait]
impl LedgerService for FakeNode {
    async fn list_transactions(
        &self,
        request: Request<ListTransactionsRequest>,
    ) -> Result<Response<BoxStream<ListTransactionsResponse>>, Status> {
        let Some(last) = self.listed else {
            return Err(Status::unimplemented("no index"));
        };
        let request = request.into_inner();
        assert_eq!(
            request.filter,
            Some(TransactionFilter::matching(affected_object(OBJECT)))
        );
        let options = request.options.unwrap();
        assert_eq!(options.ordering(), Ordering::Descending);
        let (mut frame, mut end) = (ListTransactionsResponse::default(), QueryEnd::default());
        let mut watermark = Watermark::default();
        watermark.cursor = Some("second page".into());
        if options.before == watermark.cursor {
            let mut transaction = ExecutedTransaction::default();
            transaction.digest = Some(last.to_string());
            frame.transaction = Some(transaction);
            end.set_reason(QueryEndReason::ItemLimit);
        } else {
            assert_eq!(options.before, None);
            end.set_reason(QueryEndReason::ScanLimit);
        }
        frame.watermark = Some(watermark);
        frame.end = Some(end);
        self.respond(Box::pin(tokio_stream::once(Ok(frame))))
    }

    async fn get_service_info(
        &self,
        _: Request<GetServiceInfoRequest>,
    ) -> Result<Response<GetServiceInfoResponse>, Status> {
        let mut info = GetServiceInfoResponse::default();
        info.chain_id = Some(self.chain.to_string());
        info.checkpoint_height = Some(self.height);
        info.lowest_available_checkpoint = self.lowest;
        self.respond(info)
    }

    async fn get_epoch(
        &self,
        request: Request<GetEpochRequest>,
    ) -> Result<Response<GetEpochResponse>, Status> {
        let mut epoch = Epoch::default();
        epoch.epoch = Some(request.into_inner().epoch.unwrap_or(EPOCH + 1));
        epoch.first_checkpoint = Some(LAST + 1);
        if epoch.epoch == Some(EPOCH) {
            epoch.first_checkpoint = Some(FIRST);
            epoch.last_checkpoint = Some(LAST);
        }
        self.respond(GetEpochResponse::new(epoch))
    }

    async fn batch_get_objects(
        &self,
        request: Request<BatchGetObjectsRequest>,
    ) -> Result<Response<BatchGetObjectsResponse>, Status> {
        let requests = request.into_inner().requests;
        let results = requests.iter().map(|_| match self.object(self.version) {
            Some(object) => GetObjectResult::new_object(object),
            None => GetObjectResult::new_error(ProtoStatus {
                code: Code::NotFound.into(),
                ..ProtoStatus::default()
            }),
        });
        self.respond(BatchGetObjectsResponse::new(results.collect()))
    }

    async fn get_object(
        &self,
        request: Request<GetObjectRequest>,
    ) -> Result<Response<GetObjectResponse>, Status> {
        let version = request.into_inner().version;
        match self.object(version.unwrap_or(self.version)) {
            Some(object) => self.respond(GetObjectResponse::new(object)),
            None => Err(Status::not_found("no such object")),
        }
    }

    async fn get_transaction(
        &self,
        request: Request<GetTransactionRequest>,
    ) -> Result<Response<GetTransactionResponse>, Status> {
        let digest = request.into_inner().digest.unwrap();
        let Some((input, checkpoint)) = self.transactions.get(&digest.parse().unwrap()) else {
            let mut status = Status::not_found(self.not_found.replace("{}", &digest));
            self.add_headers(status.metadata_mut());
            return Err(status);
        };
        let mut change = ChangedObject::default();
        change.object_id = Some(OBJECT.to_string());
        change.set_input_state(InputObjectState::Exists);
        change.input_version = Some(*input);
        let mut effects = TransactionEffects::default();
        effects.changed_objects = vec![change];
        let mut transaction = ExecutedTransaction::default();
        transaction.digest = Some(digest);
        transaction.effects = Some(effects);
        transaction.checkpoint = Some(*checkpoint);
        self.respond(GetTransactionResponse::new(transaction))
    }
}
