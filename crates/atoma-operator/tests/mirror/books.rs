//! Whatever happens to the contract, the books of both operators are the network's own state, to the last unit.

use std::collections::BTreeMap;

use atoma_domain::books::{Ledger, LineKind, Posted};
use atoma_domain::contract::{ContractCall, EntriesRead};
use atoma_domain::ports::{
    BookRecords as _, ChainEvents as _, ContractState as _, MirrorRepair as _, Page, Repair,
};
use atoma_domain::reconciliation::Cause;
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{ComputeUnits, NodeSmallId, StackSmallId, TaskSmallId, TimestampMs};
use atoma_localnet::{Parameters, Purchase};
use atoma_state::SqliteState;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use crate::world::{PRICE, World, root};

/// A step. A call that the contract refuses is a step too.
#[derive(Clone, Debug)]
enum Step {
    Buy(usize, Index, u64, u64),
    Settle(Index, u64),
    Attest(usize, Index),
    Claim(Vec<Index>),
    ClaimConfidential(Index, u64),
    Epoch,
    Withdraw(usize),
    Charge(u64, u64, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2_usize;
    let of = any::<Index>;
    prop_oneof![
        8 => (who.clone(), of(), 1..1_000_000_u64, 1_000..2_000_000_u64)
            .prop_map(|(who, task, units, price)| Step::Buy(who, task, units, price)),
        8 => (of(), 0..=1_000_u64).prop_map(|(stack, share)| Step::Settle(stack, share)),
        6 => (who.clone(), of()).prop_map(|(who, stack)| Step::Attest(who, stack)),
        4 => prop::collection::vec(of(), 1..4).prop_map(Step::Claim),
        2 => (of(), 0..=1_000_u64).prop_map(|(stack, share)| Step::ClaimConfidential(stack, share)),
        4 => Just(Step::Epoch),
        1 => who.prop_map(Step::Withdraw),
        1 => (1_000..2_000_u64, 0..100_u64, 1..3_u64).prop_map(|(charge, extra, count)| Step::Charge(charge, extra, count)),
    ]
}

/// A stack that was bought.
#[derive(Clone, Copy)]
struct Bought {
    id: StackSmallId,
    who: usize,
    units: u64,
}

impl Bought {
    /// Some of its units, in thousandths.
    fn part(self, thousandths: u64) -> ComputeUnits {
        ComputeUnits::new(self.units * thousandths / 1_000)
    }
}

struct History {
    world: World,
    tasks: Vec<TaskSmallId>,
    stacks: Vec<Bought>,
    /// The mirror of each operator.
    stores: Vec<SqliteState>,
}

impl History {
    async fn begin() -> Self {
        let world = World::start().await;
        let tasks: Vec<_> = (0..3).map(|level| world.task(level)).collect();
        for task in &tasks {
            world.subscribe(0, *task).await;
            world.subscribe(1, *task).await;
        }
        let mut stores = Vec::new();
        for _ in &world.operators {
            stores.push(SqliteState::open_temporary().await.unwrap());
        }
        let history = Self {
            world,
            tasks,
            stacks: Vec::new(),
            stores,
        };
        history.note_charges().await;
        history
    }

    /// The charges as they are now, in each mirror.
    async fn note_charges(&self) {
        let read = EntriesRead {
            counters: self.world.chain.counters().await.unwrap(),
            mirrored_before: 0,
            entries: Vec::new(),
        };
        for store in &self.stores {
            let repair = Repair::Mirror(Cause::Periodic);
            let noted = store.reconcile(&read, repair, &[], TimestampMs::new(1));
            noted.await.unwrap();
        }
    }

