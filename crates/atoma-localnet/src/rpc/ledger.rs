//! LedgerService: objects, transactions, checkpoints and epochs.

use futures::StreamExt;
use sui_rpc::field::FieldMaskTree;
use sui_rpc::merge::Merge;
use sui_rpc::proto::google::rpc::Status as ProtoStatus;
use sui_rpc::proto::sui::rpc::v2::get_checkpoint_request::CheckpointId;
use sui_rpc::proto::sui::rpc::v2::ledger_service_server::LedgerService;
use sui_rpc::proto::sui::rpc::v2::{self as proto, *};
use sui_rpc::proto::timestamp_ms_to_proto;
use sui_sdk_types::{Address, Digest};
use tonic::codegen::BoxStream;
use tonic::{Code, Request, Response, Status};

use super::Service;
use super::epoch::epoch;
use super::filter::Filter;
use super::headers;
use super::list::{self, CheckpointBounds};
use super::node::Node;
use super::render::{self, mask};
use super::sources::{Checkpoints, Events, Transactions};
use super::view::{DecodedTransaction, lost};
use crate::chain::Ledger;
use crate::execution::status::{self, bad_request, missing};
use crate::faults::FaultKind;

const OBJECT_DEFAULT: &str = "object_id,version,digest";
/// The maximum number of objects, and of transactions, per batch.
const MAX_BATCH_OBJECTS: usize = 1_000;
const MAX_BATCH_TRANSACTIONS: usize = 200;

