//! The genesis transaction, which creates system objects, packages, coins and the contract.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_domain::{Digest, ObjectId};
use sui_sdk_types::{
    Address, ChangedObject, GenesisObject, GenesisTransaction, IdOperation, Identifier,
    MovePackage, Object, ObjectData, ObjectIn, ObjectOut, Owner, StructTag, Transaction,
    TransactionEvents, TransactionKind, TypeOrigin, TypeTag, UpgradeInfo,
};

use crate::accounts::{Accounts, derive};
use crate::chain::TransactionOutputs;
use crate::clock::GENESIS_TIMESTAMP_MS;
use crate::contract::{self, ContractAddresses};
use crate::execution::{UpgradeCap, object_of};
use crate::interface::PackageName;
use crate::system::{
    CLOCK, SYSTEM_STATE, signed_by_the_network, system_effects, system_transaction,
};
use crate::vm::{Execution, ObjectReader, ObjectState, TxContext, framework_struct};

/// The version of all objects created by genesis.
pub(crate) const VERSION: u64 = 1;

const RANDOM: Address = Address::from_static("0x8");

/// MIST in the first coin of the faucet, and of each other account.
const FAUCET_MIST: u64 = 8_000_000_000_000_000_000;
const ACCOUNT_MIST: u64 = 500_000_000_000_000_000;
/// Micro-USDC in the first coin of the faucet, and of the buyer.
const FAUCET_USDC: u64 = 8_000_000_000_000_000_000;
const BUYER_USDC: u64 = 8_000_000_000_000_000_000;

/// The packages' addresses for a seed. The `AtomaDb`'s id is set when genesis creates it.
fn packages(seed: u64) -> ContractAddresses {
    ContractAddresses {
        package: Address::new(derive(seed, "package atoma")),
        atoma_db: Address::ZERO,
        usdc_package: Address::new(derive(seed, "package usdc")),
    }
}

/// The genesis of a seed, always the same, and the contract's addresses.
pub(crate) fn build(seed: u64, accounts: &Accounts) -> (TransactionOutputs, ContractAddresses) {
    let mut contract = packages(seed);
    let reader = EmptyReader;
    let context = TxContext {
        digest: Digest::new(derive(seed, "genesis ids")),
        sender: Address::ZERO,
        epoch: 0,
        epoch_timestamp_ms: GENESIS_TIMESTAMP_MS,
    };
    let mut execution = Execution::new(&reader, context, [0; 32]);
    let mut states: BTreeMap<ObjectId, ObjectState> = BTreeMap::new();
    match contract::publish(&mut execution, &contract, accounts.manager.address) {
        Ok(publication) => contract.atoma_db = publication.atoma_db,
        Err(error) => tracing::error!(%error, "the contract could not be published"),
    }
    for state in system_objects()
        .into_iter()
        .chain(coins(&mut execution, &contract, accounts))
    {
        if let Some(id) = state.contents.first_chunk::<32>() {
            states.insert(Address::new(*id), state);
        }
    }
    let results = execution.finish();
    states.extend(results.written);

    let packages = PackageName::ALL.map(|name| package(name, &contract));
    let transaction = Transaction {
        kind: TransactionKind::Genesis(GenesisTransaction {
            objects: states
                .values()
                .filter_map(|state| object_of(state, VERSION, Digest::ZERO))
                .chain(
                    packages
                        .iter()
                        .map(|package| package_object(package, Digest::ZERO)),
                )
                .map(|object| GenesisObject::new(object.data().clone(), *object.owner()))
                .collect(),
        }),
        ..system_transaction()
    };
    let digest = transaction.digest();
    let written: Vec<Object> = states
        .values()
        .filter_map(|state| object_of(state, VERSION, digest))
        .chain(
            packages
                .iter()
                .map(|package| package_object(package, digest)),
        )
        .collect();
    let events = (!results.events.is_empty()).then_some(TransactionEvents(results.events));
    let mut changed: Vec<ChangedObject> = written.iter().map(created).collect();
    changed.sort_by_key(|change| change.object_id);
    let effects = system_effects(0, digest, events.as_ref(), Vec::new(), VERSION, changed);
    let outputs = TransactionOutputs {
        signed: signed_by_the_network(transaction),
        effects,
        events,
        loaded: Vec::new(),
        written,
        deleted: Vec::new(),
    };
    (outputs, contract)
}

fn created(object: &Object) -> ChangedObject {
    let output_state = match object.data() {
        ObjectData::Struct(_) => ObjectOut::ObjectWrite {
            digest: object.digest(),
            owner: *object.owner(),
        },
        _ => ObjectOut::PackageWrite {
            version: object.version(),
            digest: object.digest(),
        },
    };
    ChangedObject {
        object_id: object.object_id(),
        input_state: ObjectIn::NotExist,
        output_state,
        id_operation: IdOperation::Created,
    }
}

fn package_object(package: &MovePackage, previous: Digest) -> Object {
    Object::new(
        ObjectData::Package(package.clone()),
        Owner::Immutable,
        previous,
        0,
    )
}

