//! The datatypes and functions of the framework that clients of the contract meet, and the test currency.

use super::datatype::Ability::{Copy, Drop, Key, Store};
use super::datatype::{Ability, Datatype, FrameworkFunction, TypeParameter};

type Fields = &'static [(&'static str, &'static str)];

const fn datatype(
    module: &'static str,
    name: &'static str,
    abilities: &'static [Ability],
    fields: Fields,
) -> Datatype {
    generic(module, name, abilities, &[], fields)
}

const fn generic(
    module: &'static str,
    name: &'static str,
    abilities: &'static [Ability],
    type_parameters: &'static [TypeParameter],
    fields: Fields,
) -> Datatype {
    Datatype {
        module,
        name,
        abilities,
        type_parameters,
        fields,
    }
}

const fn phantom(constraints: &'static [Ability]) -> TypeParameter {
    TypeParameter {
        constraints,
        is_phantom: true,
    }
}

const ANY: TypeParameter = TypeParameter {
    constraints: &[],
    is_phantom: false,
};
const NAME: TypeParameter = TypeParameter {
    constraints: &[Copy, Drop, Store],
    is_phantom: false,
};
const STORED: TypeParameter = TypeParameter {
    constraints: &[Store],
    is_phantom: false,
};

/// Package `0x1`.
pub(super) const STD_DATATYPES: &[Datatype] = &[
    datatype(
        "ascii",
        "String",
        &[Copy, Drop, Store],
        &[("bytes", "vector<u8>")],
    ),
    datatype(
        "string",
        "String",
        &[Copy, Drop, Store],
        &[("bytes", "vector<u8>")],
    ),
    generic(
        "option",
        "Option",
        &[Copy, Drop, Store],
        &[ANY],
        &[("vec", "vector<T0>")],
    ),
];

/// Package `0x2`.
pub(super) const SUI_DATATYPES: &[Datatype] = &[
    datatype(
        "object",
        "ID",
        &[Copy, Drop, Store],
        &[("bytes", "address")],
    ),
    datatype("object", "UID", &[Store], &[("id", "0x2::object::ID")]),
    datatype("sui", "SUI", &[Drop], &[("dummy_field", "bool")]),
    datatype(
        "url",
        "Url",
        &[Copy, Drop, Store],
        &[("url", "0x1::ascii::String")],
    ),
    generic(
        "balance",
        "Balance",
        &[Store],
        &[phantom(&[])],
        &[("value", "u64")],
    ),
    generic(
        "coin",
        "Coin",
        &[Store, Key],
        &[phantom(&[])],
        &[
            ("id", "0x2::object::UID"),
            ("balance", "0x2::balance::Balance<T0>"),
        ],
    ),
    generic(
        "coin",
        "CoinMetadata",
        &[Store, Key],
        &[phantom(&[])],
        &[
            ("id", "0x2::object::UID"),
            ("decimals", "u8"),
            ("name", "0x1::string::String"),
            ("symbol", "0x1::ascii::String"),
            ("description", "0x1::string::String"),
            ("icon_url", "0x1::option::Option<0x2::url::Url>"),
        ],
    ),
    generic(
        "table",
        "Table",
        &[Store, Key],
        &[phantom(&[Copy, Drop, Store]), phantom(&[Store])],
        &[("id", "0x2::object::UID"), ("size", "u64")],
    ),
    generic(
        "object_table",
        "ObjectTable",
        &[Store, Key],
        &[phantom(&[Copy, Drop, Store]), phantom(&[Store, Key])],
        &[("id", "0x2::object::UID"), ("size", "u64")],
    ),
    generic(
        "table_vec",
        "TableVec",
        &[Store],
        &[phantom(&[Store])],
        &[("contents", "0x2::table::Table<u64, T0>")],
    ),
    generic(
        "dynamic_field",
        "Field",
        &[Key],
        &[NAME, STORED],
        &[("id", "0x2::object::UID"), ("name", "T0"), ("value", "T1")],
    ),
    generic(
        "dynamic_object_field",
        "Wrapper",
        &[Copy, Drop, Store],
        &[ANY],
        &[("name", "T0")],
    ),
    datatype(
        "clock",
        "Clock",
        &[Key],
        &[("id", "0x2::object::UID"), ("timestamp_ms", "u64")],
    ),
    datatype(
        "versioned",
        "Versioned",
        &[Store, Key],
        &[("id", "0x2::object::UID"), ("version", "u64")],
    ),
    datatype(
        "random",
        "Random",
        &[Key],
        &[
            ("id", "0x2::object::UID"),
            ("inner", "0x2::versioned::Versioned"),
        ],
    ),
    datatype(
        "tx_context",
        "TxContext",
        &[Drop],
        &[
            ("sender", "address"),
            ("tx_hash", "vector<u8>"),
            ("epoch", "u64"),
            ("epoch_timestamp_ms", "u64"),
            ("ids_created", "u64"),
        ],
    ),
    datatype(
        "package",
        "UpgradeCap",
        &[Store, Key],
        &[
            ("id", "0x2::object::UID"),
            ("package", "0x2::object::ID"),
            ("version", "u64"),
            ("policy", "u8"),
        ],
    ),
    datatype(
        "package",
        "UpgradeTicket",
        &[],
        &[
            ("cap", "0x2::object::ID"),
            ("package", "0x2::object::ID"),
            ("policy", "u8"),
            ("digest", "vector<u8>"),
        ],
    ),
    datatype(
        "package",
        "UpgradeReceipt",
        &[],
        &[("cap", "0x2::object::ID"), ("package", "0x2::object::ID")],
    ),
];

/// Package `0x3`.
pub(super) const SYSTEM_DATATYPES: &[Datatype] = &[datatype(
    "sui_system",
    "SuiSystemState",
    &[Key],
    &[("id", "0x2::object::UID"), ("version", "u64")],
)];

/// The test currency.
pub(super) const USDC_DATATYPES: &[Datatype] = &[datatype(
    "usdc",
    "USDC",
    &[Drop],
    &[("dummy_field", "bool")],
)];

const fn function(
    module: &'static str,
    name: &'static str,
    parameters: &'static [&'static str],
    returns: &'static [&'static str],
) -> FrameworkFunction {
    FrameworkFunction {
        module,
        name,
        is_entry: false,
        type_parameters: 1,
        parameters,
        returns,
    }
}

const fn upgrade(
    name: &'static str,
    parameters: &'static [&'static str],
    returns: &'static [&'static str],
) -> FrameworkFunction {
    FrameworkFunction {
        type_parameters: 0,
        ..function("package", name, parameters, returns)
    }
}

const CONTEXT: &str = "&mut 0x2::tx_context::TxContext";
const COIN: &str = "0x2::coin::Coin<T0>";
const BALANCE: &str = "0x2::balance::Balance<T0>";

/// The public functions that this network executes.
pub(super) const SUI_FUNCTIONS: &[FrameworkFunction] = &[
    function("coin", "zero", &[CONTEXT], &[COIN]),
    function("coin", "destroy_zero", &[COIN], &[]),
    function("coin", "into_balance", &[COIN], &[BALANCE]),
    function("coin", "from_balance", &[BALANCE, CONTEXT], &[COIN]),
    upgrade(
        "authorize_upgrade",
        &["&mut 0x2::package::UpgradeCap", "u8", "vector<u8>"],
        &["0x2::package::UpgradeTicket"],
    ),
    upgrade(
        "commit_upgrade",
        &[
            "&mut 0x2::package::UpgradeCap",
            "0x2::package::UpgradeReceipt",
        ],
        &[],
    ),
];
