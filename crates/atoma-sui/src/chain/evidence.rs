//! What proves a transaction dead: who consumed a version, and a ledger that is whole and lacks it.
//!
//! One address can be that of several nodes, of which some lag. So coverage is asked for before a
//! reading, and what the answering node says of itself in the reading's own headers must bear it out.

use atoma_domain::ports::{ChainError, Consumption, Until};
use atoma_domain::{Digest, Epoch, ObjectId, ObjectReference};
use sui_rpc::client::ResponseExt;
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2::changed_object::InputObjectState;
use sui_rpc::proto::sui::rpc::v2::filter::transaction::affected_object;
use sui_rpc::proto::sui::rpc::v2::{self as proto, QueryEndReason, TransactionFilter};
use tonic::Code;
use tracing::debug;

use super::SuiChain;
use crate::connection::{OBJECTS_A_CALL, reference};
use crate::history::Stretch;
use crate::outcome::{lacks, parse};
use crate::refusal::{is_absence, read_error};

/// How many transactions of an object are gone back at most to find who consumed a version.
const MOST_STEPS: usize = 32;

/// An object's latest version as a node showed it.
#[derive(Debug)]
struct Latest {
    version: u64,
    last: Option<Digest>,
}

impl SuiChain {
    pub(super) async fn read_consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        // Before the objects: what the node had executed by then, they show.
        let now = self
            .connection
            .epoch(None, &["epoch", "first_checkpoint"])
            .await?
            .ok_or(lacks("the current epoch"))?;
        let epoch = Epoch::new(now.epoch.ok_or(lacks("epoch.epoch"))?);
        let mut told = Vec::with_capacity(versions.len());
        for chunk in versions.chunks(OBJECTS_A_CALL) {
            let (latest, is_current) = self.latest(chunk, &now).await?;
            for (used, latest) in chunk.iter().zip(latest) {
                told.push(match latest {
                    Some(Latest { version, .. }) if version == used.version() && is_current => {
                        Consumption::Current(epoch)
                    }
                    Some(Latest { version, last }) if version > used.version() => {
                        let last = last.ok_or(lacks("an object's last transaction"))?;
                        self.consumer(used, last).await
                    }
                    Some(_) => Consumption::Unseen,
                    None => self.consumer_of_gone(used).await,
                });
            }
        }
        Ok(told)
    }

    /// The objects' latest versions, in order, and whether the node that showed them had executed
    /// all that precedes the epoch.
    async fn latest(
        &self,
        versions: &[ObjectReference],
        now: &proto::Epoch,
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
        let answer = self
            .connection
            .client()
            .ledger_client()
            .batch_get_objects(self.connection.timed(request))
            .await
            .map_err(read_error)?;
        // Another node may have told the epoch: without its own headers this one may lag.
        let is_current =
            Stretch::before(now).is_some_and(|past| past.is_reached_by_answer(&answer));
        let objects = answer.into_inner().objects;
        if objects.len() != versions.len() {
            return Err(lacks("one result for each object"));
        }
        let latest = versions.iter().zip(objects).map(|(used, result)| {
            let Ok(object) = result.to_result() else {
                return Ok(None);
            };
            let shown = reference(&object)?;
            if shown.object_id() != used.object_id() {
                return Err(lacks("the object that was asked for"));
            }
            Ok(Some(Latest {
                version: shown.version(),
                last: last_transaction(&object)?,
            }))
        });
        Ok((latest.collect::<Result<_, _>>()?, is_current))
    }

    /// Goes back along the object's versions to the transaction that consumed this one, as far as
    /// the node's history goes.
    async fn consumer(&self, used: &ObjectReference, last: Digest) -> Consumption {
        match self.find_consumer(used, last).await {
            Ok(Some(digest)) => Consumption::By(digest),
            Ok(None) => Consumption::Past { last },
            Err(error) => {
                debug!(object = %used.object_id(), %error, "the object's past can't be read");
                Consumption::Past { last }
            }
        }
    }

    /// Who consumed a version of an object that the node does not show: the object may be gone, or
    /// not known yet. Only who took in this very version is told. What else is in the node's index
    /// proves nothing: it may be from before the version.
    async fn consumer_of_gone(&self, used: &ObjectReference) -> Consumption {
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
                debug!(object = %used.object_id(), %error, "the object's end can't be read");
                Consumption::Unseen
            }
        }
    }

    /// The last transaction that touched an object, as far as the node's index of the ledger tells.
    async fn last_in_index(&self, object: ObjectId) -> Result<Option<Digest>, ChainError> {
        let mut before = None;
        for _ in 0..MOST_STEPS {
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

    /// The frame of a list that has an item, or else its last.
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
        for _ in 0..MOST_STEPS {
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

    /// The version of an object that a transaction took in; `None` when the transaction isn't kept,
    /// or the object was not there before it.
    async fn input_version(
        &self,
        transaction: Digest,
        object: ObjectId,
    ) -> Result<Option<u64>, ChainError> {
        let mask = ["effects.changed_objects"];
        let effects = match self.get_transaction(transaction, &mask).await {
            Ok(transaction) => transaction.effects.ok_or(lacks("effects"))?,
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => return Err(read_error(status)),
        };
        let id = object.to_string();
        let change = effects.changed_objects.iter();
        Ok(change
            .filter(|change| change.input_state() == InputObjectState::Exists)
            .find(|change| change.object_id() == id)
            .and_then(|change| change.input_version))
    }

    /// The transaction that wrote a version of an object; `None` when that version isn't kept.
    async fn writer(&self, object: ObjectId, version: u64) -> Result<Option<Digest>, ChainError> {
        let request = proto::GetObjectRequest::new(&object)
            .with_version(version)
            .with_read_mask(FieldMask::from_paths(["version", "previous_transaction"]));
        let answer = self
            .connection
            .client()
            .ledger_client()
            .get_object(self.connection.timed(request))
            .await;
        match answer {
            Ok(answer) => {
                let object = answer.into_inner().object.ok_or(lacks("the object"))?;
                if object.version != Some(version) {
                    return Err(lacks("the version that was asked for"));
                }
                last_transaction(&object)
            }
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(read_error(status)),
        }
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
            .ok_or(lacks("epoch.first_checkpoint"))?;
        let stretch = Stretch { first, last };
        // Before the look-up: what the node had executed by then, the look-up finds.
        if !stretch.is_reached(&self.connection.service_info().await?)? {
            return Ok(false);
        }
        let status = match self.get_transaction(digest, &["digest"]).await {
            Ok(_) => return Ok(false),
            Err(status) if is_absence(&status, digest) => status,
            Err(status) => return Err(read_error(status)),
        };
        if status.checkpoint_height().is_some() && !stretch.is_reached_by_answer(&status) {
            return Ok(false);
        }
        if let Some(lowest) = status.lowest_available_checkpoint() {
            stretch.is_kept_from(lowest)?;
        }
        // After it: what is kept by now was not thrown away by then.
        stretch.is_kept(&self.connection.service_info().await?)?;
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
