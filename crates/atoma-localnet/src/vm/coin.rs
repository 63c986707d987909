//! Balances and coins (`0x2::balance`, `0x2::coin`), and the commands that split and merge them.

use serde::{Deserialize, Serialize};
use sui_sdk_types::{Address, CommandArgumentError, Owner, StructTag, TypeTag};

use crate::vm::{CodeLocation, Execution, MoveError, MoveErrorKind, ObjectState};
use atoma_domain::ObjectId;

/// `ENonZero` of `0x2::balance`.
const NON_ZERO: u64 = 0;
/// `ENotEnough` of `0x2::balance`.
const NOT_ENOUGH: u64 = 2;

/// The type `0x2::coin::Coin<currency>`.
pub(crate) fn coin_type(currency: TypeTag) -> StructTag {
    StructTag::coin(currency)
}

impl ObjectState {
    /// A coin's value, in its smallest unit; `None` when the object is not a coin.
    pub fn coin_value(&self) -> Option<u64> {
        self.object_type.is_coin()?;
        value_of(&self.contents)
    }
}

/// The value of a coin with these contents; `None` for contents that are not a coin's.
fn value_of(contents: &[u8]) -> Option<u64> {
    let bytes = contents.get(Address::LENGTH..)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

fn contents(id: &ObjectId, value: u64) -> Vec<u8> {
    let mut contents = id.as_bytes().to_vec();
    contents.extend_from_slice(&value.to_le_bytes());
    contents
}

/// `0x2::balance::Balance`. Its currency follows from the field that holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Balance(u64);

impl Balance {
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) const fn value(self) -> u64 {
        self.0
    }

    pub(crate) fn join(&mut self, other: Self) -> Result<(), MoveError> {
        let sum = self.0.checked_add(other.0);
        self.0 = sum.ok_or_else(|| CodeLocation::framework("balance", "join").arithmetic())?;
        Ok(())
    }

    pub(crate) fn split(&mut self, amount: u64) -> Result<Self, MoveError> {
        let rest = self.0.checked_sub(amount);
        self.0 =
            rest.ok_or_else(|| CodeLocation::framework("balance", "split").abort(NOT_ENOUGH))?;
        Ok(Self(amount))
    }
}

impl Execution<'_> {
    /// The command `SplitCoins`: splits `amount` off a coin into a new one, which has no owner
    /// until it is transferred.
    ///
    /// # Errors
    /// When the coin holds less, or the object is not a coin.
    pub fn split_coin(&mut self, coin: &ObjectId, amount: u64) -> Result<ObjectId, MoveError> {
        let (object_type, balance) = self.coin_argument(coin, 0)?;
        let rest = balance
            .checked_sub(amount)
            .ok_or(MoveErrorKind::InsufficientCoinBalance {
                coin: *coin,
                balance,
                amount,
            })?;
        self.set_coin_value(coin, rest)?;
        let id = self.fresh_id();
        self.create(object_type, true, None, contents(&id, amount))
    }

    /// The command `MergeCoins`: merges coins into another of the same currency and deletes them.
    ///
    /// # Errors
    /// When the sum overflows 64 bits, a coin occurs twice, or an object is not a coin of that
    /// currency.
    pub fn merge_coins(&mut self, into: &ObjectId, from: &[ObjectId]) -> Result<(), MoveError> {
        let (object_type, mut sum) = self.coin_argument(into, 0)?;
        for (index, coin) in (1_u16..).zip(from) {
            let (other_type, value) = self.coin_argument(coin, index)?;
            if other_type != object_type {
                return Err(MoveError::argument(
                    index,
                    CommandArgumentError::TypeMismatch,
                ));
            }
            if coin == into {
                return Err(MoveError::argument(
                    index,
                    CommandArgumentError::InvalidValueUsage,
                ));
            }
            sum = sum
                .checked_add(value)
                .ok_or(MoveErrorKind::CoinBalanceOverflow { coin: *into })?;
            self.delete(coin)?;
        }
        self.set_coin_value(into, sum)
    }

    /// `coin::from_balance`: a coin that has no owner until it is transferred.
    pub(crate) fn new_coin(
        &mut self,
        currency: TypeTag,
        balance: Balance,
    ) -> Result<ObjectId, MoveError> {
        let id = self.fresh_id();
        self.create(coin_type(currency), true, None, contents(&id, balance.0))
    }

    /// `coin::into_balance`: deletes a coin and returns its value.
    pub(crate) fn take_coin(&mut self, coin: &ObjectId) -> Result<Balance, MoveError> {
        let balance = self.coin_balance(coin)?;
        self.delete(coin)?;
        Ok(balance)
    }

    /// `coin::destroy_zero`.
    pub(crate) fn destroy_zero(&mut self, coin: &ObjectId) -> Result<(), MoveError> {
        if self.take_coin(coin)? != Balance::ZERO {
            return Err(CodeLocation::framework("balance", "destroy_zero").abort(NON_ZERO));
        }
        Ok(())
    }

    /// Converts a balance into a coin and transfers it to an address (`coin::from_balance`, then
    /// `transfer::public_transfer`).
    pub(crate) fn pay(
        &mut self,
        currency: TypeTag,
        balance: Balance,
        to: Address,
    ) -> Result<ObjectId, MoveError> {
        let id = self.fresh_id();
        self.create(
            coin_type(currency),
            true,
            Some(Owner::Address(to)),
            contents(&id, balance.0),
        )
    }

    /// A coin's value as a balance.
    pub(crate) fn coin_balance(&mut self, coin: &ObjectId) -> Result<Balance, MoveError> {
        Ok(Balance(self.coin(coin)?.1))
    }

    /// Sets a coin's value.
    ///
    /// # Errors
    /// When the coin does not exist.
    pub fn set_coin_value(&mut self, coin: &ObjectId, value: u64) -> Result<(), MoveError> {
        self.update(coin, contents(coin, value))
    }

    /// The type and value of a coin that is the command's argument at `index`.
    fn coin_argument(&mut self, id: &ObjectId, index: u16) -> Result<(StructTag, u64), MoveError> {
        let Some(state) = self.object(id) else {
            return Err(MoveError::argument(
                index,
                CommandArgumentError::InvalidValueUsage,
            ));
        };
        let value = state
            .coin_value()
            .ok_or_else(|| MoveError::argument(index, CommandArgumentError::TypeMismatch))?;
        Ok((state.object_type.clone(), value))
    }

    fn coin(&mut self, id: &ObjectId) -> Result<(StructTag, u64), MoveError> {
        let state = self.existing(id)?;
        let value = state
            .coin_value()
            .ok_or_else(|| MoveError::invariant(format!("object {id} is not a coin")))?;
        Ok((state.object_type.clone(), value))
    }
}
