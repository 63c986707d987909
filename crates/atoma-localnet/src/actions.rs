//! Transactions of the network's own accounts: the faucet, the manager and the buyer.

use atoma_domain::events::ContractEvent;
use atoma_domain::{EchelonId, NodeSmallId, ObjectId, StackSmallId, TaskSmallId};
use serde::{Deserialize, Serialize};
use sui_sdk_types::{
    Address, Argument, Event, ExecutionError, ExecutionStatus, GasPayment, Object, ObjectReference,
    Owner, ProgrammableTransaction, StructTag, Transaction, TransactionExpiration, TransactionKind,
    TypeTag,
};

use crate::accounts::Account;
use crate::chain::coin_balance;
use crate::config::CHECKPOINT_ON_STEP;
use crate::core::{Core, Origin, SubmitError};
use crate::drafts::{Draft, Value};
use crate::execution::limits::REFERENCE_GAS_PRICE;

/// MIST that each of these transactions may cost.
const BUDGET: u64 = 5_000_000_000;
/// A coin with more than this is taken without looking for a larger one.
const PLENTY: u64 = 1_000_000_000_000_000;

/// Why an action did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActionError {
    /// The network refused or failed.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The transaction was executed and failed.
    #[error("the transaction failed: {0:?}")]
    Failed(Box<ExecutionError>),
    /// Something that the action needs is not there.
    #[error("{0}")]
    Missing(String),
    /// The transaction has no form.
    #[error("the transaction could not be built")]
    Build(#[from] bcs::Error),
    /// The transaction could not be signed.
    #[error("the transaction could not be signed")]
    Sign(#[from] sui_crypto::SignatureError),
}

/// A task to create, with the contract's parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTask {
    /// 0 to 7.
    pub role: u16,
    /// The model served, if the task is about one.
    #[serde(default)]
    pub model_name: Option<String>,
    /// 0 none, 1 confidential compute, 2 sampling consensus.
    pub security_level: u16,
    /// The least reputation of a node that may subscribe.
    #[serde(default)]
    pub minimum_reputation_score: Option<u8>,
    /// Whether any node may subscribe.
    pub is_public: bool,
}

/// A model to add, with the contract's parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewModel {
    /// Its name, in ASCII.
    pub model_name: String,
    /// What it makes, by the contract's number.
    #[serde(default)]
    pub modality: u64,
    /// The echelons in which nodes may offer it.
    pub echelon_ids: Vec<EchelonId>,
}

/// Stacks to buy as the built-in buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// The task.
    pub task_small_id: TaskSmallId,
    /// Compute units in each stack.
    pub num_compute_units: u64,
    /// Micro-USDC for a million compute units.
    pub price: u64,
    /// How many stacks; 1 if left out.
    #[serde(default = "one")]
    pub count: u64,
    /// The node that the contract is made to select; drawn among the eligible if left out.
    #[serde(default)]
    pub node_small_id: Option<NodeSmallId>,
}

const fn one() -> u64 {
    1
}

/// Numbers of the contract that the manager sets; what is left out stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Probability of a draw of attesters.
    pub cross_validation_probability_permille: Option<u64>,
    /// Attesters to each draw.
    pub cross_validation_extra_nodes_count: Option<u64>,
    /// Price of a stack of a sampling-consensus task.
    pub sampling_consensus_charge_permille: Option<u64>,
    /// What is paid on top of it for attesters.
    pub cross_validation_extra_nodes_charge_permille: Option<u64>,
    /// The part of its collateral that a node loses with a missed attestation.
    pub permille_to_slash_node_on_timeout: Option<u64>,
}

