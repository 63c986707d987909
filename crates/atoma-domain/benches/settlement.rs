//! The cost of appending and settling with the accumulator, compared with building the tree from all
//! hashes at settlement.

use atoma_domain::Hash32;
use atoma_domain::settlement::{SettlementProof, StackAccumulator};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// The last one is the worst case: the next message merges all subtrees.
const LENGTHS: [u64; 3] = [1_000, 1_000_000, (1 << 20) - 1];

fn message(number: u64) -> Hash32 {
    Hash32::of(&[&number.to_le_bytes()])
}

fn accumulator(length: u64) -> StackAccumulator {
    let mut accumulator = StackAccumulator::new();
    for number in 0..length {
        // It fails only beyond 2^64 messages.
        accumulator.append(message(number)).ok();
    }
    accumulator
}

/// Appending a message to a stack of that many.
#[divan::bench(args = LENGTHS)]
fn append(bencher: Bencher<'_, '_>, length: u64) {
    let accumulator = accumulator(length);
    let next = message(length);
    bencher
        .with_inputs(|| accumulator.clone())
        .bench_local_values(|mut accumulator| {
            accumulator.append(black_box(next)).ok();
            accumulator
        });
}

/// The root, the selected node's leaf and the commitment with two extra nodes.
#[divan::bench(args = LENGTHS)]
fn settle(bencher: Bencher<'_, '_>, length: u64) {
    let accumulator = accumulator(length);
    bencher.bench_local(|| {
        let root = black_box(&accumulator).root()?;
        SettlementProof::of_selected_node(&root, 2, 2).ok()
    });
}

/// The baseline: all hashes are stored, and the tree is built at settlement.
#[divan::bench(args = LENGTHS, sample_count = 10)]
fn settle_from_all_hashes(bencher: Bencher<'_, '_>, length: u64) {
    let hashes: Vec<u8> = (0..length)
        .flat_map(|number| *message(number).as_bytes())
        .collect();
    bencher.bench_local(|| {
        let mut level: Vec<Hash32> = black_box(&hashes)
            .chunks_exact(32)
            .filter_map(|hash| Hash32::try_from(hash).ok())
            .collect();
        while level.len() > 1 {
            level = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => Hash32::of(&[left.as_bytes(), right.as_bytes()]),
                    rest => rest.first().copied().unwrap_or(Hash32::ZERO),
                })
                .collect();
        }
        SettlementProof::of_selected_node(level.first()?, 2, 2).ok()
    });
}