#[tonic::async_trait]
impl LedgerService for Service {
    async fn get_service_info(
        &self,
        request: Request<GetServiceInfoRequest>,
    ) -> Result<Response<GetServiceInfoResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let ledger = node.ledger()?;
        let height = ledger.height();
        let lowest = node.lowest_checkpoint(&ledger);
        let latest = ledger.checkpoint(height);
        let mut response = GetServiceInfoResponse::default();
        response.chain_id = Some(ledger.chain_id().to_string());
        response.chain = Some(headers::CHAIN.to_owned());
        response.epoch = latest.map(|checkpoint| checkpoint.epoch);
        response.checkpoint_height = Some(node.named_height(height));
        let lagging = latest.filter(|_| node.behind() > 0);
        let tip_ms = lagging.map(|checkpoint| checkpoint.timestamp_ms);
        let tip_ms = tip_ms.unwrap_or_else(|| headers::tip_ms(&self.core, &self.faults));
        response.timestamp = Some(timestamp_ms_to_proto(tip_ms));
        response.lowest_available_checkpoint = Some(lowest);
        response.lowest_available_checkpoint_objects = Some(lowest);
        response.server = Some(headers::SERVER.to_owned());
        Ok(Response::new(response))
    }

    async fn get_object(
        &self,
        request: Request<GetObjectRequest>,
    ) -> Result<Response<GetObjectResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let mask = mask::<proto::Object>(request.read_mask.as_ref(), OBJECT_DEFAULT)?;
        let is_stale = self.is_stale();
        let object = object(&node, object_key(0, &request)?, &mask, is_stale)?;
        let mut response = Response::new(GetObjectResponse::new(object));
        if is_stale {
            headers::lagging(response.metadata_mut());
        }
        Ok(response)
    }

    async fn batch_get_objects(
        &self,
        request: Request<BatchGetObjectsRequest>,
    ) -> Result<Response<BatchGetObjectsResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        at_most(request.requests.len(), MAX_BATCH_OBJECTS)?;
        let mask = mask::<proto::Object>(request.read_mask.as_ref(), OBJECT_DEFAULT)?;
        let is_stale = self.is_stale();
        let keys = request.requests.iter().enumerate();
        let keys = keys
            .map(|(index, request)| object_key(index, request))
            .collect::<Result<Vec<_>, _>>()?;
        let mut objects = Vec::with_capacity(keys.len());
        for key in keys {
            objects.push(match object(&node, key, &mask, is_stale) {
                Ok(object) => GetObjectResult::new_object(object),
                Err(status) => GetObjectResult::new_error(proto_status(&status)),
            });
        }
        let mut response = Response::new(BatchGetObjectsResponse::new(objects));
        if is_stale {
            headers::lagging(response.metadata_mut());
        }
        Ok(response)
    }

    async fn get_transaction(
        &self,
        request: Request<GetTransactionRequest>,
    ) -> Result<Response<GetTransactionResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let mask = mask::<ExecutedTransaction>(request.read_mask.as_ref(), "digest")?;
        let ledger = node.ledger()?;
        let digest = request.digest.as_deref();
        let digest = digest.ok_or_else(|| missing("digest", "missing digest"))?;
        let digest = parse_digest("digest", digest)?;
        let transaction = transaction(&node, &ledger, digest, &mask)?;
        if self.is_hidden(&ledger, &digest) {
            let mut status = transaction_not_found(&digest);
            headers::lagging(status.metadata_mut());
            return Err(status);
        }
        Ok(Response::new(GetTransactionResponse::new(transaction)))
    }

    async fn batch_get_transactions(
        &self,
        request: Request<BatchGetTransactionsRequest>,
    ) -> Result<Response<BatchGetTransactionsResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        at_most(request.digests.len(), MAX_BATCH_TRANSACTIONS)?;
        let mask = mask::<ExecutedTransaction>(request.read_mask.as_ref(), "digest")?;
        let ledger = node.ledger()?;
        let mut transactions = Vec::with_capacity(request.digests.len());
        for (index, digest) in request.digests.iter().enumerate() {
            let found = parse_digest(&format!("digests[{index}]"), digest)
                .and_then(|digest| transaction(&node, &ledger, digest, &mask));
            transactions.push(match found {
                Ok(transaction) => GetTransactionResult::new_transaction(transaction),
                Err(status) => GetTransactionResult::new_error(proto_status(&status)),
            });
        }
        Ok(Response::new(BatchGetTransactionsResponse::new(
            transactions,
        )))
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let mask = mask::<Checkpoint>(request.read_mask.as_ref(), "sequence_number,digest")?;
        let ledger = node.ledger()?;
        let (name, found) = match &request.checkpoint_id {
            None => (String::new(), ledger.checkpoint(ledger.height())),
            Some(CheckpointId::SequenceNumber(number)) => {
                (number.to_string(), ledger.checkpoint(*number))
            }
            Some(CheckpointId::Digest(text)) => {
                let digest = parse_digest("digest", text)?;
                let found = ledger
                    .checkpoints_backwards()
                    .find(|(_, checkpoint)| checkpoint.digest == digest)
                    .map(|(_, checkpoint)| checkpoint);
                (text.clone(), found)
            }
            Some(_) => return Err(bad_request("checkpoint_id", "unknown checkpoint_id")),
        };
        // The summaries of pruned checkpoints remain.
        let needs_contents = mask.contains("contents") || mask.contains("transactions");
        let record = found
            .filter(|record| !needs_contents || !node.is_pruned(&ledger, record.first_transaction))
            .ok_or_else(|| not_found(format!("Checkpoint {name} not found")))?;
        let mut checkpoint = render::checkpoint(&ledger, &self.core.contract, record, &mask)?;
        if node.has(FaultKind::OtherCheckpoints) {
            checkpoint.digest = Some(Digest::new([0xee; 32]).to_string());
        }
        Ok(Response::new(GetCheckpointResponse::new(checkpoint)))
    }

    async fn get_epoch(
        &self,
        request: Request<GetEpochRequest>,
    ) -> Result<Response<GetEpochResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let mask = mask::<Epoch>(request.read_mask.as_ref(), "epoch")?;
        let ledger = node.ledger()?;
        let record = match request.epoch {
            None => ledger.epoch(),
            Some(epoch) => ledger
                .epoch_at(epoch)
                .ok_or_else(|| not_found(format!("Epoch {epoch} not found")))?,
        };
        Ok(Response::new(GetEpochResponse::new(Epoch::merge_from(
            &epoch(record, self.core.config.epoch_ms),
            &mask,
        ))))
    }

    async fn list_checkpoints(
        &self,
        request: Request<ListCheckpointsRequest>,
    ) -> Result<Response<BoxStream<ListCheckpointsResponse>>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        check_lists(&node, "ListCheckpoints")?;
        let request = request.into_inner();
        let source = Checkpoints {
            contract: self.core.contract,
            filter: Filter::transactions(request.filter.as_ref())?,
            mask: mask::<Checkpoint>(request.read_mask.as_ref(), "sequence_number,digest")?,
        };
        let range = CheckpointBounds {
            start: request.start_checkpoint,
            end: request.end_checkpoint,
        };
        let frames = list::list(node, source, range, request.options.as_ref())?;
        let stream = frames.map(|frame| {
            let frame = frame?;
            let mut response = ListCheckpointsResponse::default();
            response.checkpoint = frame.item;
            response.watermark = Some(frame.watermark);
            response.end = frame.end;
            Ok(response)
        });
        Ok(Response::new(self.until_stopped(stream)))
    }

    async fn list_transactions(
        &self,
        request: Request<ListTransactionsRequest>,
    ) -> Result<Response<BoxStream<ListTransactionsResponse>>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        check_lists(&node, "ListTransactions")?;
        let request = request.into_inner();
        let source = Transactions {
            contract: self.core.contract,
            filter: Filter::transactions(request.filter.as_ref())?,
            mask: mask::<ExecutedTransaction>(request.read_mask.as_ref(), "digest")?,
        };
        let range = CheckpointBounds {
            start: request.start_checkpoint,
            end: request.end_checkpoint,
        };
        let frames = list::list(node, source, range, request.options.as_ref())?;
        let stream = frames.map(|frame| {
            let frame = frame?;
            let mut response = ListTransactionsResponse::default();
            response.transaction = frame.item;
            response.watermark = Some(frame.watermark);
            response.end = frame.end;
            Ok(response)
        });
        Ok(Response::new(self.until_stopped(stream)))
    }

    async fn list_events(
        &self,
        request: Request<ListEventsRequest>,
    ) -> Result<Response<BoxStream<ListEventsResponse>>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        check_lists(&node, "ListEvents")?;
        let request = request.into_inner();
        let source = Events {
            contract: self.core.contract,
            filter: Filter::events(request.filter.as_ref())?,
            mask: mask::<Event>(request.read_mask.as_ref(), "*")?,
        };
        let range = CheckpointBounds {
            start: request.start_checkpoint,
            end: request.end_checkpoint,
        };
        let frames = list::list(node, source, range, request.options.as_ref())?;
        let stream = frames.map(|frame| {
            let frame = frame?;
            let mut response = ListEventsResponse::default();
            response.event = frame.item;
            response.watermark = Some(frame.watermark);
            response.end = frame.end;
            Ok(response)
        });
        Ok(Response::new(self.until_stopped(stream)))
    }
}

