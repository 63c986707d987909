//! Recognizing and decoding the contract's events.

use atoma_domain::events::{ContractEvent, EventError};
use atoma_domain::ports::{ChainError, EventSetAside, MAX_SET_ASIDE_BYTES};
use atoma_domain::{Digest, ObjectId, with_causes};
use bytes::Bytes;
use sui_rpc::proto::sui::rpc::v2 as proto;

use crate::response::malformed;

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

    /// The contract's events among a transaction's, in order. Those that this version can't read are set
    /// aside: neither a new type of event nor a damaged one stops the ledger.
    ///
    /// # Errors
    /// When the node left out an event's type or contents, so that another answer may have them.
    pub(crate) fn decode(
        &self,
        events: &[proto::Event],
        transaction: Digest,
    ) -> Result<Decoded, ChainError> {
        let mut decoded = Decoded::default();
        for (index, event) in (0..).zip(events) {
            match self.one(event)? {
                None => {}
                Some(Ok(event)) => decoded.events.push(event),
                Some(Err(error)) => {
                    let event_type = event.event_type();
                    tracing::error!(
                        %transaction,
                        event_index = index,
                        event_type,
                        error = with_causes(&error),
                        "setting aside an event of the contract that this version can't read"
                    );
                    decoded
                        .set_aside
                        .push(set_aside(index, event_type, contents(event)?, &error));
                }
            }
        }
        Ok(decoded)
    }

    /// The events of an executed transaction that can be read; the others are logged.
    pub(crate) fn decode_leniently(
        &self,
        events: &[proto::Event],
        transaction: Digest,
    ) -> Vec<ContractEvent> {
        let decoded = events.iter().filter_map(|event| {
            let error = match self.one(event) {
                Ok(None) => return None,
                Ok(Some(Ok(event))) => return Some(event),
                Ok(Some(Err(error))) => with_causes(&error),
                Err(error) => with_causes(&error),
            };
            tracing::error!(
                %transaction,
                event_type = event.event_type.as_deref(),
                error,
                "an event of an executed transaction can't be decoded"
            );
            None
        });
        decoded.collect()
    }

    /// An event, or why it can't be read; `None` if it is not the contract's.
    fn one(
        &self,
        event: &proto::Event,
    ) -> Result<Option<Result<ContractEvent, EventError>>, ChainError> {
        let event_type = event
            .event_type
            .as_deref()
            .ok_or(malformed("an event's type"))?;
        let Some(name) = self.name(event_type) else {
            return Ok(None);
        };
        Ok(Some(ContractEvent::decode(name, contents(event)?)))
    }

    /// The name in an event's type, if the contract defines it. Read from the text alone: a type that a later
    /// version of Move spells differently is still recognised as the contract's.
    fn name<'t>(&self, event_type: &'t str) -> Option<&'t str> {
        let (package, rest) = event_type.split_once("::")?;
        let (module, name) = rest.split_once("::")?;
        let package: ObjectId = package.parse().ok()?;
        (self.packages.contains(&package) && module == crate::abi::MODULE).then_some(name)
    }
}

/// What a transaction's events are to this version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) events: Vec<ContractEvent>,
    pub(crate) set_aside: Vec<EventSetAside>,
}

fn contents(event: &proto::Event) -> Result<&[u8], ChainError> {
    let contents = event.contents.as_ref();
    contents
        .and_then(|contents| contents.value.as_deref())
        .ok_or(malformed("an event's contents"))
}

fn set_aside(index: u64, event_type: &str, contents: &[u8], error: &EventError) -> EventSetAside {
    let mut event_type = event_type.to_owned();
    let end = (0..=MAX_SET_ASIDE_BYTES)
        .rev()
        .find(|end| event_type.is_char_boundary(*end));
    event_type.truncate(end.unwrap_or_default());
    let kept = contents.get(..MAX_SET_ASIDE_BYTES).unwrap_or(contents);
    EventSetAside {
        index,
        event_type,
        contents: Bytes::copy_from_slice(kept),
        reason: with_causes(error),
    }
}

#[cfg(test)]
mod tests;
