//! Coins and stacks: the faucet and the buyers.

use atoma_domain::events::ContractEvent;
use atoma_domain::{Digest, ObjectId, StackSmallId};
use sui_sdk_types::{Address, Argument, ObjectOut, Owner, StructTag, TransactionEffects, TypeTag};

use super::perform::ActionError;
use super::requests::Purchase;
use crate::accounts::Account;
use crate::action_builder::{ActionArgument, ActionBuilder};
use crate::core::{ExecuteError, NetworkCore};
use crate::execution::limits;

/// What an account receives before it acts without any, in MIST and in micro-USDC.
const STARTING_MIST: u64 = 100_000_000_000;
const STARTING_USDC: u64 = 1_000_000_000_000_000;
/// The purchases in one transaction of a bulk purchase. Each adds a child object, of which a transaction
/// may access 1,000.
const STACKS_PER_TRANSACTION: u64 = 500;

/// Coins that the faucet sent.
#[derive(Debug, Clone)]
pub(crate) struct Gift {
    /// The transaction's digest.
    pub(crate) digest: Digest,
    /// The coins.
    pub(crate) coins: Vec<ObjectId>,
}

impl NetworkCore {
    /// Sends the faucet's coins to an address, one object per amount. Without amounts, nothing
    /// happens.
    pub(crate) fn give(
        &self,
        to: Address,
        sui_mist: &[u64],
        usdc: Option<u64>,
    ) -> Result<Option<Gift>, ActionError> {
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
            return Ok(None);
        }
        let position = self.perform(faucet, builder, None)?;
        let record = self.ledger().record(position).map_err(ExecuteError::from)?;
        let TransactionEffects::V2(effects) = record.effects()? else {
            return Err(ActionError::Missing(
                "the effects are of version 1".to_owned(),
            ));
        };
        let coins = effects
            .changed_objects
            .iter()
            .filter(|change| {
                matches!(change.output_state, ObjectOut::ObjectWrite { owner: Owner::Address(owner), .. } if owner == to)
            })
            .map(|change| change.object_id)
            .collect();
        Ok(Some(Gift {
            digest: record.digest,
            coins,
        }))
    }

    /// Buys stacks as an account that then owns them, one transaction per stack.
    pub(crate) fn buy_stacks(
        &self,
        owner: &Address,
        purchase: &Purchase,
    ) -> Result<Vec<StackSmallId>, ActionError> {
        let buyer = self.held(owner)?;
        self.fund(&buyer, true)?;
        let mut stacks = Vec::new();
        for _ in 0..purchase.count {
            stacks.push(self.acquire(&buyer, purchase, 1)?);
        }
        Ok(stacks)
    }

    /// Buys stacks as the built-in buyer, in transactions with as many purchases as one can hold.
    pub(crate) fn buy_stacks_in_bulk(&self, purchase: &Purchase) -> Result<(), ActionError> {
        self.fund(&self.accounts.buyer, true)?;
        let mut missing = purchase.count;
        while missing > 0 {
            let calls = missing.min(STACKS_PER_TRANSACTION);
            self.acquire(&self.accounts.buyer, purchase, calls)?;
            missing -= calls;
        }
        Ok(())
    }

    /// Buys stacks in one transaction and returns the first.
    fn acquire(
        &self,
        buyer: &Account,
        purchase: &Purchase,
        calls: u64,
    ) -> Result<StackSmallId, ActionError> {
        let wallet = self.largest_coin(buyer.address, &self.contract.usdc())?;
        let mut builder = ActionBuilder::default();
        if calls > 1 {
            builder.budget = limits::MAX_TX_GAS;
        }
        for _ in 0..calls {
            let arguments = vec![
                ActionArgument::Implied,
                ActionArgument::Object(*wallet.object_id()),
                ActionArgument::pure(&purchase.task_small_id)?,
                ActionArgument::pure(&purchase.num_compute_units)?,
                ActionArgument::pure(&purchase.price)?,
                ActionArgument::Implied,
            ];
            builder.call(self, "acquire_new_stack_entry", arguments)?;
        }
        let events = self.act(buyer, builder, purchase.node_small_id)?;
        events
            .iter()
            .find_map(|event| match event {
                ContractEvent::StackCreated(event) => Some(event.stack_small_id),
                _ => None,
            })
            .ok_or_else(|| ActionError::Missing("the transaction created no stack".to_owned()))
    }

    /// Sends an account SUI if it has none, and on request the same with USDC.
    pub(super) fn fund(&self, account: &Account, with_usdc: bool) -> Result<(), ActionError> {
        let lacks = |coin_type: TypeTag| self.largest_coin(account.address, &coin_type).is_err();
        let start = [STARTING_MIST];
        let sui = if lacks(StructTag::sui().into()) {
            &start[..]
        } else {
            &[]
        };
        let lacks_usdc = with_usdc && lacks(self.contract.usdc());
        self.give(account.address, sui, lacks_usdc.then_some(STARTING_USDC))
            .map(|_| ())
    }
}