/// A package with empty modules. This network runs no bytecode.
fn package(name: PackageName, contract: &ContractAddresses) -> MovePackage {
    let id = name.address(contract);
    let dependency = |name: PackageName| {
        let id = name.address(contract);
        let info = UpgradeInfo {
            upgraded_id: id,
            upgraded_version: VERSION,
        };
        (id, info)
    };
    let dependencies: &[PackageName] = match name {
        PackageName::Std => &[],
        PackageName::Sui => &[PackageName::Std],
        PackageName::System | PackageName::Usdc => &[PackageName::Std, PackageName::Sui],
        PackageName::Atoma => &[PackageName::Std, PackageName::Sui, PackageName::Usdc],
    };
    MovePackage {
        id,
        version: VERSION,
        modules: name
            .modules()
            .into_iter()
            .map(|module| (Identifier::from_static(module), Vec::new()))
            .collect(),
        type_origin_table: name
            .datatypes()
            .iter()
            .map(|datatype| TypeOrigin {
                module_name: Identifier::from_static(datatype.module),
                struct_name: Identifier::from_static(datatype.name),
                package: id,
            })
            .collect(),
        linkage_table: dependencies.iter().copied().map(dependency).collect(),
    }
}

/// The shared objects that exist on every Sui network.
fn system_objects() -> Vec<ObjectState> {
    let shared = |object_type, contents| ObjectState {
        object_type,
        has_public_transfer: false,
        owner: Some(Owner::Shared(VERSION)),
        contents,
    };
    let tag = |package, module, name| {
        StructTag::new(
            package,
            Identifier::from_static(module),
            Identifier::from_static(name),
            Vec::new(),
        )
    };
    let id_and_number = |id: Address, number: u64| [id.as_bytes(), &number.to_le_bytes()].concat();
    // `Random` is its id and a `Versioned`, which is an id and a version.
    let random = [
        RANDOM.as_bytes(),
        Address::new(derive(0, "random inner")).as_bytes(),
        &1_u64.to_le_bytes(),
    ]
    .concat();
    vec![
        shared(
            tag(Address::THREE, "sui_system", "SuiSystemState"),
            id_and_number(SYSTEM_STATE, 2),
        ),
        shared(
            tag(Address::TWO, "clock", "Clock"),
            id_and_number(CLOCK, GENESIS_TIMESTAMP_MS),
        ),
        shared(tag(Address::TWO, "random", "Random"), random),
    ]
}

/// The first coins of the network's accounts, and the test currency's metadata.
fn coins(
    execution: &mut Execution<'_>,
    contract: &ContractAddresses,
    accounts: &Accounts,
) -> Vec<ObjectState> {
    let sui: TypeTag = StructTag::sui().into();
    let usdc = contract.usdc();
    let owned = [
        (&sui, FAUCET_MIST, accounts.faucet.address),
        (&sui, ACCOUNT_MIST, accounts.manager.address),
        (&sui, ACCOUNT_MIST, accounts.buyer.address),
        (&usdc, FAUCET_USDC, accounts.faucet.address),
        (&usdc, BUYER_USDC, accounts.buyer.address),
    ];
    let mut states: Vec<ObjectState> = owned
        .into_iter()
        .map(|(coin_type, balance, owner)| ObjectState {
            object_type: StructTag::coin(coin_type.clone()),
            has_public_transfer: true,
            owner: Some(Owner::Address(owner)),
            contents: [execution.fresh_id().as_bytes(), &balance.to_le_bytes()].concat(),
        })
        .collect();
    states.push(metadata(
        execution.fresh_id(),
        &usdc,
        (USDC_DECIMALS, USDC_NAME, USDC_SYMBOL, USDC_DESCRIPTION),
    ));
    states.push(metadata(execution.fresh_id(), &sui, SUI_METADATA));
    states.push(upgrade_cap(
        execution.fresh_id(),
        contract.package,
        accounts.manager.address,
    ));
    states
}

/// The manager's right to upgrade the contract, in any compatible way.
fn upgrade_cap(id: ObjectId, package: Address, manager: Address) -> ObjectState {
    let cap = UpgradeCap {
        id,
        package,
        version: VERSION,
        policy: 0,
    };
    ObjectState {
        object_type: framework_struct("package", "UpgradeCap", Vec::new()),
        has_public_transfer: true,
        owner: Some(Owner::Address(manager)),
        contents: bcs::to_bytes(&cap).unwrap_or_default(),
    }
}

/// Decimals, name, symbol and description of SUI.
pub(crate) const SUI_METADATA: (u8, &str, &str, &str) = (9, "Sui", "SUI", "");

/// A currency's `0x2::coin::CoinMetadata`.
fn metadata(
    id: ObjectId,
    currency: &TypeTag,
    (decimals, name, symbol, description): (u8, &str, &str, &str),
) -> ObjectState {
    let body = (decimals, name, symbol, description, Option::<String>::None);
    ObjectState {
        object_type: StructTag::new(
            Address::TWO,
            Identifier::from_static("coin"),
            Identifier::from_static("CoinMetadata"),
            vec![currency.clone()],
        ),
        has_public_transfer: true,
        owner: Some(Owner::Immutable),
        contents: bcs::to_bytes(&(id, body)).unwrap_or_default(),
    }
}

/// Decimal places of the test currency.
pub(crate) const USDC_DECIMALS: u8 = 6;
/// The test currency's name.
pub(crate) const USDC_NAME: &str = "Local test USDC";
/// The test currency's symbol.
pub(crate) const USDC_SYMBOL: &str = "USDC";
/// The test currency's description.
pub(crate) const USDC_DESCRIPTION: &str = "Test currency of a local network, worth nothing";

/// The objects before genesis: none.
#[derive(Debug)]
struct EmptyReader;

impl ObjectReader for EmptyReader {
    fn object(&self, _: &ObjectId) -> Option<Arc<Object>> {
        None
    }
}
