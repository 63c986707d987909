//! Whatever happens to the contract, and however a mirror learns of it, it becomes the network's own state.

use std::collections::BTreeSet;

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{ChainEvents as _, Repair};
use atoma_domain::reconciliation::Cause;
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{ComputeUnits, Hash32, HexBytes, PricePerMillion, StackSmallId, TaskSmallId};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::world::{Mirror, PRICE, World, root};

/// A step of a history. A call that the contract refuses is a step too.
#[derive(Clone, Debug)]
enum Step {
    Task(u16),
    Subscribe(usize, Index),
    Reprice(usize, Index, u64),
    Unsubscribe(usize, Index),
    Buy(usize, Index),
    Settle(usize, Index),
    Attest(usize, Index, bool),
    Dispute(usize, Index),
    Claim(usize, Index),
    ClaimConfidential(usize, Index),
    Epochs(u8),
    Disable(usize),
    Destroy(usize),
    Withdraw(usize),
    /// The network asks for new keys.
    NewRotation,
    /// A node's device commits to one of two keys in a rotation this far back.
    RotateKey(usize, u16, u8, u64),
    Deprecate(Index),
    Remove(Index, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2_usize;
    let of = any::<Index>;
    prop_oneof![
        2 => (0..3_u16).prop_map(Step::Task),
        4 => (who.clone(), of()).prop_map(|(who, task)| Step::Subscribe(who, task)),
        1 => (who.clone(), of(), 1..1_000_u64).prop_map(|(w, t, price)| Step::Reprice(w, t, price)),
        1 => (who.clone(), of()).prop_map(|(who, task)| Step::Unsubscribe(who, task)),
        8 => (who.clone(), of()).prop_map(|(who, task)| Step::Buy(who, task)),
        8 => (who.clone(), of()).prop_map(|(who, stack)| Step::Settle(who, stack)),
        6 => (who.clone(), of(), any::<bool>()).prop_map(|(w, s, agrees)| Step::Attest(w, s, agrees)),
        1 => (who.clone(), of()).prop_map(|(who, stack)| Step::Dispute(who, stack)),
        4 => (who.clone(), of()).prop_map(|(who, stack)| Step::Claim(who, stack)),
        2 => (who.clone(), of()).prop_map(|(who, stack)| Step::ClaimConfidential(who, stack)),
        3 => (1..4_u8).prop_map(Step::Epochs),
        1 => who.clone().prop_map(Step::Disable),
        1 => who.clone().prop_map(Step::Destroy),
        1 => who.clone().prop_map(Step::Withdraw),
        2 => Just(Step::NewRotation),
        6 => (who, 0..3_u16, 0..2_u8, prop_oneof![4 => Just(0_u64), 1 => Just(1)])
            .prop_map(|(who, device, key, back)| Step::RotateKey(who, device, key, back)),
        1 => of().prop_map(Step::Deprecate),
        1 => (of(), any::<bool>()).prop_map(|(task, admin)| Step::Remove(task, admin)),
    ]
}

/// The network with what the steps can refer to.
struct History {
    world: World,
    tasks: Vec<TaskSmallId>,
    stacks: Vec<StackSmallId>,
}

impl History {
    async fn begin() -> Self {
        let world = World::start().await;
        let tasks: Vec<_> = (0..3).map(|level| world.task(level)).collect();
        for task in &tasks {
            world.subscribe(0, *task).await;
            world.subscribe(1, *task).await;
        }
        Self {
            world,
            tasks,
            stacks: Vec::new(),
        }
    }

