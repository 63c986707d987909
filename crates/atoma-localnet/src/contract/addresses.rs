//! The addresses of the contract and its currency.

use atoma_domain::ObjectId;
use sui_sdk_types::{Address, Identifier, StructTag, TypeTag};

/// The addresses of the published contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContractAddresses {
    /// The first version of the package with the module `db`, which defines the module's types.
    pub package: Address,
    /// The shared `AtomaDb` object.
    pub atoma_db: ObjectId,
    /// The package with the module `usdc`.
    pub usdc_package: Address,
}

impl ContractAddresses {
    /// The currency's type, `usdc::usdc::USDC`.
    pub fn usdc(&self) -> TypeTag {
        StructTag::new(
            self.usdc_package,
            Identifier::from_static("usdc"),
            Identifier::from_static("USDC"),
            Vec::new(),
        )
        .into()
    }
}
