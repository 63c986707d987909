use sui_sdk_types::{Address, TypeTag};

use super::{Ability, MoveSignature, OpenType, PackageName, json};
use crate::contract::ContractAddresses;

const ADDRESSES: ContractAddresses = ContractAddresses {
    package: Address::from_static("0xa70a"),
    atoma_db: Address::ZERO,
    usdc_package: Address::from_static("0x5dc"),
};

fn vector(file: &str) -> serde_json::Value {
    let path = format!("{}/../../tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn structs_have_the_modules_fields_and_abilities() {
    let interface = vector("interface.json");
    for (name, wanted) in interface["structs"].as_object().unwrap() {
        let known = PackageName::Atoma.datatype("db", name).unwrap();
        let abilities: Vec<&str> = known
            .abilities
            .iter()
            .map(|ability| match ability {
                Ability::Copy => "copy",
                Ability::Drop => "drop",
                Ability::Store => "store",
                Ability::Key => "key",
            })
            .collect();
        let mut wanted_abilities: Vec<&str> = wanted["abilities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|ability| ability.as_str().unwrap())
            .collect();
        wanted_abilities.sort_by_key(|ability| {
            ["copy", "drop", "store", "key"]
                .iter()
                .position(|known| known == ability)
        });
        assert_eq!(abilities, wanted_abilities, "{name}");
        let wanted: Vec<(&str, &str)> = wanted["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| {
                (
                    field["name"].as_str().unwrap(),
                    field["type"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(known.fields, wanted, "{name}");
    }
}

#[test]
fn events_have_the_modules_fields() {
    for (name, wanted) in vector("event_schema.json").as_object().unwrap() {
        let known = PackageName::Atoma.datatype("db", name).unwrap();
        let names: Vec<&str> = known.fields.iter().map(|(name, _)| *name).collect();
        let wanted: Vec<&str> = wanted
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, wanted, "{name}");
    }
}

#[test]
fn every_type_in_the_tables_is_known() {
    for package in PackageName::ALL {
        for datatype in package.datatypes() {
            let parameters = vec![TypeTag::U64; datatype.type_parameters.len()];
            for (field, field_type) in datatype.fields {
                let open = OpenType::parse(field_type).unwrap_or_else(|| panic!("{field_type}"));
                assert_known(&open, field);
                assert!(
                    open.instantiate(&parameters, &ADDRESSES).is_some(),
                    "{field}"
                );
            }
        }
        for function in package.functions() {
            for text in function.parameters.iter().chain(function.returns) {
                let signature = MoveSignature::parse(text).unwrap_or_else(|| panic!("{text}"));
                assert_known(&signature.body, text);
            }
        }
    }
}

#[track_caller]
fn assert_known(open: &OpenType, place: &str) {
    match open {
        OpenType::Vector(inner) => assert_known(inner, place),
        OpenType::Datatype {
            package,
            module,
            name,
            arguments,
        } => {
            let known = package.datatype(module, name);
            assert!(known.is_some(), "{module}::{name} in {place}");
            for argument in arguments {
                assert_known(argument, place);
            }
        }
        OpenType::Primitive(_) | OpenType::Parameter(_) => {}
    }
}

#[test]
fn bytes_of_another_type_have_no_json() {
    let coin = "0x2::coin::Coin<0x2::sui::SUI>".parse().unwrap();
    let bytes = [[7; 32].as_slice(), &5_u64.to_le_bytes()].concat();
    assert!(json(&ADDRESSES, &coin, &bytes).is_some());
    assert!(json(&ADDRESSES, &coin, &bytes[1..]).is_none());
    assert!(json(&ADDRESSES, &coin, &[&bytes[..], &[0]].concat()).is_none());
    let unknown = "0x2::coin::Nothing".parse().unwrap();
    assert!(json(&ADDRESSES, &unknown, &bytes).is_none());
    // A vector that claims more elements than there are bytes.
    let badge = "0xa70a::db::StackSettlementTicketClaimedEvent"
        .parse()
        .unwrap();
    assert!(json(&ADDRESSES, &badge, &[0xff; 40]).is_none());
}