    async fn take(&mut self, step: &Step) {
        let task = |index: &Index| *index.get(&self.tasks);
        let stack = |index: &Index| match self.stacks.is_empty() {
            true => StackSmallId::new(1),
            false => *index.get(&self.stacks),
        };
        let (who, call) = match step {
            Step::Task(level) => {
                let created = self.world.task(*level);
                self.tasks.push(created);
                return;
            }
            Step::Buy(who, index) => {
                let node = self.world.operators[*who].node;
                let bought = self.world.stack(task(index), node);
                self.stacks.extend(bought);
                return;
            }
            Step::Epochs(count) => {
                for _ in 0..*count {
                    self.world.localnet.advance_epoch().unwrap();
                }
                return;
            }
            Step::NewRotation => {
                self.world.localnet.rotate_network_key().unwrap();
                return;
            }
            // What the contract refuses is refused.
            Step::Deprecate(index) => {
                let _ = self.world.localnet.deprecate_task(task(index));
                return;
            }
            Step::Remove(index, as_admin) => {
                let _ = self.world.localnet.remove_task(task(index), *as_admin);
                return;
            }
            Step::Subscribe(who, index) => (
                who,
                ContractCall::SubscribeToTask {
                    task: task(index),
                    price: PRICE,
                },
            ),
            Step::Reprice(who, index, price) => (
                who,
                ContractCall::UpdateSubscription {
                    task: task(index),
                    price: PricePerMillion::new(*price),
                },
            ),
            Step::Unsubscribe(who, index) => {
                let task = task(index);
                (who, ContractCall::UnsubscribeFromTask { task })
            }
            Step::Settle(who, index) => {
                self.world_call_settle(*who, stack(index)).await;
                return;
            }
            Step::Attest(who, index, agrees) => {
                let root = if *agrees { root() } else { Hash32::ZERO };
                let proof = SettlementProof::of_attester(&root, 64, 1, 0).unwrap();
                let stack = stack(index);
                (who, ContractCall::SubmitAttestation { stack, proof })
            }
            Step::Dispute(who, index) => (
                who,
                ContractCall::StartDispute {
                    stack: stack(index),
                    commitment: Hash32::ZERO,
                },
            ),
            Step::Claim(who, index) => {
                let stacks = vec![stack(index)];
                (who, ContractCall::ClaimFunds { stacks })
            }
            Step::ClaimConfidential(who, index) => {
                let stacks = vec![(stack(index), ComputeUnits::new(500))];
                (who, ContractCall::ClaimFundsForStacks { stacks })
            }
            Step::Disable(who) => (who, ContractCall::PermanentlyDisableNode),
            Step::Destroy(who) => (who, ContractCall::DestroyDisabledNode),
            Step::Withdraw(who) => (who, ContractCall::WithdrawFees),
            Step::RotateKey(who, device_type, key, back) => {
                let state = self.world.localnet.state().unwrap();
                let current = state["parameters"]["key_rotation_counter"].as_u64();
                let call = ContractCall::RotateNodePublicKey {
                    commitment: HexBytes(vec![*key; 4]),
                    evidence: HexBytes(vec![1]),
                    key_rotation_counter: current.unwrap().saturating_sub(*back),
                    device_type: *device_type,
                };
                (who, call)
            }
        };
        if self.world.has_badge(*who).await {
            self.world.call(*who, call).await;
        }
    }

    async fn world_call_settle(&self, who: usize, stack: StackSmallId) {
        if self.world.has_badge(who).await {
            self.world.settle(who, stack).await;
        }
    }

    /// Only what no event tells may differ before the comparison, and nothing after it.
    async fn assert_becomes_equal(&self, mirror: &Mirror, case: &str) {
        let silent = ["node_disabled", "node_destroyed", "task_removed"];
        let before = self.world.differences(mirror).await;
        assert!(
            before.iter().all(|kind| silent.contains(kind)),
            "{case}: {before:?}"
        );
        while mirror.reconciler.explain_changes().await.unwrap().is_some() {}
        let explained = self.world.differences(mirror).await;
        assert_eq!(explained, [""; 0], "{case}: explained");
        let repair = Repair::Mirror(Cause::Requested);
        let found = mirror.reconciler.compare_all(repair).await.unwrap();
        assert_eq!((found.differences, found.open), (vec![], vec![]), "{case}");
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_mirror_becomes_the_networks_own_state(
        steps in prop::collection::vec(step(), 20..60),
        rebuilt_after in any::<Index>(),
        cuts in prop::collection::vec((any::<Index>(), any::<Index>()), 1..6),
    ) {
        runtime().block_on(async {
            let mut history = History::begin().await;
            let rebuilt_after = rebuilt_after.index(steps.len());
            let mut rebuilt = history.world.mirror().await;
            // Follows some of it, and is rebuilt in the middle.
            history.world.follow(&mut rebuilt).await;
            for (number, step) in steps.iter().enumerate() {
                history.take(step).await;
                if number == rebuilt_after {
                    rebuilt.reconciler.rebuild().await.unwrap();
                    let differences = history.world.differences(&rebuilt).await;
                    assert_eq!(differences, [""; 0], "rebuilt");
                    rebuilt = history.world.mirror_in(rebuilt.store);
                }
            }
            history.world.follow(&mut rebuilt).await;
            history.assert_becomes_equal(&rebuilt, "rebuilt in the middle").await;

            // In one go.
            let mut whole = history.world.mirror().await;
            history.world.follow(&mut whole).await;
            history.assert_becomes_equal(&whole, "followed").await;

            // In pieces, with parts of it again.
            let pieces = history.world.mirror().await;
            let frames = history.world.ledger().await;
            let operator = history.world.operator();
            let mut ends: BTreeSet<usize> =
                cuts.iter().map(|(cut, _)| cut.index(frames.len())).collect();
            ends.insert(frames.len());
            let mut begin = 0;
            for (end, (_, again)) in ends.into_iter().zip(cuts.iter().cycle()) {
                pieces.store.apply(&frames[begin..end], operator).await.unwrap();
                let from = again.index(end + 1);
                pieces.store.apply(&frames[from..end], operator).await.unwrap();
                begin = end;
            }
            history.assert_becomes_equal(&pieces, "in pieces").await;

            // From nothing.
            let fresh = history.world.mirror().await;
            fresh.reconciler.rebuild().await.unwrap();
            assert_eq!(history.world.differences(&fresh).await, [""; 0], "fresh");
            pieces.reconciler.rebuild().await.unwrap();
            history.assert_becomes_equal(&pieces, "rebuilt at the end").await;
        });
    }
}
