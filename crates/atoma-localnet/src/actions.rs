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
use crate::action_builder::{ActionArgument, ActionBuilder, BuildActionError};
use crate::chain::coin_balance;
use crate::config::CHECKPOINT_ON_STEP;
use crate::core::{ExecuteError, NetworkCore, Origin};
use crate::execution::limits::REFERENCE_GAS_PRICE;

/// The gas budget of each of these transactions, in MIST.
const BUDGET: u64 = 5_000_000_000;
/// The coin used last is used again while its balance is above this, without looking for a larger
/// one.
const AMPLE_BALANCE: u64 = 1_000_000_000_000_000;

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

/// A task to create. The fields are the contract's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTask {
    /// 0 to 7.
    pub role: u16,
    /// The model served, if any.
    #[serde(default)]
    pub model_name: Option<String>,
    /// 0 none, 1 confidential compute, 2 sampling consensus.
    pub security_level: u16,
    /// The lowest reputation with which a node may subscribe.
    #[serde(default)]
    pub minimum_reputation_score: Option<u8>,
    /// Whether any node may subscribe.
    pub is_public: bool,
}

/// A model to add. The fields are the contract's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewModel {
    /// Its name, in ASCII.
    pub model_name: String,
    /// The contract's number for the kind of output.
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
    /// Compute units per stack.
    pub num_compute_units: u64,
    /// Micro-USDC per million compute units.
    pub price: u64,
    /// The number of stacks; 1 by default.
    #[serde(default = "one")]
    pub count: u64,
    /// The node that the contract selects; by default it is drawn among the eligible nodes.
    #[serde(default)]
    pub node_small_id: Option<NodeSmallId>,
}

const fn one() -> u64 {
    1
}

/// Parameters of the contract that the manager sets; those left out stay unchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// The probability that a settlement draws attesters.
    pub cross_validation_probability_permille: Option<u64>,
    /// The number of attesters per draw.
    pub cross_validation_extra_nodes_count: Option<u64>,
    /// The price of a stack of a sampling-consensus task, relative to its compute units' price.
    pub sampling_consensus_charge_permille: Option<u64>,
    /// The surcharge for attesters on top of that.
    pub cross_validation_extra_nodes_charge_permille: Option<u64>,
    /// The share of its collateral that a node loses for a missed attestation.
    pub permille_to_slash_node_on_timeout: Option<u64>,
}