impl Core {
    /// Signs and executes a draft for an account, and returns the contract's events.
    pub(crate) fn act(
        &self,
        account: &Account,
        draft: Draft,
        selected_node: Option<NodeSmallId>,
    ) -> Result<Vec<ContractEvent>, ActionError> {
        let gas = self.largest_coin(account.address, &StructTag::sui().into())?;
        let transaction = Transaction {
            kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
                inputs: draft.inputs,
                commands: draft.commands,
            }),
            sender: account.address,
            gas_payment: GasPayment {
                objects: vec![gas],
                owner: account.address,
                price: REFERENCE_GAS_PRICE,
                budget: BUDGET,
            },
            expiration: TransactionExpiration::None,
        };
        let signed = account.sign(transaction)?;
        let position = self.submit(signed, Origin::Control(selected_node))?;
        self.show()?;
        match self.status_of(position) {
            Some((_, ExecutionStatus::Success)) => {}
            Some((_, ExecutionStatus::Failure { error, .. })) => {
                return Err(ActionError::Failed(Box::new(error)));
            }
            None => return Err(ActionError::Missing("the transaction was lost".to_owned())),
        }
        let events = self
            .ledger()
            .transaction_at(position)
            .map(|record| record.events())
            .transpose()?
            .flatten();
        Ok(events
            .map(|events| events.0)
            .unwrap_or_default()
            .iter()
            .filter_map(contract_event)
            .collect())
    }

    /// Puts what was done into a checkpoint, so that those who follow the ledger see it.
    fn show(&self) -> Result<(), ActionError> {
        if self.config.checkpoint_ms != CHECKPOINT_ON_STEP {
            self.checkpoint(false).map_err(SubmitError::from)?;
        }
        Ok(())
    }

    /// An account's largest coin. The coin found last is taken again while it holds plenty, since
    /// looking through all that an account owns takes long once it owns thousands of stacks.
    fn largest_coin(
        &self,
        owner: Address,
        coin_type: &TypeTag,
    ) -> Result<ObjectReference, ActionError> {
        let ledger = self.ledger();
        let balance_of = |object: &Object| {
            let (found, balance) = coin_balance(object)?;
            let is_theirs = *object.owner() == Owner::Address(owner);
            (found == *coin_type && is_theirs).then_some(balance)
        };
        let mut purses = self.purses();
        let purse = (owner, coin_type.to_string());
        let known = purses
            .get(&purse)
            .and_then(|id| ledger.objects().live(id))
            .filter(|coin| balance_of(coin).is_some_and(|balance| balance > PLENTY));
        let coin = match known {
            Some(coin) => coin,
            None => ledger
                .objects()
                .owned_by(&owner)
                .filter_map(|object| Some((balance_of(object)?, object)))
                .max_by_key(|(balance, object)| (*balance, object.object_id()))
                .map(|(_, coin)| coin)
                .ok_or_else(|| {
                    ActionError::Missing(format!("{owner} has no coin of {coin_type}"))
                })?,
        };
        purses.insert(purse, coin.object_id());
        Ok(ObjectReference::new(
            coin.object_id(),
            coin.version(),
            coin.digest(),
        ))
    }

    /// Gives coins away, one object of each kind that is asked for.
    pub(crate) fn give(
        &self,
        to: Address,
        sui_mist: &[u64],
        usdc: Option<u64>,
    ) -> Result<(), ActionError> {
        let faucet = &self.accounts.faucet;
        let mut draft = Draft::default();
        for amount in sui_mist {
            draft.pay(Argument::Gas, *amount, to)?;
        }
        if let Some(amount) = usdc {
            let coin = self.largest_coin(faucet.address, &self.contract.usdc())?;
            let coin = draft.object(self, *coin.object_id(), true)?;
            draft.pay(coin, amount, to)?;
        }
        if draft.commands.is_empty() {
            return Ok(());
        }
        self.act(faucet, draft, None).map(|_| ())
    }

    pub(crate) fn create_task(&self, task: &NewTask) -> Result<TaskSmallId, ActionError> {
        let mut draft = Draft::default();
        let values = vec![
            Value::System,
            Value::Object(self.manager_badge()?),
            Value::pure(&task.role)?,
            Value::pure(&task.model_name)?,
            Value::pure(&Some(task.security_level))?,
            Value::pure(&task.minimum_reputation_score)?,
            Value::pure(&task.is_public)?,
        ];
        draft.call(self, "create_task_entry", values)?;
        self.act(&self.accounts.manager, draft, None)?
            .iter()
            .find_map(|event| match event {
                ContractEvent::TaskRegistered(event) => Some(event.task_small_id),
                _ => None,
            })
            .ok_or_else(|| ActionError::Missing("no task came of it".to_owned()))
    }

    /// Adds a model and its echelons in one transaction. Nothing is bought through them, so their
    /// fees are the least that the contract allows.
    pub(crate) fn create_model(&self, model: &NewModel) -> Result<(), ActionError> {
        const LEAST: u64 = 1;
        let badge = self.manager_badge()?;
        let name = &model.model_name;
        let mut draft = Draft::default();
        let values = vec![
            Value::System,
            Value::Object(badge),
            Value::pure(name)?,
            Value::pure(&model.modality)?,
        ];
        draft.call(self, "add_model_entry", values)?;
        for echelon in &model.echelon_ids {
            let mut values = vec![Value::System, Value::Object(badge)];
            values.extend([Value::pure(name)?, Value::pure(echelon)?]);
            // Fee for input, fee for output, relative performance.
            values.extend(
                [LEAST; 3]
                    .iter()
                    .map(Value::pure)
                    .collect::<Result<Vec<_>, _>>()?,
            );
            draft.call(self, "add_model_echelon_entry", values)?;
        }
        self.act(&self.accounts.manager, draft, None).map(|_| ())
    }

    pub(crate) fn buy_stacks(&self, purchase: &Purchase) -> Result<Vec<StackSmallId>, ActionError> {
        let buyer = &self.accounts.buyer;
        let mut stacks = Vec::new();
        for _ in 0..purchase.count {
            let wallet = self.largest_coin(buyer.address, &self.contract.usdc())?;
            let mut draft = Draft::default();
            let values = vec![
                Value::System,
                Value::Object(*wallet.object_id()),
                Value::pure(&purchase.task_small_id)?,
                Value::pure(&purchase.num_compute_units)?,
                Value::pure(&purchase.price)?,
                Value::System,
            ];
            draft.call(self, "acquire_new_stack_entry", values)?;
            let events = self.act(buyer, draft, purchase.node_small_id)?;
            let stack = events.iter().find_map(|event| match event {
                ContractEvent::StackCreated(event) => Some(event.stack_small_id),
                _ => None,
            });
            stacks
                .push(stack.ok_or_else(|| ActionError::Missing("no stack came of it".to_owned()))?);
        }
        Ok(stacks)
    }

    pub(crate) fn set_parameters(&self, parameters: &Parameters) -> Result<(), ActionError> {
        let settings = [
            (
                "set_cross_validation_probability_permille",
                parameters.cross_validation_probability_permille,
            ),
            (
                "set_cross_validation_extra_nodes_count",
                parameters.cross_validation_extra_nodes_count,
            ),
            (
                "set_sampling_consensus_charge_permille",
                parameters.sampling_consensus_charge_permille,
            ),
            (
                "set_cross_validation_extra_nodes_charge_permille",
                parameters.cross_validation_extra_nodes_charge_permille,
            ),
            (
                "set_permille_to_slash_node_on_timeout",
                parameters.permille_to_slash_node_on_timeout,
            ),
        ];
        let badge = self.manager_badge()?;
        let mut draft = Draft::default();
        for (function, value) in settings {
            if let Some(value) = value {
                let values = vec![Value::System, Value::Object(badge), Value::pure(&value)?];
                draft.call(self, function, values)?;
            }
        }
        if draft.commands.is_empty() {
            return Ok(());
        }
        self.act(&self.accounts.manager, draft, None).map(|_| ())
    }

    fn manager_badge(&self) -> Result<ObjectId, ActionError> {
        self.ledger()
            .objects()
            .owned_by(&self.accounts.manager.address)
            .find(|object| {
                object
                    .as_struct()
                    .is_some_and(|data| data.object_type().name().as_str() == "AtomaManagerBadge")
            })
            .map(|object| object.object_id())
            .ok_or_else(|| ActionError::Missing("the manager has no badge".to_owned()))
    }
}

fn contract_event(event: &Event) -> Option<ContractEvent> {
    ContractEvent::decode(event.type_.name().as_str(), &event.contents).ok()
}
