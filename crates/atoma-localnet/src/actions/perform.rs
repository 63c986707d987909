//! Signing and executing an action.

use std::sync::Arc;

use atoma_domain::events::ContractEvent;
use atoma_domain::{NodeSmallId, ObjectId};
use sui_sdk_types::{
    Address, Event, ExecutionError, ExecutionStatus, GasPayment, Object, ObjectReference, Owner,
    ProgrammableTransaction, StructTag, Transaction, TransactionExpiration, TransactionKind,
    TypeTag,
};

use crate::accounts::Account;
use crate::action_builder::{ActionArgument, ActionBuilder, BuildActionError};
use crate::config::CHECKPOINT_ON_STEP;
use crate::core::{ExecuteError, NetworkCore, Origin};

/// An action failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActionError {
    /// The network refused the transaction, or the ledger failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The transaction was executed and failed.
    #[error("the transaction failed: {0:?}")]
    Failed(Box<ExecutionError>),
    /// Something that the action needs does not exist.
    #[error("{0}")]
    Missing(String),
    /// The transaction could not be built.
    #[error(transparent)]
    Build(#[from] BuildActionError),
    /// A value could not be encoded or decoded.
    #[error("the transaction could not be built")]
    Bcs(#[from] bcs::Error),
    /// The transaction could not be signed.
    #[error("the transaction could not be signed")]
    Sign(#[from] sui_crypto::SignatureError),
}

impl NetworkCore {
    /// Signs and executes an account's transaction, and returns the contract's events.
    pub(crate) fn act(
        &self,
        account: &Account,
        builder: ActionBuilder,
        selected_node: Option<NodeSmallId>,
    ) -> Result<Vec<ContractEvent>, ActionError> {
        let position = self.perform(account, builder, selected_node)?;
        let record = self.ledger().record(position).map_err(ExecuteError::from)?;
        let events = record.events()?;
        Ok(events
            .map(|events| events.0)
            .unwrap_or_default()
            .iter()
            .filter_map(contract_event)
            .collect())
    }

    /// Signs and executes an account's transaction, and returns its position in the ledger.
    pub(super) fn perform(
        &self,
        account: &Account,
        builder: ActionBuilder,
        selected_node: Option<NodeSmallId>,
    ) -> Result<usize, ActionError> {
        let gas = self.largest_coin(account.address, &StructTag::sui().into())?;
        let transaction = Transaction {
            kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
                inputs: builder.inputs,
                commands: builder.commands,
            }),
            sender: account.address,
            gas_payment: GasPayment {
                objects: vec![gas],
                owner: account.address,
                price: self.ledger().epoch().reference_gas_price,
                budget: builder.budget,
            },
            expiration: TransactionExpiration::None,
        };
        let signed = account.sign(transaction)?;
        let position = self.submit(signed, Origin::Control(selected_node))?;
        self.checkpoint_actions()?;
        match self.status_of(position) {
            Some((_, ExecutionStatus::Success)) => Ok(position),
            Some((_, ExecutionStatus::Failure { error, .. })) => {
                Err(ActionError::Failed(Box::new(error)))
            }
            None => Err(ActionError::Missing("the transaction was lost".to_owned())),
        }
    }

    /// Calls a function of the contract as an account, and returns the contract's events.
    pub(crate) fn call(
        &self,
        account: &Account,
        function: &'static str,
        arguments: Vec<ActionArgument>,
    ) -> Result<Vec<ContractEvent>, ActionError> {
        let mut builder = ActionBuilder::default();
        builder.call(self, function, arguments)?;
        self.act(account, builder, None)
    }

    /// The account at an address whose key the network holds.
    pub(super) fn held(&self, address: &Address) -> Result<Arc<Account>, ActionError> {
        self.accounts.at(address).ok_or_else(|| {
            ActionError::Missing(format!(
                "the network has no key of {address}; add the account first (POST /accounts)"
            ))
        })
    }

    /// The first object that an address owns of a type of the contract and that passes `is_wanted`.
    pub(super) fn owned_struct(
        &self,
        owner: &Address,
        name: &str,
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Option<ObjectId> {
        self.ledger()
            .objects()
            .owned_by(owner, |tag| tag.name().as_str() == name)
            .find(|object| {
                let data = object.as_struct();
                data.is_some_and(|data| is_wanted(data.contents()))
            })
            .map(|object| object.object_id())
    }

    /// Makes a checkpoint, so that clients that follow the ledger see the action.
    fn checkpoint_actions(&self) -> Result<(), ActionError> {
        if self.config.checkpoint_ms != CHECKPOINT_ON_STEP {
            self.checkpoint(false).map_err(ExecuteError::from)?;
        }
        Ok(())
    }

    /// An account's largest coin.
    pub(super) fn largest_coin(
        &self,
        owner: Address,
        coin_type: &TypeTag,
    ) -> Result<ObjectReference, ActionError> {
        let ledger = self.ledger();
        let is_owned = |coin: &Arc<Object>| *coin.owner() == Owner::Address(owner);
        let mut coins = ledger.objects().coins(&owner, coin_type);
        let coin = coins
            .find_map(|(_, id)| ledger.objects().live(&id).filter(is_owned))
            .ok_or_else(|| ActionError::Missing(format!("{owner} has no coin of {coin_type}")))?;
        Ok(ObjectReference::new(
            coin.object_id(),
            coin.version(),
            coin.digest(),
        ))
    }
}

fn contract_event(event: &Event) -> Option<ContractEvent> {
    ContractEvent::decode(event.type_.name().as_str(), &event.contents).ok()
}