impl NetworkCore {
    /// Signs and executes an account's transaction, and returns the contract's events.
    pub(crate) fn act(
        &self,
        account: &Account,
        builder: ActionBuilder,
        selected_node: Option<NodeSmallId>,
    ) -> Result<Vec<ContractEvent>, ActionError> {
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
                price: REFERENCE_GAS_PRICE,
                budget: BUDGET,
            },
            expiration: TransactionExpiration::None,
        };
        let signed = account.sign(transaction)?;
        let position = self.submit(signed, Origin::Control(selected_node))?;
        self.checkpoint_actions()?;
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

    /// Makes a checkpoint, so that clients that follow the ledger see the action.
    fn checkpoint_actions(&self) -> Result<(), ActionError> {
        if self.config.checkpoint_ms != CHECKPOINT_ON_STEP {
            self.checkpoint(false).map_err(ExecuteError::from)?;
        }
        Ok(())
    }

    /// An account's largest coin. The coin used last is used again while its balance is ample,
    /// because scanning all objects of an account is slow once it owns thousands of stacks.
    fn largest_coin(
        &self,
        owner: Address,
        coin_type: &TypeTag,
    ) -> Result<ObjectReference, ActionError> {
        let ledger = self.ledger();
        let balance_of = |object: &Object| {
            let (found, balance) = coin_balance(object)?;
            let is_owned = *object.owner() == Owner::Address(owner);
            (found == *coin_type && is_owned).then_some(balance)
        };
        let mut last_coins = self.last_coins();
        let key = (owner, coin_type.to_string());
        let last = last_coins
            .get(&key)
            .and_then(|id| ledger.objects().live(id))
            .filter(|coin| balance_of(coin).is_some_and(|balance| balance > AMPLE_BALANCE));
        let coin = match last {
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
        last_coins.insert(key, coin.object_id());
        Ok(ObjectReference::new(
            coin.object_id(),
            coin.version(),
            coin.digest(),
        ))
    }

    /// Sends the faucet's coins to an address, one object per amount.
    pub(crate) fn give(
        &self,
        to: Address,
        sui_mist: &[u64],
        usdc: Option<u64>,
    ) -> Result<(), ActionError> {
        let faucet = &self.accounts.faucet;
        let mut builder = ActionBuilder::default();
        for amount in sui_mist {
            builder.pay(Argument::Gas, *amount, to)?;
        }
        if let Some(amount) = usdc {
            let coin = self.largest_coin(faucet.address, &self.contract.usdc())?;
            let coin = builder.object(self, *coin.object_id(), true)?;
            builder.pay(coin, amount, to)?;
        }
        if builder.commands.is_empty() {
            return Ok(());
        }
        self.act(faucet, builder, None).map(|_| ())
    }

    pub(crate) fn create_task(&self, task: &NewTask) -> Result<TaskSmallId, ActionError> {
        let mut builder = ActionBuilder::default();
        let arguments = vec![
            ActionArgument::Implied,
            ActionArgument::Object(self.manager_badge()?),
            ActionArgument::pure(&task.role)?,
            ActionArgument::pure(&task.model_name)?,
            ActionArgument::pure(&Some(task.security_level))?,
            ActionArgument::pure(&task.minimum_reputation_score)?,
            ActionArgument::pure(&task.is_public)?,
        ];
        builder.call(self, "create_task_entry", arguments)?;
        self.act(&self.accounts.manager, builder, None)?
            .iter()
            .find_map(|event| match event {
                ContractEvent::TaskRegistered(event) => Some(event.task_small_id),
                _ => None,
            })
            .ok_or_else(|| ActionError::Missing("the transaction created no task".to_owned()))
    }

    /// Adds a model and its echelons in one transaction. Nothing is bought through them, so their
    /// fees are the lowest that the contract allows.
    pub(crate) fn create_model(&self, model: &NewModel) -> Result<(), ActionError> {
        const LOWEST: u64 = 1;
        let badge = self.manager_badge()?;
        let name = &model.model_name;
        let mut builder = ActionBuilder::default();
        let arguments = vec![
            ActionArgument::Implied,
            ActionArgument::Object(badge),
            ActionArgument::pure(name)?,
            ActionArgument::pure(&model.modality)?,
        ];
        builder.call(self, "add_model_entry", arguments)?;
        for echelon in &model.echelon_ids {
            let mut arguments = vec![ActionArgument::Implied, ActionArgument::Object(badge)];
            arguments.extend([ActionArgument::pure(name)?, ActionArgument::pure(echelon)?]);
            // Input fee, output fee, relative performance.
            arguments.extend(
                [LOWEST; 3]
                    .iter()
                    .map(ActionArgument::pure)
                    .collect::<Result<Vec<_>, _>>()?,
            );
            builder.call(self, "add_model_echelon_entry", arguments)?;
        }
        self.act(&self.accounts.manager, builder, None).map(|_| ())
    }

    pub(crate) fn buy_stacks(&self, purchase: &Purchase) -> Result<Vec<StackSmallId>, ActionError> {
        let buyer = &self.accounts.buyer;
        let mut stacks = Vec::new();
        for _ in 0..purchase.count {
            let wallet = self.largest_coin(buyer.address, &self.contract.usdc())?;
            let mut builder = ActionBuilder::default();
            let arguments = vec![
                ActionArgument::Implied,
                ActionArgument::Object(*wallet.object_id()),
                ActionArgument::pure(&purchase.task_small_id)?,
                ActionArgument::pure(&purchase.num_compute_units)?,
                ActionArgument::pure(&purchase.price)?,
                ActionArgument::Implied,
            ];
            builder.call(self, "acquire_new_stack_entry", arguments)?;
            let events = self.act(buyer, builder, purchase.node_small_id)?;
            let stack = events.iter().find_map(|event| match event {
                ContractEvent::StackCreated(event) => Some(event.stack_small_id),
                _ => None,
            });
            stacks.push(stack.ok_or_else(|| {
                ActionError::Missing("the transaction created no stack".to_owned())
            })?);
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
        let mut builder = ActionBuilder::default();
        for (function, value) in settings {
            if let Some(value) = value {
                let arguments = vec![
                    ActionArgument::Implied,
                    ActionArgument::Object(badge),
                    ActionArgument::pure(&value)?,
                ];
                builder.call(self, function, arguments)?;
            }
        }
        if builder.commands.is_empty() {
            return Ok(());
        }
        self.act(&self.accounts.manager, builder, None).map(|_| ())
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
