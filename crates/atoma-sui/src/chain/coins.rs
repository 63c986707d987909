//! The coins of an address.

use atoma_domain::ports::{ChainError, GasCoin};
use atoma_domain::{Address, Mist, ObjectReference};
use sui_sdk_types::{StructTag, TypeTag};

use super::reads::contents;
use super::sui_chain::SuiChain;
use crate::builder::ContractInputs;
use crate::connection::reference;
use crate::layout::Coin;

/// A coin of any type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedCoin {
    /// The latest version of the object.
    pub reference: ObjectReference,
    /// Its balance, in the smallest unit of its type.
    pub balance: u64,
}

impl SuiChain {
    /// The coins of a type, such as `0x2::sui::SUI`, that an address owns, largest first.
    ///
    /// # Errors
    /// When the node can't be reached, or its response can't be read.
    pub async fn coins(
        &self,
        owner: Address,
        coin_type: &TypeTag,
    ) -> Result<Vec<OwnedCoin>, ChainError> {
        let object_type = StructTag::coin(coin_type.clone()).to_string();
        let objects = self.owned(owner, object_type).await?;
        let mut coins = objects
            .iter()
            .map(|object| {
                let coin: Coin = contents(object, "a coin")?;
                Ok(OwnedCoin {
                    reference: reference(object)?,
                    balance: coin.balance,
                })
            })
            .collect::<Result<Vec<_>, ChainError>>()?;
        coins.sort_unstable_by(|a, b| {
            b.balance
                .cmp(&a.balance)
                .then_with(|| a.reference.object_id().cmp(b.reference.object_id()))
        });
        Ok(coins)
    }

    /// What transactions of the contract are built from, read from the node once. With it, they can be
    /// [built](ContractInputs::build) without a connection.
    ///
    /// # Errors
    /// When the node can't be reached, or the configured ids are not the contract's.
    pub async fn contract_inputs(&self) -> Result<ContractInputs, ChainError> {
        Ok(self.facts().await?.contract)
    }

    pub(super) async fn read_gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError> {
        let sui = TypeTag::from(StructTag::sui());
        let coins = self.coins(owner, &sui).await?.into_iter();
        let coins = coins.map(|coin| GasCoin {
            reference: coin.reference,
            balance: Mist::new(coin.balance),
        });
        Ok(coins.collect())
    }
}
