//! Reading epochs, coins, badges and single objects: everything outside the contract's tables.

use std::time::Duration;

use atoma_domain::ports::{BadgeOnChain, ChainError, ChainIdentity, EpochInfo, ObjectOnChain};
use atoma_domain::{Address, CheckpointNumber, Digest, Epoch, Mist, ObjectId, TimestampMs};
use futures::TryStreamExt as _;
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::proto_to_timestamp_ms;
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_rpc::proto::sui::rpc::v2::owner::OwnerKind;
use sui_sdk_types::StructTag;
use tonic::Code;

use super::sui_chain::SuiChain;
use crate::connection::reference;
use crate::layout::{Coin, NodeBadge};
use crate::refusal::read_error;
use crate::response::{malformed, parse};

/// Objects per page of a list: the maximum that a node returns.
const PAGE_SIZE: u32 = 1_000;

/// How long to wait for the height. Readiness asks for it and gives up after two seconds, without
/// knowing the node's address.
const HEIGHT_TIMEOUT: Duration = Duration::from_millis(1_800);

impl SuiChain {
    /// The digest of the chain's first checkpoint. Unlike [`Chain::identity`], says nothing about the
    /// contract.
    ///
    /// # Errors
    /// When the node can't be reached.
    ///
    /// [`Chain::identity`]: atoma_domain::ports::Chain::identity
    pub async fn chain_id(&self) -> Result<Digest, ChainError> {
        self.connection.identify().await
    }

    /// The lowest checkpoint that the node still has.
    ///
    /// # Errors
    /// When the node can't be reached, or doesn't say.
    pub async fn lowest_checkpoint(&self) -> Result<CheckpointNumber, ChainError> {
        let info = self.connection.service_info().await?;
        info.lowest_available_checkpoint
            .map(CheckpointNumber::new)
            .ok_or(malformed("the lowest available checkpoint"))
    }

    /// Whether following the ledger has found that the node has no calls that list it, so that whole checkpoints are
    /// read.
    pub fn lacks_lists(&self) -> bool {
        self.connection.lacks_lists()
    }

    pub(super) async fn read_identity(&self) -> Result<ChainIdentity, ChainError> {
        let chain_id = self.chain_id().await?;
        self.known
            .package_checked
            .get_or_try_init(|| self.check_package())
            .await?;
        Ok(ChainIdentity {
            chain_id,
            atoma_db_id: self.config.atoma_db_id,
        })
    }

