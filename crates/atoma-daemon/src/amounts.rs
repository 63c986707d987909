//! Amounts for people.

use atoma_domain::ports::GasCoin;
use atoma_domain::{MicroUsdc, Mist};

/// What coins hold together.
pub(crate) fn total(coins: &[GasCoin]) -> Mist {
    let balances = coins.iter().map(|coin| coin.balance);
    balances.fold(Mist::ZERO, Mist::saturating_add)
}

/// An amount of SUI, exact.
pub(crate) fn sui(amount: Mist) -> String {
    let mist = amount.get();
    format!("{}.{:09} SUI", mist / 1_000_000_000, mist % 1_000_000_000)
}

/// What gas cost, exact: what was paid less what came back.
pub(crate) fn gas_cost(used: Mist, returned: Mist) -> String {
    match returned.checked_sub(used) {
        Ok(back) if back > Mist::ZERO => format!("-{}", sui(back)),
        _ => sui(used.checked_sub(returned).unwrap_or(Mist::ZERO)),
    }
}

/// An amount of USDC, exact.
pub(crate) fn usdc(amount: MicroUsdc) -> String {
    let micro = amount.get();
    format!("{}.{:06} USDC", micro / 1_000_000, micro % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(sui(Mist::new(u64::MAX)), "18446744073.709551615 SUI");
        assert_eq!(sui(Mist::new(1)), "0.000000001 SUI");
        let cost = |used, returned| gas_cost(Mist::new(used), Mist::new(returned));
        assert_eq!(cost(3, 1), "0.000000002 SUI");
        assert_eq!(cost(1, 3), "-0.000000002 SUI");
        assert_eq!(cost(3, 3), "0.000000000 SUI");
        assert_eq!(usdc(MicroUsdc::new(1_500_000)), "1.500000 USDC");
    }
}
