//! A transaction record whose parts are decoded on demand.

use std::cell::OnceCell;

use atoma_domain::with_causes;
use sui_sdk_types::{
    SignedTransaction, TransactionEffects, TransactionEffectsV2, TransactionEvents,
};
use tonic::Status;

use crate::chain::{LedgerError, TransactionRecord};

/// A record and the parts decoded so far.
#[derive(Debug)]
pub(crate) struct DecodedTransaction<'a> {
    record: &'a TransactionRecord,
    signed: OnceCell<SignedTransaction>,
    effects: OnceCell<TransactionEffects>,
    events: OnceCell<Option<TransactionEvents>>,
}

impl<'a> DecodedTransaction<'a> {
    pub(crate) fn new(record: &'a TransactionRecord) -> Self {
        Self {
            record,
            signed: OnceCell::new(),
            effects: OnceCell::new(),
            events: OnceCell::new(),
        }
    }

    pub(crate) fn record(&self) -> &'a TransactionRecord {
        self.record
    }

    pub(crate) fn signed(&self) -> Result<&SignedTransaction, Status> {
        once(&self.signed, || self.record.signed())
    }

    pub(crate) fn effects(&self) -> Result<&TransactionEffects, Status> {
        once(&self.effects, || self.record.effects())
    }

    /// The effects, in the only version that this network writes.
    pub(crate) fn effects_v2(&self) -> Result<&TransactionEffectsV2, Status> {
        match self.effects()? {
            TransactionEffects::V2(effects) => Ok(effects),
            TransactionEffects::V1(_) => Err(Status::data_loss(
                "the ledger contains effects of version 1",
            )),
        }
    }

    pub(crate) fn events(&self) -> Result<Option<&TransactionEvents>, Status> {
        Ok(once(&self.events, || self.record.events())?.as_ref())
    }
}

/// The status for a record that can't be read or decoded.
pub(crate) fn lost(error: LedgerError) -> Status {
    Status::data_loss(with_causes(&error))
}

fn once<T>(
    cell: &OnceCell<T>,
    decode: impl FnOnce() -> Result<T, bcs::Error>,
) -> Result<&T, Status> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = decode()
        .map_err(|error| Status::data_loss(format!("a ledger record can't be decoded: {error}")))?;
    Ok(cell.get_or_init(|| value))
}
