//! The protocol's limits and prices, also reported by `GetEpoch`.

/// The protocol version that the network reports.
pub(crate) const PROTOCOL_VERSION: u64 = 100;
/// The reference gas price of the first epoch, in MIST per computation unit: the lowest that is
/// accepted. Later epochs may have another ([`EpochRecord`](crate::chain::EpochRecord)).
pub(crate) const REFERENCE_GAS_PRICE: u64 = 1_000;
/// The upper bound of gas prices, exclusive, in MIST per computation unit.
pub(crate) const MAX_GAS_PRICE: u64 = 100_000;
/// The highest gas budget of a transaction, in MIST.
pub(crate) const MAX_TX_GAS: u64 = 50_000_000_000;
/// The computation units of the cheapest transaction. A budget must cover them at the
/// transaction's gas price.
pub(crate) const MIN_COMPUTATION_UNITS: u64 = 1_000;
/// The size of a serialized transaction in bytes.
pub(crate) const MAX_TX_SIZE_BYTES: usize = 131_072;
/// Commands per transaction, exclusive.
pub(crate) const MAX_COMMANDS: usize = 1_024;
/// Input objects per transaction, including packages and without gas coins.
pub(crate) const MAX_INPUT_OBJECTS: usize = 2_048;
/// Arguments per command, exclusive.
pub(crate) const MAX_ARGUMENTS: usize = 512;
/// The size of a pure input in bytes, exclusive.
pub(crate) const MAX_PURE_ARGUMENT_BYTES: usize = 16_384;
/// Gas coins per transaction.
pub(crate) const MAX_GAS_PAYMENT_OBJECTS: usize = 256;
/// Events per transaction.
pub(crate) const MAX_EVENTS: usize = 1_024;
/// The storage fee in MIST per byte: 100 units at a storage gas price of 76.
pub(crate) const STORAGE_MIST_PER_BYTE: u64 = 7_600;
/// The share of a storage fee that is returned when the version is replaced or deleted, in basis
/// points.
pub(crate) const STORAGE_REBATE_BASIS_POINTS: u64 = 9_900;

/// The features by their names in Sui's protocol configuration, and whether this network has them.
pub(crate) const FEATURE_FLAGS: [(&str, bool); 9] = [
    ("random_beacon", true),
    ("receive_objects", false),
    ("zklogin_auth", false),
    ("passkey_auth", false),
    ("accept_zklogin_in_multisig", false),
    ("enable_accumulators", false),
    ("enable_address_balance_gas_payments", false),
    ("correct_gas_payment_limit_check", true),
    ("enable_multi_epoch_transaction_expiration", true),
];

/// The limits by their names in Sui's protocol configuration.
pub(crate) const ATTRIBUTES: [(&str, u64); 16] = [
    ("max_tx_size_bytes", 131_072),
    ("max_programmable_tx_commands", 1_024),
    ("max_input_objects", 2_048),
    ("max_arguments", 512),
    ("max_pure_argument_size", 16_384),
    ("max_gas_payment_objects", 256),
    ("max_tx_gas", MAX_TX_GAS),
    ("max_gas_price", MAX_GAS_PRICE),
    ("max_num_event_emit", 1_024),
    ("object_runtime_max_num_cached_objects", 1_000),
    ("object_runtime_max_num_store_entries", 1_000),
    ("base_tx_cost_fixed", MIN_COMPUTATION_UNITS),
    ("obj_data_cost_refundable", 100),
    ("storage_gas_price", 76),
    ("storage_rebate_rate", STORAGE_REBATE_BASIS_POINTS),
    ("max_move_object_size", 256_000),
];
