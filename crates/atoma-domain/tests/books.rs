//! The books of every recorded purchase and claim are the contract's (`tests/vectors/fees.json`).

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;

use atoma_domain::books::{
    BookEntry, BookedClaim, BookedTransaction, DifferenceKind, Ledger, LineKind, Posted,
    StackTerms, split_claim,
};
use atoma_domain::contract::{Charges, ChargesHistory, ChargesRead};
use atoma_domain::{
    Address, ComputeUnits, Digest, Epoch, MicroUsdc, NodeSmallId, Permille, PricePerMillion,
    SecurityLevel, StackSmallId, TaskSmallId, TimestampMs,
};
use proptest::prelude::*;
use serde_json::Value;

const OPERATOR: Address = Address::new([1; 32]);
const BUYER: Address = Address::new([2; 32]);

fn number(value: &Value) -> u64 {
    value
        .as_str()
        .map_or_else(|| value.as_u64().unwrap(), |text| text.parse().unwrap())
}

fn ids(value: &Value) -> Vec<NodeSmallId> {
    let ids = value.as_array().unwrap().iter();
    ids.map(|id| NodeSmallId::new(number(id))).collect()
}

fn transaction(sequence: u64, sender: Address, entries: Vec<BookEntry>) -> BookedTransaction {
    BookedTransaction {
        sequence,
        digest: Digest::new([7; 32]),
        timestamp: TimestampMs::new(sequence),
        epoch: Epoch::new(3),
        contract_version: Some(sequence),
        sender,
        has_others: false,
        balance_changes: Some(BTreeMap::new()),
        entries,
    }
}

/// The transactions of a vector: the registration of its nodes, the purchases, the claim and the withdrawals.
fn transactions(vector: &Value) -> Vec<BookedTransaction> {
    let case = &vector["params"];
    let events = vector["events"].as_array().unwrap();
    let of = |name: &'static str| events.iter().filter(move |event| event["type"] == name);
    let level = SecurityLevel::new(u16::try_from(number(&case["security_level"])).unwrap());
    let terms: BTreeMap<u64, StackTerms> = of("StackCreatedEvent")
        .map(|event| {
            let fields = &event["fields"];
            let stack = number(&fields["stack_small_id"]);
            let terms = StackTerms {
                stack_small_id: StackSmallId::new(stack),
                task_small_id: TaskSmallId::new(number(&fields["task_small_id"])),
                owner: BUYER,
                selected_node_id: NodeSmallId::new(number(&fields["selected_node_id"])),
                num_compute_units: ComputeUnits::new(number(&fields["num_compute_units"])),
                price_per_one_million_compute_units: PricePerMillion::new(number(
                    &fields["price_per_one_million_compute_units"],
                )),
                security_level: level,
            };
            (stack, terms)
        })
        .collect();
    let nodes = (1..=9).map(|node| BookEntry::Registered {
        node: NodeSmallId::new(node),
    });
    let bought = terms.values().map(|terms| BookEntry::Bought {
        stack: terms.stack_small_id,
        node: terms.selected_node_id,
        terms: Some(*terms),
    });
    let mut purchase = transaction(2, BUYER, bought.collect());
    let paid = i128::from(number(&vector["user_paid"]));
    purchase.balance_changes = Some(BTreeMap::from([(BUYER, -paid)]));

    let attested = |stack: u64| -> Vec<NodeSmallId> {
        of("NewStackSettlementAttestationEvent")
            .filter(|event| number(&event["fields"]["stack_small_id"]) == stack)
            .map(|event| NodeSmallId::new(number(&event["fields"]["attestation_node_id"])))
            .collect()
    };
    let claims = events.iter().filter_map(|event| {
        let fields = &event["fields"];
        let requested = match event["type"].as_str()? {
            "StackSettlementTicketClaimedEvent" => ids(&fields["attestation_nodes"]),
            "ClaimedStackEvent" => Vec::new(),
            _ => return None,
        };
        let stack = number(&fields["stack_small_id"]);
        Some(BookEntry::Claimed(BookedClaim {
            stack: StackSmallId::new(stack),
            node: NodeSmallId::new(number(&fields["selected_node_id"])),
            claimed: ComputeUnits::new(number(&fields["num_claimed_compute_units"])),
            refund: MicroUsdc::new(number(&fields["user_refund_amount"])),
            terms: terms.get(&stack).copied(),
            requested,
            attested: attested(stack),
        }))
    });
    let mut claim = transaction(3, OPERATOR, claims.collect());
    claim.balance_changes = Some(coins(&vector["coins_after_claim"], "node1"));
    vec![transaction(1, OPERATOR, nodes.collect()), purchase, claim]
}

