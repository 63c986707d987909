//! What a buyer pays is what the contract took (`user_paid` in `tests/vectors/fees.json`).

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use atoma_domain::contract::{ContractParameters, stack_price};
use atoma_domain::{ComputeUnits, MicroUsdc, Permille, PricePerMillion, SecurityLevel};
use serde_json::Value;

fn number(value: &Value) -> u64 {
    value
        .as_str()
        .map_or_else(|| value.as_u64().unwrap(), |text| text.parse().unwrap())
}

fn parameters(charge: u64, extra: u64) -> ContractParameters {
    ContractParameters {
        cross_validation_probability: Permille::new(1),
        cross_validation_extra_nodes_count: 1,
        sampling_consensus_charge: Permille::new(charge),
        cross_validation_extra_nodes_charge: Permille::new(extra),
        key_rotation_counter: 0,
        is_registration_disabled: false,
        fee_treasury: MicroUsdc::ZERO,
    }
}

#[test]
fn prices_are_those_that_the_contract_took() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/fees.json")).unwrap();
    let vectors = vectors.as_array().unwrap().iter();
    let paid: Vec<_> = vectors
        .filter(|vector| vector.get("user_paid").is_some())
        .collect();
    assert!(paid.len() >= 20);
    for vector in paid {
        let case = &vector["params"];
        let price = |units: &Value| {
            let price = stack_price(
                SecurityLevel::new(u16::try_from(number(&case["security_level"])).unwrap()),
                ComputeUnits::new(number(units)),
                PricePerMillion::new(number(&case["price_per_one_million_compute_units"])),
                &parameters(
                    number(&case["sampling_consensus_charge_permille"]),
                    number(&case["cross_validation_extra_nodes_charge_permille"]),
                ),
            );
            price.unwrap().get()
        };
        let units = &case["num_compute_units"];
        let several = units.as_array().map(Vec::as_slice);
        let prices = several.unwrap_or(std::slice::from_ref(units)).iter();
        let total: u64 = prices.map(price).sum();
        assert_eq!(total, number(&vector["user_paid"]), "{}", vector["case"]);
    }
}

#[test]
fn prices_beyond_64_bits_are_none() {
    let price = |level, units, charge, extra| {
        let price = PricePerMillion::new(2);
        stack_price(
            level,
            ComputeUnits::new(units),
            price,
            &parameters(charge, extra),
        )
    };
    let largest = u64::MAX / 2;
    let plain = MicroUsdc::new(largest * 2 / 1_000_000);
    assert_eq!(price(SecurityLevel::NONE, largest, 0, 0), Some(plain));
    assert_eq!(price(SecurityLevel::NONE, largest + 1, 0, 0), None);
    let sampling = SecurityLevel::SAMPLING_CONSENSUS;
    assert_eq!(price(sampling, 1_000_000, u64::MAX, 1), None);
    assert_eq!(price(sampling, 1_000_000, u64::MAX, 0), None);
    assert!(price(sampling, 500_000, u64::MAX, 0).is_some());
}
