//! `interface.json`: the table of functions matches the module's interface.

use super::vectors::{load, text};
use crate::contract::ContractAddresses;
use crate::contract::abi::{self, Passing, Visibility};
use sui_sdk_types::Address;

#[test]
fn functions_have_the_modules_signatures() {
    let addresses = ContractAddresses {
        package: Address::from_static("0xa70a"),
        atoma_db: Address::ZERO,
        usdc_package: Address::from_static("0x5dc"),
    };
    let short = |text: String| {
        let mut text = text;
        for (long, short) in [
            (Address::from_static("0xa70a").to_string(), "atoma"),
            (Address::from_static("0x5dc").to_string(), "usdc"),
            (Address::from_static("0x1").to_string(), "0x1"),
            (Address::TWO.to_string(), "0x2"),
        ] {
            text = text.replace(&long, short);
        }
        text
    };
    let vectors = load("interface.json");
    for (name, vector) in vectors["functions"].as_object().unwrap() {
        let function = abi::function(name).unwrap_or_else(|| panic!("{name} is missing"));
        let visibility = match function.visibility {
            Visibility::Public => "public",
            Visibility::Private => "private",
        };
        assert_eq!(visibility, text(vector, "visibility"), "{name}");
        assert_eq!(Some(function.is_entry), vector["is_entry"].as_bool());
        assert_eq!(
            function.takes_context,
            vector["tx_context_supplied_by_vm"].is_string(),
            "{name}"
        );
        let wanted = vector["ptb_arguments"].as_array().unwrap();
        assert_eq!(function.parameters.len(), wanted.len(), "{name}");
        for (parameter, wanted) in function.parameters.iter().zip(wanted) {
            assert_eq!(parameter.name, text(wanted, "name"), "{name}");
            let reference = match parameter.passing() {
                Passing::Reference => "&",
                Passing::MutableReference => "&mut ",
                Passing::Value => "",
            };
            let actual = format!(
                "{reference}{}",
                short(parameter.type_tag(&addresses).to_string())
            );
            assert_eq!(actual, text(wanted, "move_type"), "{name}");
        }
        let random = wanted
            .iter()
            .any(|wanted| text(wanted, "move_type").contains("Random"));
        assert_eq!(function.takes_random(), random, "{name}");
    }
}
