//! How full stacks are, as numbers that sort.

use crate::ComputeUnits;

/// The share of a stack's units that is computed: the share times 2⁶⁴, rounded up. Because a
/// [threshold](Self::threshold) is a whole number on the same scale, `fill > threshold` is exactly
/// `computed / total > fraction`, for all 64-bit sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fill(u64);

impl Fill {
    /// The threshold of the fraction 1. Full stacks also have it: no smaller fraction comes near.
    const FULL: u64 = u64::MAX - 1;

    /// The fill of a stack of which so much is computed.
    pub fn of(computed: ComputeUnits, total: ComputeUnits) -> Self {
        if computed > total {
            return Self(u64::MAX);
        }
        let scaled = u128::from(computed.get()) << 64;
        // Nothing is computed of an empty stack.
        let share = scaled.div_ceil(u128::from(total.get().max(1)));
        Self(u64::try_from(share).unwrap_or(Self::FULL).min(Self::FULL))
    }

    /// What the fill of a stack exceeds if more than `fraction` (0 to 1) of it is computed.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the float is clamped to 0..=1 and scaled to at most 2^64, which fits in u128"
    )]
    pub fn threshold(fraction: f64) -> Self {
        const SCALE: f64 = 18_446_744_073_709_551_616.0;
        let scaled = (fraction.clamp(0.0, 1.0) * SCALE) as u128;
        Self(u64::try_from(scaled).unwrap_or(Self::FULL))
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the definition compares a float with integers"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn beyond(computed: u64, total: u64, fraction: f64) -> bool {
        Fill::of(ComputeUnits::new(computed), ComputeUnits::new(total)) > Fill::threshold(fraction)
    }

    /// `computed / total > fraction` without a division.
    fn is_exactly_beyond(computed: u64, total: u64, fraction: f64) -> bool {
        // A fraction is a whole number of 2⁻⁶⁴, or so small that only its being positive matters.
        let threshold = (fraction * 2_f64.powi(64)) as u128;
        match threshold >> 64 {
            0 => (u128::from(computed) << 64) > threshold * u128::from(total),
            _ => computed > total,
        }
    }

    #[test]
    fn fractions_compare_exactly() {
        assert!(beyond(1, 2, 0.25));
        assert!(!beyond(1, 2, 0.5));
        assert!(!beyond(900, 1_000, 0.9));
        assert!(beyond(u64::MAX, u64::MAX, 0.999_999_999));
        assert!(beyond(u64::MAX - 1, u64::MAX, 1.0_f64.next_down()));
        assert!(!beyond(u64::MAX, u64::MAX, 1.0));
        assert!(beyond((1 << 63) + 1, u64::MAX, 0.5));
        assert!(!beyond((1 << 63) - 1, u64::MAX, 0.5));
        assert!(!beyond(0, 0, 0.0));
        assert!(beyond(1, 0, 1.0));
        assert!(beyond(1, u64::MAX, 0.0));
    }

    /// Sizes of all magnitudes, with parts of them and now and then more.
    fn sizes() -> impl Strategy<Value = (u64, u64)> {
        (0_u32..64, any::<u64>(), any::<u64>(), 0_u32..4).prop_map(|(shift, part, total, kind)| {
            let total = total >> shift;
            match kind {
                0 => (total, total),
                1 => (total.saturating_sub(part % 3), total),
                2 => (part >> shift, total),
                _ => (part.checked_rem(total).unwrap_or(0), total),
            }
        })
    }

    proptest! {
        #[test]
        fn fill_is_the_exact_comparison((computed, total) in sizes(), fraction in 0.0..=1.0_f64) {
            let expected = is_exactly_beyond(computed, total, fraction);
            prop_assert_eq!(beyond(computed, total, fraction), expected);
        }

        /// Also where the fraction is about the stack's own.
        #[test]
        fn fill_is_exact_near_the_fraction((computed, total) in sizes(), steps in -2_i32..=2) {
            let mut fraction = (computed as f64 / total.max(1) as f64).min(1.0);
            for _ in 0..steps.abs() {
                fraction = if steps > 0 { fraction.next_up() } else { fraction.next_down() };
            }
            let fraction = fraction.clamp(0.0, 1.0);
            let expected = is_exactly_beyond(computed, total, fraction);
            prop_assert_eq!(beyond(computed, total, fraction), expected);
        }
    }
}
