//! Immutable facts about the deployed contract, read once.

use atoma_domain::ObjectId;
use atoma_domain::ports::ChainError;
use prost_types::value::Kind;
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::StructTag;

use crate::builder::{ContractInputs, RANDOM};
use crate::connection::{Connection, SuiChainConfig};
use crate::contract_events::EventTypes;
use crate::fields::{KeyTypes, contract_struct};
use crate::layout::AtomaDb;
use crate::response::malformed;

/// The limit on a transaction's gas budget, in MIST, for nodes that don't report one: Sui's limit
/// since its launch, 50 SUI.
const DEFAULT_MAX_GAS: u64 = 50_000_000_000;

/// The contract's package, shared objects, types and tables.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) contract: ContractInputs,
    pub(crate) keys: KeyTypes,
    pub(crate) events: EventTypes,
    /// The package of the contract's first version, which defines its types.
    pub(crate) defining_package: ObjectId,
    /// `db::NodeBadge`, under the package that defines it.
    pub(crate) badge_type: String,
    /// The `AtomaDb`'s tables.
    pub(crate) nodes: ObjectId,
    pub(crate) tasks: ObjectId,
    pub(crate) stacks: ObjectId,
    pub(crate) tickets: ObjectId,
    /// The network's limit on a transaction's gas budget, in MIST.
    pub(crate) max_gas: u64,
}

impl Facts {
    /// Reads the facts from the network.
    ///
    /// # Errors
    /// [`ChainError::Contract`] when the configured object is not an `AtomaDb`.
    pub(crate) async fn read(
        connection: &Connection,
        config: &SuiChainConfig,
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
            .ok_or_else(|| wrong_db(format!("object {} does not exist", config.atoma_db_id)))?;
        let object_type = atoma_db.object_type.as_deref();
        let db_type: StructTag = object_type
            .and_then(|object_type| object_type.parse().ok())
            .ok_or_else(|| {
                wrong_db(format!(
                    "{} is not the contract's AtomaDb",
                    config.atoma_db_id
                ))
            })?;
        let defining_package = *db_type.address();
        if db_type != contract_struct(defining_package, "AtomaDb") {
            return Err(wrong_db(format!(
                "object {} is a {db_type}, not the contract's AtomaDb",
                config.atoma_db_id
            )));
        }
        let contents: AtomaDb = atoma_db.decode("the AtomaDb's contents")?;
        Ok(Self {
            contract: ContractInputs {
                package: config.package_id,
                atoma_db: config.atoma_db_id,
                atoma_db_initial_version: atoma_db
                    .initial_shared_version
                    .ok_or(malformed("the AtomaDb's initial shared version"))?,
                random_initial_version: random
                    .initial_shared_version
                    .ok_or(malformed("the initial shared version of Random"))?,
            },
            keys: KeyTypes::new(defining_package),
            events: EventTypes::new(defining_package, config.package_id),
            defining_package,
            badge_type: contract_struct(defining_package, "NodeBadge").to_string(),
            nodes: contents.nodes.id,
            tasks: contents.tasks.id,
            stacks: contents.stacks.id,
            tickets: contents.stack_settlement_tickets.id,
            max_gas,
        })
    }
}

const fn wrong_db(problem: String) -> ChainError {
    ChainError::Contract {
        setting: "atoma_db_id",
        problem,
    }
}

async fn max_gas(connection: &Connection) -> Result<u64, ChainError> {
    let epoch = connection
        .epoch(None, &["epoch", "protocol_config"])
        .await?;
    let limit = epoch
        .and_then(|epoch| epoch.protocol_config)
        .and_then(|config| configured_max_gas(&config));
    Ok(limit.unwrap_or(DEFAULT_MAX_GAS))
}

/// The limit in the protocol config: in `configs`, or on older nodes in `attributes`.
fn configured_max_gas(config: &proto::ProtocolConfig) -> Option<u64> {
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
    fn the_gas_limit_is_read_in_every_format() {
        let with = |kind| {
            let mut config = proto::ProtocolConfig::default();
            let value = Value { kind: Some(kind) };
            config.configs.insert("max_tx_gas".to_owned(), value);
            configured_max_gas(&config)
        };
        assert_eq!(with(Kind::StringValue("7".to_owned())), Some(7));
        assert_eq!(with(Kind::NumberValue(5e10)), Some(50_000_000_000));
        assert_eq!(with(Kind::BoolValue(true)), None);
        let mut old = proto::ProtocolConfig::default();
        assert_eq!(configured_max_gas(&old), None);
        old.attributes_mut()
            .insert("max_tx_gas".to_owned(), "8".to_owned());
        assert_eq!(configured_max_gas(&old), Some(8));
    }
}