/// What the buyer and the node were paid.
fn coins(coins: &Value, node: &str) -> BTreeMap<Address, i128> {
    let mut changes = BTreeMap::new();
    // Without coins the field is missing.
    for coin in coins.as_array().into_iter().flatten() {
        let to = match coin["to"].as_str().unwrap() {
            "user" => BUYER,
            to if to == node => OPERATOR,
            _ => continue,
        };
        *changes.entry(to).or_default() += i128::from(number(&coin["amount"]));
    }
    changes
}

fn charges(case: &Value) -> Charges {
    Charges {
        sampling_consensus: Permille::new(number(&case["sampling_consensus_charge_permille"])),
        extra_nodes: Permille::new(number(
            &case["cross_validation_extra_nodes_charge_permille"],
        )),
        extra_nodes_count: number(&case["cross_validation_extra_nodes_count"]),
    }
}

fn ledger(charges: Charges) -> Ledger {
    let reads = vec![ChargesRead {
        charges,
        first: 1,
        last: 100,
    }];
    let own = (1..=9).map(NodeSmallId::new);
    Ledger::new(own, ChargesHistory::new(reads), [])
}

fn vectors() -> Vec<Value> {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../../tests/vectors/fees.json")).unwrap();
    vectors
        .into_iter()
        .filter(|vector| vector["outcome"] == "ok" && vector.get("user_paid").is_some())
        .filter(|vector| {
            vector["params"]
                .get("sampling_consensus_charge_permille")
                .is_some()
        })
        .collect()
}

#[test]
fn every_recorded_claim_is_booked_to_the_last_unit() {
    let vectors = vectors();
    assert!(vectors.len() >= 20, "{}", vectors.len());
    for vector in vectors {
        let case = vector["case"].as_str().unwrap();
        let mut ledger = ledger(charges(&vector["params"]));
        for transaction in transactions(&vector) {
            let posted = ledger.post(&transaction);
            assert_eq!(posted.differences, [], "{case}");
            assert_eq!(posted.unchecked, None, "{case}");
        }
        // What the contract's entries of the nodes say that it owes them.
        let entries = vector["node_fee_entries_after_claim"].as_object().unwrap();
        for (node, entry) in entries {
            let node = NodeSmallId::new(node.parse().unwrap());
            let owed = u128::from(number(&entry["available_fee_amount"]));
            assert_eq!(ledger.owed(node), Some(owed), "{case}: node {node}");
        }
        // Each node's own withdrawal pays exactly that.
        let Some(coins) = vector.get("coins_after_withdraw") else {
            continue;
        };
        let mut withdrawn = BTreeMap::new();
        for (node, _) in entries {
            let name = format!("node{node}");
            let node = NodeSmallId::new(node.parse().unwrap());
            let mut transaction = transaction(4, OPERATOR, vec![BookEntry::Withdrawn { node }]);
            let paid = self::coins(coins, &name);
            let paid: i128 = paid.values().sum();
            transaction.balance_changes = Some(BTreeMap::from([(OPERATOR, paid)]));
            withdrawn.insert(node, (transaction, paid));
        }
        for (node, (transaction, paid)) in withdrawn {
            if paid == 0 {
                continue;
            }
            let posted = ledger.post(&transaction);
            assert_eq!(posted.differences, [], "{case}: node {node}");
            assert_eq!(ledger.owed(node), Some(0), "{case}");
        }
    }
}

/// The case of the worked example in `docs/books.md`.
fn example() -> (Ledger, Vec<BookedTransaction>) {
    let vectors = vectors();
    let vector = vectors
        .iter()
        .find(|vector| vector["case"] == "level2.extra1.attested.covered_by_the_purchase/1")
        .unwrap();
    (ledger(charges(&vector["params"])), transactions(vector))
}

fn amounts(posted: &Posted) -> Vec<(LineKind, u64, u64)> {
    let lines = posted.lines.iter();
    lines
        .map(|line| (line.kind, line.node.get(), line.amount.unwrap().get()))
        .collect()
}

#[test]
fn the_example_of_the_documentation() {
    let (mut ledger, transactions) = example();
    let posted: Vec<_> = transactions
        .iter()
        .map(|transaction| amounts(&ledger.post(transaction)))
        .collect();
    assert_eq!(posted[1], [(LineKind::Bought, 1, 896_000)]);
    assert_eq!(
        posted[2],
        [
            (LineKind::Fee, 1, 7_920),
            (LineKind::Refund, 1, 872_080),
            (LineKind::Share, 2, 7_920),
        ]
    );
    assert_eq!(ledger.owed(NodeSmallId::new(2)), Some(7_920));
    let page = include_str!("../../../docs/books.md");
    for number in ["896,000", "7,920", "872,080", "8,080"] {
        assert!(page.contains(number), "docs/books.md lacks {number}");
    }
}