    /// Checks that the package is a version of the one that defines the AtomaDb, if the node lists them.
    async fn check_package(&self) -> Result<(), ChainError> {
        let package = self.facts().await?.defining_package;
        let versions = self.connection.package_versions(package).await?;
        match versions {
            Some(versions) if !versions.contains(&self.config.package_id) => {
                Err(ChainError::Contract {
                    setting: "package_id",
                    problem: format!(
                        "{} is no version of the package that defines the AtomaDb; the latest is {}",
                        self.config.package_id,
                        versions.last().unwrap_or(&package)
                    ),
                })
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn read_height(&self) -> Result<CheckpointNumber, ChainError> {
        // A connection that is being opened has no other limit than the system's.
        let info = tokio::time::timeout(HEIGHT_TIMEOUT, self.connection.service_info())
            .await
            .map_err(|_| ChainError::from(self.connection.gate().timeout()))??;
        self.connection.check_fresh(&info)?;
        info.checkpoint_height
            .map(CheckpointNumber::new)
            .ok_or(malformed("the checkpoint height"))
    }

    pub(super) async fn read_epoch(&self) -> Result<EpochInfo, ChainError> {
        let epoch = self
            .connection
            .epoch(
                None,
                &[
                    "epoch",
                    "reference_gas_price",
                    "start",
                    "system_state.parameters.epoch_duration_ms",
                ],
            )
            .await?
            .ok_or(malformed("the current epoch"))?;
        Ok(EpochInfo {
            epoch: Epoch::new(epoch.epoch.ok_or(malformed("epoch.epoch"))?),
            reference_gas_price: Mist::new(
                epoch
                    .reference_gas_price
                    .ok_or(malformed("epoch.reference_gas_price"))?,
            ),
            starts_at: epoch.start.and_then(milliseconds),
            ends_at: expected_end(&epoch),
        })
    }

    pub(super) async fn read_checkpoint_time(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<TimestampMs, ChainError> {
        let read = self.checkpoint(checkpoint).await?;
        read.map(|(_, at)| at)
            .ok_or(malformed("the requested checkpoint"))
    }

    /// The digest and the time of a checkpoint; `None` if the node does not have it.
    pub(crate) async fn checkpoint(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<Option<(Digest, TimestampMs)>, ChainError> {
        let request = proto::GetCheckpointRequest::by_sequence_number(checkpoint.get())
            .with_read_mask(FieldMask::from_paths(["digest", "summary.timestamp"]));
        let response = self
            .connection
            .client()
            .ledger_client()
            .get_checkpoint(self.connection.timed(request))
            .await;
        let checkpoint = match response {
            Ok(response) => response.into_inner().checkpoint,
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => return Err(read_error(status)),
        };
        let checkpoint = checkpoint.ok_or(malformed("the checkpoint"))?;
        let digest = parse(checkpoint.digest.as_deref(), "a checkpoint's digest")?;
        let at = checkpoint
            .summary
            .and_then(|summary| milliseconds(summary.timestamp?))
            .ok_or(malformed("checkpoint.summary.timestamp"))?;
        Ok(Some((digest, at)))
    }

    /// The version of an object that the node shows as the latest; `None` if it shows none.
    pub(crate) async fn shown_version(&self, id: ObjectId) -> Result<Option<u64>, ChainError> {
        let request =
            proto::GetObjectRequest::new(&id).with_read_mask(FieldMask::from_paths(["version"]));
        let response = self.get_object(request).await?;
        Ok(response
            .and_then(|response| response.object)
            .and_then(|object| object.version))
    }

    /// What the node answers about an object; `None` if it does not have it, or not that version.
    pub(super) async fn get_object(
        &self,
        request: proto::GetObjectRequest,
    ) -> Result<Option<proto::GetObjectResponse>, ChainError> {
        let response = self
            .connection
            .client()
            .ledger_client()
            .get_object(self.connection.timed(request))
            .await;
        match response {
            Ok(response) => Ok(Some(response.into_inner())),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(read_error(status)),
        }
    }

    pub(super) async fn read_badges(
        &self,
        owner: Address,
    ) -> Result<Vec<BadgeOnChain>, ChainError> {
        let badge_type = self.facts().await?.badge_type.clone();
        let objects = self.owned(owner, badge_type).await?;
        let mut badges = objects
            .iter()
            .map(|object| {
                let badge: NodeBadge = contents(object, "a node badge")?;
                Ok(BadgeOnChain {
                    reference: reference(object)?,
                    node_small_id: badge.small_id,
                })
            })
            .collect::<Result<Vec<_>, ChainError>>()?;
        badges.sort_unstable_by_key(|badge| badge.node_small_id);
        Ok(badges)
    }

    /// All objects of a type that an address owns.
    pub(super) async fn owned(
        &self,
        owner: Address,
        object_type: String,
    ) -> Result<Vec<proto::Object>, ChainError> {
        let request = proto::ListOwnedObjectsRequest::default()
            .with_owner(owner.to_string())
            .with_object_type(object_type)
            .with_page_size(PAGE_SIZE)
            .with_read_mask(FieldMask::from_paths([
                "object_id",
                "version",
                "digest",
                "contents",
            ]));
        let objects: Vec<_> = self
            .connection
            .client()
            .list_owned_objects(self.connection.timed(request))
            .try_collect()
            .await
            .map_err(read_error)?;
        for object in &objects {
            self.connection
                .peers()
                .versions
                .check(&reference(object)?)?;
        }
        Ok(objects)
    }

    pub(super) async fn read_object(
        &self,
        id: ObjectId,
    ) -> Result<Option<ObjectOnChain>, ChainError> {
        let request = proto::GetObjectRequest::new(&id).with_read_mask(FieldMask::from_paths([
            "object_id",
            "version",
            "digest",
            "owner",
            "object_type",
            "contents",
            "previous_transaction",
        ]));
        let Some(response) = self.get_object(request).await? else {
            return Ok(None);
        };
        let object = response.object.ok_or(malformed("the object"))?;
        let writer = object
            .previous_transaction
            .as_deref()
            .map(|digest| parse(Some(digest), "an object's last transaction"))
            .transpose()?;
        let owner = object.owner.as_ref();
        let owner = owner.filter(|owner| owner.kind() == OwnerKind::Address);
        let is_coin = object.object_type().parse() == Ok(StructTag::gas_coin());
        let coin: Option<Coin> = is_coin.then(|| contents(&object, "a coin")).transpose()?;
        let shown = reference(&object)?;
        self.connection.peers().versions.check(&shown)?;
        Ok(Some(ObjectOnChain {
            reference: shown,
            owner: owner
                .map(|owner| parse(Some(owner.address()), "an object's owner"))
                .transpose()?,
            last_transaction: writer,
            balance: coin.map(|coin| Mist::new(coin.balance)),
        }))
    }
}

/// When an epoch is expected to end. The network ends it with a transaction, which can come later.
fn expected_end(epoch: &proto::Epoch) -> Option<TimestampMs> {
    let start = milliseconds(epoch.start?)?;
    let parameters = epoch.system_state.as_ref()?.parameters.as_ref()?;
    let end = start.get().checked_add(parameters.epoch_duration_ms?)?;
    Some(TimestampMs::new(end))
}

fn milliseconds(timestamp: prost_types::Timestamp) -> Option<TimestampMs> {
    proto_to_timestamp_ms(timestamp).ok().map(TimestampMs::new)
}

pub(super) fn contents<T: serde::de::DeserializeOwned>(
    object: &proto::Object,
    what: &'static str,
) -> Result<T, ChainError> {
    object
        .contents
        .as_ref()
        .and_then(|contents| contents.value.as_deref())
        .and_then(|bytes| bcs::from_bytes(bytes).ok())
        .ok_or(malformed(what))
}
