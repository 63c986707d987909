//! Recognizing and decoding the contract's events.

use atoma_domain::events::{ContractEvent, EventError};
use atoma_domain::ports::ChainError;
use atoma_domain::{Digest, ObjectId};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::StructTag;

use crate::response::{malformed, parse};

/// The packages whose event types are the contract's: the one that defined the original types, and
/// the one that is called, which defines the types added by an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventTypes {
    packages: [ObjectId; 2],
}

impl EventTypes {
    pub(crate) const fn new(defining_package: ObjectId, called_package: ObjectId) -> Self {
        Self {
            packages: [defining_package, called_package],
        }
    }

    /// The contract's events among a transaction's, in order. Event types unknown to this version
    /// are logged and skipped.
    ///
    /// # Errors
    /// When an event of a known type can't be decoded.
    pub(crate) fn decode(
        &self,
        events: &[proto::Event],
        transaction: Digest,
    ) -> Result<Vec<ContractEvent>, ChainError> {
        let decoded = events
            .iter()
            .filter_map(|event| self.one(event, transaction).transpose());
        decoded.collect()
    }

    /// Like [`decode`](Self::decode), but events that can't be decoded are logged and skipped too.
    pub(crate) fn decode_leniently(
        &self,
        events: &[proto::Event],
        transaction: Digest,
    ) -> Vec<ContractEvent> {
        let decoded = events.iter().filter_map(|event| {
            self.one(event, transaction).unwrap_or_else(|error| {
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    %transaction,
                    event_type = event.event_type.as_deref(),
                    error,
                    "an event of an executed transaction can't be decoded"
                );
                None
            })
        });
        decoded.collect()
    }

    fn one(
        &self,
        event: &proto::Event,
        transaction: Digest,
    ) -> Result<Option<ContractEvent>, ChainError> {
        let event_type: StructTag = parse(event.event_type.as_deref(), "event_type")?;
        if !self.packages.contains(event_type.address())
            || event_type.module().as_str() != crate::abi::MODULE
        {
            return Ok(None);
        }
        let contents = event
            .contents
            .as_ref()
            .and_then(|contents| contents.value.as_deref())
            .ok_or(malformed("an event's contents"))?;
        match ContractEvent::decode(event_type.name().as_str(), contents) {
            Ok(event) => Ok(Some(event)),
            Err(EventError::Unknown(name)) => {
                tracing::warn!(
                    %transaction,
                    name,
                    "skipping an event of an unknown type: the contract may be newer than this daemon"
                );
                Ok(None)
            }
            Err(error) => Err(ChainError::Answer(error.into())),
        }
    }
}

#[cfg(test)]
mod tests;
