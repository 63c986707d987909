//! The versions of the contract's package.

use sui_sdk_types::{Address, MovePackage};

use super::addresses::ContractAddresses;
use super::db::MODULE;

/// The id of the first version of a package. Bytecode names it; here the types' origin does.
pub fn original_id(package: &MovePackage) -> Address {
    package
        .type_origin_table
        .first()
        .filter(|_| package.version > 1)
        .map_or(package.id, |origin| origin.package)
}

/// Whether a package is a version of the contract.
pub fn is_version(package: &MovePackage, addresses: &ContractAddresses) -> bool {
    original_id(package) == addresses.package
        && package
            .modules
            .keys()
            .any(|module| module.as_str() == MODULE)
}
