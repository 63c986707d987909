//! Proof that a transaction can no longer execute: another one consumed its object versions, or a
//! complete ledger does not contain it.
//!
//! Several nodes can serve one address, and some of them may lag. So coverage is checked before a
//! read, and the headers of the read's own response must confirm it.

use atoma_domain::ports::{ChainError, Consumption, Until};
use atoma_domain::{Digest, Epoch, ObjectId, ObjectReference};
use sui_rpc::client::ResponseExt;
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2::changed_object::InputObjectState;
use sui_rpc::proto::sui::rpc::v2::filter::transaction::affected_object;
use sui_rpc::proto::sui::rpc::v2::{self as proto, QueryEndReason, TransactionFilter};
use tonic::Code;
use tracing::debug;

use super::sui_chain::SuiChain;
use crate::connection::{OBJECTS_PER_CALL, reference};
use crate::history::CheckpointRange;
use crate::refusal::{is_absence, read_error};
use crate::response::{malformed, parse};

/// How many of an object's transactions are searched, latest first, for the one that consumed a
/// version.
const MAX_STEPS: usize = 32;

/// An object's latest version according to a node, and the transaction that wrote it.
#[derive(Debug)]
struct Latest {
    version: u64,
    writer: Option<Digest>,
}

impl SuiChain {
    pub(super) async fn read_consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        // Read before the objects, so that they reflect everything executed up to this epoch.
        let current = self
            .connection
            .epoch(None, &["epoch", "first_checkpoint"])
            .await?
            .ok_or(malformed("the current epoch"))?;
        let epoch = Epoch::new(current.epoch.ok_or(malformed("epoch.epoch"))?);
        let mut results = Vec::with_capacity(versions.len());
        for chunk in versions.chunks(OBJECTS_PER_CALL) {
            let (latest, is_current) = self.latest(chunk, &current).await?;
            for (used, latest) in chunk.iter().zip(latest) {
                results.push(match latest {
                    Some(Latest { version, .. }) if version == used.version() && is_current => {
                        Consumption::Current(epoch)
                    }
                    Some(Latest { version, writer }) if version > used.version() => {
                        let last = writer.ok_or(malformed("an object's last transaction"))?;
                        self.consumer(used, last).await
                    }
                    Some(_) => Consumption::Unseen,
                    None => self.consumer_of_missing(used).await,
                });
            }
        }
        Ok(results)
    }

    /// The objects' latest versions, in order, and whether the responding node had executed
    /// everything before the epoch.
    async fn latest(
        &self,
        versions: &[ObjectReference],
        epoch: &proto::Epoch,
    ) -> Result<(Vec<Option<Latest>>, bool), ChainError> {
        let ids = versions.iter().map(ObjectReference::object_id);
        let request = proto::BatchGetObjectsRequest::default()
            .with_requests(ids.map(proto::GetObjectRequest::new).collect())
            .with_read_mask(FieldMask::from_paths([
                "object_id",
                "version",
                "digest",
                "previous_transaction",
            ]));
        let response = self
            .connection
            .client()
            .ledger_client()
            .batch_get_objects(self.connection.timed(request))
            .await
            .map_err(read_error)?;
        // Another node may have answered for the epoch; only its own headers show that this one
        // doesn't lag.
        let is_current = CheckpointRange::preceding(epoch)
            .is_some_and(|past| past.is_executed_by_headers(&response));
        let objects = response.into_inner().objects;
        if objects.len() != versions.len() {
            return Err(malformed("one result for each object"));
        }
        let latest = versions.iter().zip(objects).map(|(used, result)| {
            let Ok(object) = result.to_result() else {
                return Ok(None);
            };
            let read = reference(&object)?;
            if read.object_id() != used.object_id() {
                return Err(malformed("the requested object"));
            }
            Ok(Some(Latest {
                version: read.version(),
                writer: last_transaction(&object)?,
            }))
        });
        Ok((latest.collect::<Result<_, _>>()?, is_current))
    }

    /// Walks back through the object's versions to the transaction that consumed this one, as far
    /// as the node's history goes.
    async fn consumer(&self, used: &ObjectReference, last: Digest) -> Consumption {
        match self.find_consumer(used, last).await {
            Ok(Some(digest)) => Consumption::By(digest),
            Ok(None) => Consumption::Past { last },
            Err(error) => {
                debug!(object = %used.object_id(), %error, "the object's history can't be read");
                Consumption::Past { last }
            }
        }
    }

    /// The transaction that consumed a version of an object that the node does not return. The
    /// object may be deleted, or the node may not have it yet. Only a transaction with exactly
    /// this version as input counts; others in the node's index prove nothing, because they may
    /// precede the version.
    async fn consumer_of_missing(&self, used: &ObjectReference) -> Consumption {
        let found = async {
            match self.last_in_index(*used.object_id()).await? {
                Some(last) => self.find_consumer(used, last).await,
                None => Ok(None),
            }
        };
        match found.await {
            Ok(Some(digest)) => Consumption::By(digest),
            Ok(None) => Consumption::Unseen,
            Err(error) => {
                debug!(object = %used.object_id(), %error, "the object's last transaction can't be read");
                Consumption::Unseen
            }
        }
    }

    /// The last transaction that touched an object according to the node's ledger index.
    async fn last_in_index(&self, object: ObjectId) -> Result<Option<Digest>, ChainError> {
        let mut before = None;
        for _ in 0..MAX_STEPS {
            let mut options = proto::QueryOptions::default()
                .with_limit(1)
                .with_ordering(proto::Ordering::Descending);
            options.before = before;
            let request = proto::ListTransactionsRequest::default()
                .with_filter(TransactionFilter::matching(affected_object(object)))
                .with_read_mask(FieldMask::from_paths(["digest"]))
                .with_options(options);
            let last = self.last_frame(request);
            let last = tokio::time::timeout(self.config.request_timeout, last)
                .await
                .map_err(|error| ChainError::Unavailable(error.into()))??;
            if let Some(transaction) = last.transaction {
                return parse(transaction.digest.as_deref(), "a transaction's digest").map(Some);
            }
            let reason = last.end.map(|end| end.reason());
            before = last.watermark.and_then(|watermark| watermark.cursor);
            if reason != Some(QueryEndReason::ScanLimit) || before.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// The first frame of a list that contains a transaction, or else the last frame.
    async fn last_frame(
        &self,
        request: proto::ListTransactionsRequest,
    ) -> Result<proto::ListTransactionsResponse, ChainError> {
        let mut client = self.connection.client().ledger_client();
        let request = self.connection.timed(request);
        let frames = client.list_transactions(request).await;
        let mut frames = frames.map_err(read_error)?.into_inner();
        let mut last = proto::ListTransactionsResponse::default();
        while let Some(frame) = frames.message().await.map_err(read_error)? {
            last = frame;
            if last.transaction.is_some() || last.end.is_some() {
                break;
            }
        }
        Ok(last)
    }

    async fn find_consumer(
        &self,
        used: &ObjectReference,
        last: Digest,
    ) -> Result<Option<Digest>, ChainError> {
        let mut writer = last;
        for _ in 0..MAX_STEPS {
            let Some(input) = self.input_version(writer, *used.object_id()).await? else {
                return Ok(None);
            };
            if input <= used.version() {
                return Ok((input == used.version()).then_some(writer));
            }
            match self.writer(*used.object_id(), input).await? {
                Some(before) => writer = before,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The version of an object that a transaction had as input; `None` when the node no longer
    /// has the transaction, or the object did not exist before it.
    async fn input_version(
        &self,
        transaction: Digest,
        object: ObjectId,
    ) -> Result<Option<u64>, ChainError> {
        let mask = ["effects.changed_objects"];
        let effects = match self.get_transaction(transaction, &mask).await {
            Ok(transaction) => transaction.effects.ok_or(malformed("effects"))?,
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => return Err(read_error(status)),
        };
        let id = object.to_string();
        let changes = effects.changed_objects.iter();
        Ok(changes
            .filter(|change| change.input_state() == InputObjectState::Exists)
            .find(|change| change.object_id() == id)
            .and_then(|change| change.input_version))
    }

    /// The transaction that wrote a version of an object; `None` when the node no longer has that
    /// version.
    async fn writer(&self, object: ObjectId, version: u64) -> Result<Option<Digest>, ChainError> {
        let request = proto::GetObjectRequest::new(&object)
            .with_version(version)
            .with_read_mask(FieldMask::from_paths(["version", "previous_transaction"]));
        let Some(response) = self.get_object(request).await? else {
            return Ok(None);
        };
        let object = response.object.ok_or(malformed("the object"))?;
        if object.version != Some(version) {
            return Err(malformed("the requested version"));
        }
        last_transaction(&object)
    }

    pub(super) async fn proves_absence(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError> {
        let mask = ["epoch", "first_checkpoint", "last_checkpoint"];
        let Some(epoch) = self.connection.epoch(Some(epoch.get()), &mask).await? else {
            return Ok(false);
        };
        let last = match until {
            Until::EpochEnd => epoch.last_checkpoint,
            Until::Transaction(other) => self.checkpoint_of(other).await?,
        };
        let Some(last) = last else { return Ok(false) };
        let first = epoch
            .first_checkpoint
            .ok_or(malformed("epoch.first_checkpoint"))?;
        let range = CheckpointRange { first, last };
        // Checked before the lookup, which then finds everything executed up to here.
        if !range.is_executed_by(&self.connection.service_info().await?)? {
            return Ok(false);
        }
        let status = match self.get_transaction(digest, &["digest"]).await {
            Ok(_) => return Ok(false),
            Err(status) if is_absence(&status, digest) => status,
            Err(status) => return Err(read_error(status)),
        };
        // Another node may have reported the height before, so without its own headers this one may
        // lag.
        if !range.is_executed_by_headers(&status) {
            return Ok(false);
        }
        if let Some(lowest) = status.lowest_available_checkpoint() {
            range.check_available_from(lowest)?;
        }
        // Checked after the lookup: what is still available now was not pruned then.
        range.check_available_at(&self.connection.service_info().await?)?;
        Ok(true)
    }

    async fn checkpoint_of(&self, transaction: Digest) -> Result<Option<u64>, ChainError> {
        match self.get_transaction(transaction, &["checkpoint"]).await {
            Ok(transaction) => Ok(transaction.checkpoint),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(read_error(status)),
        }
    }
}

fn last_transaction(object: &proto::Object) -> Result<Option<Digest>, ChainError> {
    let last = object.previous_transaction.as_deref();
    last.map(|digest| parse(Some(digest), "an object's last transaction"))
        .transpose()
}