#[test]
fn a_single_unit_is_a_difference() {
    let (ledger, transactions) = example();
    let differences = |change: &dyn Fn(&mut BookedTransaction)| {
        let mut ledger = ledger.clone();
        let mut found = Vec::new();
        for mut transaction in transactions.clone() {
            if transaction.sequence == 3 {
                change(&mut transaction);
            }
            found.extend(ledger.post(&transaction).differences);
        }
        found
    };
    let by_one = |address: Address| {
        move |transaction: &mut BookedTransaction| {
            let changes = transaction.balance_changes.as_mut().unwrap();
            *changes.entry(address).or_default() -= 1;
        }
    };
    for address in [OPERATOR, BUYER] {
        let found = differences(&by_one(address));
        let [difference] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(difference.kind, DifferenceKind::Balance);
        assert_eq!(difference.address, Some(address));
        assert_eq!(difference.computed, Some(difference.recorded + 1));
    }
    let found = differences(&|transaction| {
        let Some(BookEntry::Claimed(claim)) = transaction.entries.first_mut() else {
            panic!("{transaction:?}");
        };
        claim.refund = MicroUsdc::new(claim.refund.get() + 1);
    });
    assert_eq!(found[0].kind, DifferenceKind::Refund);
    assert_eq!(found[0].computed, Some(872_080));
    assert_eq!(found[0].recorded, 872_081);
}

#[test]
fn what_is_not_known_is_not_invented() {
    // Without charges the refund that the event names tells the fee, and nothing tells the share.
    let (_, transactions) = example();
    let mut ledger = Ledger::new((1..=9).map(NodeSmallId::new), ChargesHistory::default(), []);
    let posted: Vec<_> = transactions.iter().map(|t| ledger.post(t)).collect();
    // What the buyer paid tells the price, which then can't be compared with it.
    assert_eq!(amounts(&posted[1]), [(LineKind::Bought, 1, 896_000)]);
    assert!(posted[1].unchecked.is_some());
    let amounts: Vec<_> = posted[2].lines.iter().map(|line| line.amount).collect();
    assert_eq!(
        amounts,
        [Some(7_920), Some(872_080), None].map(|amount| amount.map(MicroUsdc::new))
    );
    assert_eq!(posted[2].unchecked, None);
    assert_eq!(ledger.owed(NodeSmallId::new(2)), None);

    // After a gap it is not known what the contract owes, until a withdrawal has paid it.
    let (_, transactions) = example();
    let reads = vec![ChargesRead {
        charges: Charges {
            sampling_consensus: Permille::new(1_100),
            extra_nodes: Permille::new(20),
            extra_nodes_count: 1,
        },
        first: 1,
        last: 9,
    }];
    let mut ledger = Ledger::new(
        (1..=9).map(NodeSmallId::new),
        ChargesHistory::new(reads),
        [2],
    );
    for transaction in &transactions {
        assert_eq!(ledger.post(transaction).differences, []);
    }
    let node = NodeSmallId::new(2);
    assert_eq!(ledger.owed(node), None);
    let mut withdrawal = transaction(9, OPERATOR, vec![BookEntry::Withdrawn { node }]);
    withdrawal.balance_changes = Some(BTreeMap::from([(OPERATOR, 12_345)]));
    let posted = ledger.post(&withdrawal);
    assert_eq!(posted.lines[0].amount, Some(MicroUsdc::new(12_345)));
    assert_eq!(posted.differences, []);
    assert_eq!(ledger.owed(node), Some(0));
}

/// A claim of a sampled stack at a charge that was never read, since it was changed before the first read.
fn before_the_first_read(change: impl Fn(&mut BookedTransaction)) -> (Posted, Option<u128>) {
    let (_, transactions) = example();
    let read = ChargesRead {
        charges: Charges {
            sampling_consensus: Permille::new(1_300),
            extra_nodes: Permille::new(20),
            extra_nodes_count: 1,
        },
        first: 50,
        last: 60,
    };
    let history = ChargesHistory::new(vec![read]);
    let mut ledger = Ledger::new((1..=9).map(NodeSmallId::new), history, []);
    let mut last = Posted::default();
    for mut transaction in transactions {
        if transaction.sequence == 3 {
            change(&mut transaction);
        }
        last = ledger.post(&transaction);
    }
    (last, ledger.owed(NodeSmallId::new(2)))
}

