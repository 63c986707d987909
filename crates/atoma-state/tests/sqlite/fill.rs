//! Lists of fuller stacks, compared with what they mean; and the column that they are read by.

#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the definition compares a float with integers"
)]

use std::collections::BTreeMap;

use atoma_domain::model::{Fill, NewMessage, Stack};
use atoma_domain::ports::{Page, ServedWork, StackFilter, StateReader};
use atoma_state::SqliteState;
use proptest::prelude::*;

use crate::raw::Database;
use crate::suite::fixtures::*;

/// A stack: its selected node, its units, and how much of them is served in each message. Every second
/// message is also recorded by another node.
fn stacks() -> impl Strategy<Value = Vec<(u64, u64, Vec<u64>)>> {
    let size = prop_oneof![0..200_u64, any::<u64>(), Just(u64::MAX)];
    let parts = prop::collection::vec(0..=100_u64, 0..4);
    prop::collection::vec((1..=3_u64, size, parts), 1..30)
}

/// A part of a number, in percent.
fn part(size: u64, percent: u64) -> u64 {
    u64::try_from(u128::from(size) * u128::from(percent) / 100).unwrap()
}

async fn all(store: &SqliteState, filled_beyond: Option<f64>, limit: u32) -> Vec<Stack> {
    let filter = StackFilter {
        nodes: &[node(1), node(2)],
        filled_beyond,
    };
    let mut found: Vec<Stack> = Vec::new();
    loop {
        let after = found.last().map(|stack| stack.stack_small_id);
        let page = store.stacks(filter, Page { after, limit }).await.unwrap();
        let is_last = page.len() < usize::try_from(limit).unwrap();
        found.extend(page);
        if is_last {
            return found;
        }
    }
}

/// `computed / total > fraction` without a division and without the column.
fn is_beyond(stack: &Stack, fraction: f64) -> bool {
    let (computed, total) = (
        stack.already_computed_units.get(),
        stack.num_compute_units.get(),
    );
    let threshold = (fraction * 2_f64.powi(64)) as u128;
    match threshold >> 64 {
        0 => (u128::from(computed) << 64) > threshold * u128::from(total),
        _ => computed > total,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn fuller_stacks_are_listed_exactly(
        stacks in stacks(),
        fractions in prop::collection::vec(prop_oneof![0.0..=1.0_f64, Just(0.5), Just(0.95), Just(1.0)], 1..4),
        limit in 1..10_u32,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = SqliteState::open_temporary().await.unwrap();
            let ids = || (1_u64..).zip(&stacks);
            let events = ids().map(|(id, (selected, size, _))| bought(id, *selected, *size));
            apply_events(&store, 1, events.collect()).await;
            for (id, (selected, size, percents)) in ids() {
                for (number, percent) in (0_u64..).zip(percents) {
                    let used = message(id, number, part(*size, *percent));
                    store.record_message(&used).await.unwrap();
                    if number % 2 == 1 {
                        let other = Some(node(1 + selected % 3));
                        let used = NewMessage { node_small_id: other, ..used };
                        store.record_message(&used).await.unwrap();
                    }
                }
            }
            let listed = all(&store, None, 1_000).await;
            for fraction in fractions {
                let expected: Vec<_> = listed.iter().filter(|stack| is_beyond(stack, fraction)).cloned().collect();
                assert_eq!(all(&store, Some(fraction), limit).await, expected, "{fraction}");
            }
        });
    }
}

/// Each column is what it is derived from, after every kind of write to a record.
#[tokio::test]
async fn the_fill_is_never_stale() {
    let database = Database::new();
    let store = database.open().await;
    let sizes = BTreeMap::from([(1, 100), (2, 3), (3, 0), (4, u64::MAX)]);
    let events = sizes.iter().map(|(id, size)| bought(*id, 1, *size));
    apply_events(&store, 1, events.collect()).await;
    for id in [1, 2, 4] {
        store
            .reserve_units(&reservation(id, 1), at(1))
            .await
            .unwrap();
    }
    for (number, used) in [(1, 1), (2, 40), (3, 0), (4, u64::MAX)] {
        for id in sizes.keys() {
            store
                .record_message(&message(*id, number, used))
                .await
                .unwrap();
        }
        let raw = database.raw().await;
        let rows: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> =
            sqlx::query_as("SELECT stack_small_id, computed_units, fill FROM work_records")
                .fetch_all(&raw)
                .await
                .unwrap();
        raw.close().await;
        assert_eq!(rows.len(), sizes.len());
        let read = |bytes: Vec<u8>| u64::from_be_bytes(bytes.try_into().unwrap());
        for (id, computed, fill) in rows {
            let size = sizes[&read(id)];
            let expected = Fill::of(units(read(computed)), units(size));
            assert_eq!(read(fill), expected.get());
        }
    }
    store.close().await;
    for (statement, refusal) in [
        (
            "UPDATE work_records SET computed_units = x'0000000000000003' \
             WHERE stack_small_id = x'0000000000000001'",
            "follows its units",
        ),
        (
            "UPDATE work_records SET fill = x'0000000000000003', fill_level = '0' \
             WHERE stack_small_id = x'0000000000000001'",
            "follows its units",
        ),
        (
            "UPDATE work_records SET fill = NULL, fill_level = NULL",
            "has a fill",
        ),
        ("UPDATE work_records SET fill_level = '1'", "CHECK"),
    ] {
        let refused = database.run(statement).await.unwrap_err().to_string();
        assert!(refused.contains(refusal), "{statement}: {refused}");
    }
}