    async fn take(&mut self, step: &Step) {
        let of = |index: &Index| (!self.stacks.is_empty()).then(|| *index.get(&self.stacks));
        match step {
            Step::Buy(who, task, units, price) => {
                let purchase = Purchase {
                    task_small_id: *task.get(&self.tasks),
                    num_compute_units: *units,
                    price: *price,
                    count: 1,
                    node_small_id: Some(self.world.operators[*who].node),
                };
                assert!(*price >= PRICE.get());
                let bought = self.world.localnet.buy_stacks(&purchase).unwrap();
                self.stacks.push(Bought {
                    id: bought[0],
                    who: *who,
                    units: *units,
                });
            }
            Step::Settle(stack, share) => {
                let Some(stack) = of(stack) else { return };
                let settle = ContractCall::TrySettleStack {
                    stack: stack.id,
                    claimed: stack.part(*share),
                    proof: SettlementProof::of_selected_node(&root(), 1, 1).unwrap(),
                };
                self.world.call(stack.who, settle).await;
            }
            Step::Attest(who, stack) => {
                let Some(stack) = of(stack) else { return };
                let proof = SettlementProof::of_attester(&root(), 64, 1, 0).unwrap();
                let attest = ContractCall::SubmitAttestation {
                    stack: stack.id,
                    proof,
                };
                self.world.call(*who, attest).await;
            }
            Step::Claim(stacks) => {
                let stacks: Vec<_> = stacks.iter().filter_map(of).collect();
                let Some(first) = stacks.first() else { return };
                let own = stacks.iter().filter(|stack| stack.who == first.who);
                let stacks = own.map(|stack| stack.id).collect();
                self.world
                    .call(first.who, ContractCall::ClaimFunds { stacks })
                    .await;
            }
            Step::ClaimConfidential(stack, share) => {
                let Some(stack) = of(stack) else { return };
                let stacks = vec![(stack.id, stack.part(*share))];
                let claim = ContractCall::ClaimFundsForStacks { stacks };
                self.world.call(stack.who, claim).await;
            }
            Step::Epoch => {
                self.world.localnet.advance_epoch().unwrap();
            }
            Step::Withdraw(who) => {
                self.world.call(*who, ContractCall::WithdrawFees).await;
            }
            Step::Charge(charge, extra, count) => {
                let parameters = Parameters {
                    sampling_consensus_charge_permille: Some(*charge),
                    cross_validation_extra_nodes_charge_permille: Some(*extra),
                    cross_validation_extra_nodes_count: Some(*count),
                    ..Parameters::default()
                };
                self.note_charges().await;
                self.world.localnet.set_parameters(&parameters).unwrap();
                self.note_charges().await;
            }
        }
    }

    /// The books of an operator, in which nothing differs and everything was compared.
    async fn books(&self, who: usize) -> (Ledger, Vec<Posted>) {
        let store = &self.stores[who];
        let node = self.world.operators[who].node;
        let frames = self.world.ledger().await;
        let operator = self.world.address_of(who);
        store.apply(&frames, operator).await.unwrap();
        let marks = store.book_marks().await.unwrap();
        let mut ledger = Ledger::new([node], marks.charges, marks.gaps);
        let mut posts = Vec::new();
        let all = Page::first(10_000);
        for transaction in store.book_transactions(all).await.unwrap() {
            let posted = ledger.post(&transaction);
            assert_eq!(posted.differences, [], "{transaction:?}");
            assert_eq!(posted.unchecked, None, "{transaction:?}");
            posts.push(posted);
        }
        (ledger, posts)
    }

    async fn assert_books_are_the_networks(&self) {
        self.note_charges().await;
        let state = self.world.localnet.state().unwrap();
        let mut treasury = 0;
        for (who, operator) in self.world.operators.iter().enumerate() {
            let (ledger, posts) = self.books(who).await;
            let sums = sums(&posts, operator.node);
            let sum = |kind| sums.get(&kind).copied().unwrap_or_default();
            let owed = number(&state["nodes"][operator.node.to_string()]["available_fee_amount"]);
            assert_eq!(ledger.owed(operator.node), Some(owed), "owed");
            assert_eq!(sum(LineKind::Share) - sum(LineKind::Withdrawn), owed);
            let address = self.world.address_of(who).to_string();
            let received = sum(LineKind::Fee) + sum(LineKind::Withdrawn);
            assert_eq!(usdc(&state["balances"][address]), received, "balance");
            treasury += i128::try_from(sum(LineKind::Bought)).unwrap();
            treasury -= i128::try_from(received + sum(LineKind::Refund)).unwrap();
        }
        let left = i128::try_from(number(&state["fee_treasury"])).unwrap();
        assert_eq!(treasury, left, "treasury");
    }
}

fn sums(posts: &[Posted], node: NodeSmallId) -> BTreeMap<LineKind, u128> {
    let mut sums = BTreeMap::new();
    for line in posts.iter().flat_map(|posted| &posted.lines) {
        assert_eq!(line.node, node);
        *sums.entry(line.kind).or_default() += u128::from(line.amount.unwrap().get());
    }
    sums
}

fn number(value: &Value) -> u128 {
    u128::from(value.as_u64().unwrap())
}

/// The USDC of an address; 0 if it has none.
fn usdc(balances: &Value) -> u128 {
    let balances = balances.as_object().unwrap().iter();
    let mut usdc = balances.filter(|(coin, _)| coin.ends_with("::usdc::USDC"));
    usdc.next().map_or(0, |(_, balance)| number(balance))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_books_are_the_networks_own_state(steps in prop::collection::vec(step(), 60..140)) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut history = History::begin().await;
            for step in &steps {
                history.take(step).await;
            }
            history.assert_books_are_the_networks().await;
        });
    }
}
