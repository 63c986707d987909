//! The packages and their tables.

use sui_sdk_types::{Address, StructTag};

use super::datatype::{Datatype, FrameworkFunction};
use super::{contract, framework};
use crate::contract::ContractAddresses;

/// A package by its name in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageName {
    Std,
    Sui,
    System,
    Usdc,
    Atoma,
}

impl PackageName {
    pub(crate) const ALL: [Self; 5] = [Self::Std, Self::Sui, Self::System, Self::Usdc, Self::Atoma];

    /// The address under which the package's types are known, which is that of its first version.
    pub(crate) const fn address(self, addresses: &ContractAddresses) -> Address {
        match self {
            Self::Std => const { Address::from_static("0x1") },
            Self::Sui => Address::TWO,
            Self::System => Address::THREE,
            Self::Usdc => addresses.usdc_package,
            Self::Atoma => addresses.package,
        }
    }

    /// The package whose types have that address.
    pub(crate) fn of(address: Address, addresses: &ContractAddresses) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|package| package.address(addresses) == address)
    }

    /// The package's datatypes.
    pub(crate) const fn datatypes(self) -> &'static [Datatype] {
        match self {
            Self::Std => framework::STD_DATATYPES,
            Self::Sui => framework::SUI_DATATYPES,
            Self::System => framework::SYSTEM_DATATYPES,
            Self::Usdc => framework::USDC_DATATYPES,
            Self::Atoma => contract::DATATYPES,
        }
    }

    /// The package's functions, except the contract's.
    pub(crate) const fn functions(self) -> &'static [FrameworkFunction] {
        match self {
            Self::Sui => framework::SUI_FUNCTIONS,
            _ => &[],
        }
    }

    pub(crate) fn datatype(self, module: &str, name: &str) -> Option<&'static Datatype> {
        self.datatypes()
            .iter()
            .find(|datatype| datatype.module == module && datatype.name == name)
    }

    /// The package's modules that have datatypes or functions, without repetition.
    pub(crate) fn modules(self) -> Vec<&'static str> {
        let datatypes = self.datatypes().iter().map(|datatype| datatype.module);
        let functions = self.functions().iter().map(|function| function.module);
        let mut modules: Vec<_> = datatypes.chain(functions).collect();
        modules.sort_unstable();
        modules.dedup();
        modules
    }
}

/// The definition of a type.
pub(crate) fn definition(
    tag: &StructTag,
    addresses: &ContractAddresses,
) -> Option<&'static Datatype> {
    PackageName::of(*tag.address(), addresses)?.datatype(tag.module().as_str(), tag.name().as_str())
}