#[test]
fn a_charge_that_was_changed_before_it_was_first_read_is_derived_or_unknown() {
    let known = |posted: &Posted| -> Vec<Option<u64>> {
        let lines = posted.lines.iter();
        lines.map(|line| line.amount.map(MicroUsdc::get)).collect()
    };
    let claim =
        |transaction: &mut BookedTransaction, change: &dyn Fn(&mut BookedClaim)| match transaction
            .entries
            .first_mut()
        {
            Some(BookEntry::Claimed(claim)) => change(claim),
            other => panic!("{other:?}"),
        };
    // The refund leaves one charge.
    let (posted, owed) = before_the_first_read(|_| {});
    assert_eq!(known(&posted), [Some(7_920), Some(872_080), None]);
    assert_eq!(
        (posted.differences.len(), posted.unchecked, owed),
        (0, None, None)
    );
    // It does even if other nodes are paid too.
    let (posted, _) = before_the_first_read(|transaction| transaction.has_others = true);
    assert_eq!(known(&posted)[0], Some(7_920));
    // All units are claimed, so the refund tells nothing, and what the sender was paid does.
    let all = |transaction: &mut BookedTransaction| {
        claim(transaction, &|claim| {
            claim.claimed = ComputeUnits::new(1_000_000);
            claim.refund = MicroUsdc::new(0);
        });
        transaction.balance_changes = Some(BTreeMap::from([(OPERATOR, 880_000)]));
    };
    let (posted, _) = before_the_first_read(all);
    assert_eq!(known(&posted), [Some(880_000), Some(0), None]);
    assert!(posted.differences.is_empty() && posted.unchecked.is_some());
    // Nor does that if it was not told.
    let (posted, _) = before_the_first_read(|transaction| {
        all(transaction);
        transaction.balance_changes = None;
    });
    assert_eq!(known(&posted), [None, Some(0), None]);
    assert_eq!(posted.differences, []);
    // A refund that no charge gives is a difference.
    let (posted, _) = before_the_first_read(|transaction| {
        claim(transaction, &|claim| claim.refund = MicroUsdc::new(872_081));
    });
    assert_eq!(posted.differences[0].kind, DifferenceKind::Impossible);
}

#[test]
fn of_two_charges_the_one_that_fits_counts() {
    let (_, transactions) = example();
    let read = |charge, version| ChargesRead {
        charges: Charges {
            sampling_consensus: Permille::new(charge),
            extra_nodes: Permille::new(20),
            extra_nodes_count: 1,
        },
        first: version,
        last: version,
    };
    for (before, after) in [(1_100, 1_300), (1_300, 1_100)] {
        let history = ChargesHistory::new(vec![read(before, 1), read(after, 9)]);
        let mut ledger = Ledger::new((1..=9).map(NodeSmallId::new), history, []);
        for transaction in &transactions {
            assert_eq!(ledger.post(transaction).differences, []);
        }
    }
}

proptest! {
    /// A claim divides no more than the charge without the surcharge, and shares no more than the fee. (What the buyer paid
    /// can be less than all of it: then the treasury pays the rest.)
    #[test]
    fn the_parts_of_a_claim_never_exceed_the_whole(
        (units, claimed) in (1..2_000_000_u64).prop_flat_map(|units| (Just(units), 0..=units)),
        price in 1..3_000_000_u64,
        charge in 1_000..2_000_u64,
        count in 1..6_u64,
        attested in prop::collection::vec(any::<bool>(), 0..6),
    ) {
        let attested: Vec<_> = attested.into_iter().take(usize::try_from(count).unwrap()).collect();
        let (_, transactions) = example();
        let Some(BookEntry::Bought { terms: Some(terms), .. }) = transactions[1].entries.first() else {
            panic!("{transactions:?}");
        };
        let terms = StackTerms {
            num_compute_units: ComputeUnits::new(units),
            price_per_one_million_compute_units: PricePerMillion::new(price),
            ..*terms
        };
        let charges = Charges {
            sampling_consensus: Permille::new(charge),
            extra_nodes: Permille::new(0),
            extra_nodes_count: count,
        };
        let drawn: Vec<_> = (0..attested.len()).map(|place| NodeSmallId::new(u64::try_from(place).unwrap() + 2)).collect();
        let had: Vec<_> = drawn.iter().zip(&attested).filter(|(_, had)| **had).map(|(node, _)| *node).collect();
        let split = split_claim(&terms, ComputeUnits::new(claimed), &drawn, &had, &charges).unwrap();
        let whole = u128::from(units) * u128::from(price) * u128::from(charge) / 1_000_000_000;
        let (fee, refund) = (u128::from(split.fee.get()), u128::from(split.refund.get()));
        prop_assert!(fee + refund <= whole && whole <= fee + refund + 1);
        prop_assert_eq!(split.credited.len() + split.late.len(), drawn.len());
        let shares = u128::from(split.share.get()) * u128::try_from(drawn.len()).unwrap();
        prop_assert!(shares <= fee);
    }
}
