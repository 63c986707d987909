//! What never changes about a contract, learned once.

use atoma_domain::ObjectId;
use atoma_domain::ports::ChainError;
use prost_types::value::Kind;
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::StructTag;

use crate::builder::{ContractAddresses, RANDOM};
use crate::connection::{Connection, SuiConfig};
use crate::contract_events::EventTypes;
use crate::fields::{KeyTypes, contract_struct};
use crate::layout::AtomaDb;
use crate::outcome::{lacks, parse};

/// Sui's limit on a transaction's gas since its start, for nodes that don't tell theirs: 50 SUI.
const DEFAULT_MAX_GAS: u64 = 50_000_000_000;

/// The contract's addresses, types and tables.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) addresses: ContractAddresses,
    pub(crate) keys: KeyTypes,
    pub(crate) events: EventTypes,
    /// `db::NodeBadge`, under the package that defines it.
    pub(crate) badge_type: String,
    /// The tables inside the `AtomaDb`.
    pub(crate) nodes: ObjectId,
    pub(crate) tasks: ObjectId,
    pub(crate) stacks: ObjectId,
    pub(crate) tickets: ObjectId,
    /// The network's limit on a transaction's gas, in MIST.
    pub(crate) max_gas: u64,
}

impl Facts {
    /// Reads the facts from the network.
    pub(crate) async fn learn(
        connection: &Connection,
        config: &SuiConfig,
    ) -> Result<Self, ChainError> {
        let ids = [config.atoma_db_id, RANDOM];
        let (mut objects, max_gas) =
            futures::try_join!(connection.objects(&ids), max_gas(connection))?;
        let random = objects
            .pop()
            .flatten()
            .ok_or(ChainError::NoObject(RANDOM))?;
        let atoma_db = objects
            .pop()
            .flatten()
            .ok_or(ChainError::NoObject(config.atoma_db_id))?;
        let db_type: StructTag = parse(atoma_db.object_type.as_deref(), "the AtomaDb's type")?;
        let defining_package = *db_type.address();
        if db_type != contract_struct(defining_package, "AtomaDb") {
            return Err(lacks("an object of type AtomaDb at the configured id"));
        }
        let contents: AtomaDb = atoma_db.decode("the AtomaDb's contents")?;
        Ok(Self {
            addresses: ContractAddresses {
                package: config.package_id,
                atoma_db: config.atoma_db_id,
                atoma_db_initial_version: atoma_db
                    .initial_shared_version
                    .ok_or(lacks("the version at which the AtomaDb became shared"))?,
                random_initial_version: random
                    .initial_shared_version
                    .ok_or(lacks("the version at which Random became shared"))?,
            },
            keys: KeyTypes::new(defining_package),
            events: EventTypes::new(defining_package, config.package_id),
            badge_type: contract_struct(defining_package, "NodeBadge").to_string(),
            nodes: contents.nodes.id,
            tasks: contents.tasks.id,
            stacks: contents.stacks.id,
            tickets: contents.stack_settlement_tickets.id,
            max_gas,
        })
    }
}

async fn max_gas(connection: &Connection) -> Result<u64, ChainError> {
    let epoch = connection
        .epoch(None, &["epoch", "protocol_config"])
        .await?;
    let told = epoch
        .and_then(|epoch| epoch.protocol_config)
        .and_then(|config| told_max_gas(&config));
    Ok(told.unwrap_or(DEFAULT_MAX_GAS))
}

/// The limit in the protocol config: in `configs`, on older nodes in `attributes`.
fn told_max_gas(config: &proto::ProtocolConfig) -> Option<u64> {
    const NAME: &str = "max_tx_gas";
    let text = match config
        .configs
        .get(NAME)
        .and_then(|value| value.kind.as_ref())
    {
        Some(Kind::StringValue(text)) => text.clone(),
        Some(Kind::NumberValue(number)) => number.to_string(),
        _ => config.attributes().get(NAME)?.clone(),
    };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use prost_types::Value;

    use super::*;

    #[test]
    fn the_gas_limit_is_read_in_every_form() {
        let with = |kind| {
            let mut config = proto::ProtocolConfig::default();
            let value = Value { kind: Some(kind) };
            config.configs.insert("max_tx_gas".to_owned(), value);
            told_max_gas(&config)
        };
        assert_eq!(with(Kind::StringValue("7".to_owned())), Some(7));
        assert_eq!(with(Kind::NumberValue(5e10)), Some(50_000_000_000));
        assert_eq!(with(Kind::BoolValue(true)), None);
        let mut old = proto::ProtocolConfig::default();
        assert_eq!(told_max_gas(&old), None);
        old.attributes_mut()
            .insert("max_tx_gas".to_owned(), "8".to_owned());
        assert_eq!(told_max_gas(&old), Some(8));
    }
}
