//! Epochs and the protocol's configuration as messages.

use sui_rpc::proto::sui::rpc::v2::{Epoch, ProtocolConfig, SystemParameters, SystemState};
use sui_rpc::proto::timestamp_ms_to_proto;

use crate::chain::EpochRecord;
use crate::execution::limits;

/// The epoch duration reported by a network whose epochs end on demand: a day, as on Sui's public networks.
const ON_DEMAND_EPOCH_MS: u64 = 24 * 60 * 60 * 1_000;

/// An epoch. `epoch_ms` is the configured duration.
pub(super) fn epoch(record: EpochRecord, epoch_ms: Option<u64>) -> Epoch {
    let mut config = ProtocolConfig::default();
    config.protocol_version = Some(limits::PROTOCOL_VERSION);
    config.feature_flags = limits::FEATURE_FLAGS
        .iter()
        .map(|(name, is_on)| ((*name).to_owned(), *is_on))
        .collect();
    config.attributes = limits::ATTRIBUTES
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.to_string()))
        .collect();
    config.configs = limits::ATTRIBUTES
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.to_string().into()))
        .chain(
            limits::FEATURE_FLAGS
                .iter()
                .map(|(name, is_on)| ((*name).to_owned(), (*is_on).into())),
        )
        .collect();
    let mut parameters = SystemParameters::default();
    parameters.epoch_duration_ms = Some(epoch_ms.unwrap_or(ON_DEMAND_EPOCH_MS));
    let mut system_state = SystemState::default();
    system_state.version = Some(2);
    system_state.epoch = Some(record.epoch);
    system_state.protocol_version = Some(limits::PROTOCOL_VERSION);
    system_state.reference_gas_price = Some(record.reference_gas_price);
    system_state.epoch_start_timestamp_ms = Some(record.start_ms);
    system_state.parameters = Some(parameters);
    system_state.safe_mode = Some(false);
    let mut epoch = Epoch::default();
    epoch.epoch = Some(record.epoch);
    epoch.system_state = Some(Box::new(system_state));
    epoch.first_checkpoint = Some(record.first_checkpoint);
    epoch.last_checkpoint = record.last_checkpoint;
    epoch.start = Some(timestamp_ms_to_proto(record.start_ms));
    epoch.end = record.end_ms.map(timestamp_ms_to_proto);
    epoch.reference_gas_price = Some(record.reference_gas_price);
    epoch.protocol_config = Some(config);
    epoch
}