/// `UNIMPLEMENTED` while a fault makes the node serve no lists of the ledger.
fn check_lists(node: &Node, call: &str) -> Result<(), Status> {
    if node.has(FaultKind::ListsUnserved) {
        return Err(Status::unimplemented(format!(
            "this node does not serve {call} (injected)"
        )));
    }
    Ok(())
}

impl Service {
    /// Whether an injected fault makes this call return the previous versions of objects.
    fn is_stale(&self) -> bool {
        self.faults.take(FaultKind::StaleObjects).is_some()
    }

    /// Whether an injected fault hides a transaction of the current epoch from this call.
    fn is_hidden(&self, ledger: &Ledger, digest: &Digest) -> bool {
        let position = ledger.position(digest);
        let record = position.and_then(|position| ledger.record(position).ok());
        let effects = record.and_then(|record| record.effects().ok());
        effects.is_some_and(|effects| effects.epoch() == ledger.epoch().epoch)
            && self.faults.take(FaultKind::TransactionsHidden).is_some()
    }
}

fn object(
    node: &Node,
    (id, version): (Address, Option<u64>),
    mask: &FieldMaskTree,
    is_stale: bool,
) -> Result<proto::Object, Status> {
    let ledger = node.ledger()?;
    let objects = ledger.objects();
    let found = match version {
        Some(version) => objects
            .at(&id, version)
            .filter(|_| !node.is_version_pruned(&ledger, &id, version)),
        None if is_stale => objects.stale(&id),
        None => objects.live(&id),
    };
    if found.is_none() {
        ledger.check_readable().map_err(lost)?;
    }
    match (found, version) {
        (Some(object), _) => Ok(render::object(&object, &node.core.contract, mask)),
        (None, Some(version)) => Err(not_found(format!(
            "Object {id} with version {version} not found"
        ))),
        (None, None) => Err(not_found(format!("Object {id} not found"))),
    }
}

fn transaction(
    node: &Node,
    ledger: &Ledger,
    digest: Digest,
    mask: &FieldMaskTree,
) -> Result<ExecutedTransaction, Status> {
    let position = ledger
        .position(&digest)
        .filter(|position| !node.is_pruned(ledger, *position))
        .ok_or_else(|| transaction_not_found(&digest))?;
    let record = ledger.record(position).map_err(lost)?;
    render::transaction(
        ledger,
        &node.core.contract,
        position,
        &DecodedTransaction::new(&record),
        mask,
    )
}

fn transaction_not_found(digest: &Digest) -> Status {
    not_found(format!("Transaction {digest} not found"))
}

fn parse_digest(field: &str, text: &str) -> Result<Digest, Status> {
    text.parse()
        .map_err(|error| bad_request(field, &format!("invalid digest: {error}")))
}

fn at_most(count: usize, max: usize) -> Result<(), Status> {
    if count > max {
        return Err(status::new(
            Code::InvalidArgument,
            format!("number of batch requests exceed limit of {max}"),
        ));
    }
    Ok(())
}

fn not_found(message: String) -> Status {
    status::new(Code::NotFound, message)
}

/// The id and version that the request at `index` of a batch asks for. A single request is a batch of one.
fn object_key(index: usize, request: &GetObjectRequest) -> Result<(Address, Option<u64>), Status> {
    let field = format!("requests[{index}].object_id");
    let id = request.object_id.as_deref();
    let id = id
        .ok_or_else(|| missing(&field, ""))?
        .parse()
        .map_err(|error| bad_request(&field, &format!("invalid object_id: {error}")))?;
    Ok((id, request.version))
}

fn proto_status(status: &Status) -> ProtoStatus {
    ProtoStatus {
        code: status.code().into(),
        message: status.message().to_owned(),
        ..Default::default()
    }
}
