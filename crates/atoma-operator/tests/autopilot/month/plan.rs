//! All that happens in a month, drawn from its seed before it begins: whoever looks after the nodes, the world is the same.

use atoma_localnet::{Fault, FaultKind};
use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};

use crate::world::{PRICE, UNITS};

/// How large a month is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Nodes of each operator.
    pub(super) nodes: usize,
    pub(super) epochs: usize,
    /// In how many of them stacks are bought. The rest is for what is still to be paid.
    pub(super) buying: usize,
    /// Into how many steps a day is divided.
    pub(super) steps: usize,
    /// Stacks bought in a step.
    stacks: usize,
    /// One step in so many has a crash, or a fault of the network.
    crashes: u32,
    faults: u32,
    /// It crashes within so many calls of the chain.
    calls: u32,
    /// Of a hundred attestations that the other operator owes, so many are wrong.
    wrong: u32,
    /// Of a hundred stacks, so many have requests that nobody runs again for those who attest.
    missed: u32,
    /// And so many have them run again later.
    delayed: u32,
    /// One stack in so many is the other operator's.
    others: u32,
    /// One of the other operator's stacks in so many is settled with what was not served.
    lies: u32,
    /// Every so many epochs somebody fills the contract's treasury.
    filling: usize,
    /// The epochs at whose ends the tasks of [`ENDING`] end.
    ends: [usize; 3],
    /// The epoch in which a stack is bought whose share the treasury can't pay.
    drained: usize,
    /// How much more gas than the least the autopilot may take, in hundredths. One crash weighs more in a small month.
    pub(super) gas_margin: u64,
}

impl Size {
    /// Small enough for every run of the tests.
    pub(super) const SMALL: Self = Self {
        nodes: 3,
        epochs: 9,
        buying: 6,
        steps: 6,
        stacks: 3,
        crashes: 3,
        faults: 3,
        calls: 9,
        wrong: 12,
        missed: 20,
        delayed: 40,
        others: 2,
        lies: 4,
        filling: 9,
        ends: [3, 4, 4],
        drained: 1,
        gas_margin: 10,
    };
    /// The whole month.
    pub(super) const FULL: Self = Self {
        nodes: 20,
        epochs: 30,
        buying: 26,
        steps: 24,
        stacks: 8,
        crashes: 12,
        faults: 3,
        calls: 60,
        wrong: 3,
        missed: 5,
        delayed: 10,
        others: 4,
        lies: 25,
        filling: 7,
        ends: [4, 5, 18],
        drained: 2,
        gas_margin: 5,
    };
}

impl Size {
    /// The stacks that are bought in a step.
    pub(super) const fn stacks(self) -> usize {
        self.stacks
    }
}

/// The security levels of the tasks. The last three end in the month.
pub(super) const LEVELS: [u16; 7] = [0, 1, 2, 2, 0, 1, 2];
/// The task that two nodes of each operator leave.
pub(super) const LEFT: usize = 3;
/// The tasks that end.
pub(super) const ENDING: std::ops::Range<usize> = 4..7;

/// One of the two operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The one whose nodes are looked after.
    Ours,
    Others,
}

/// A stack that somebody buys.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// By its place in [`LEVELS`].
    pub(super) task: usize,
    pub(super) who: Who,
    /// By its place among the operator's nodes.
    pub(super) node: usize,
    /// In micro-USDC per million units.
    pub(super) price: u64,
    /// The requests: after how many steps, their units and their seed.
    pub(super) requests: Vec<(usize, u64, u64)>,
    /// Who is drawn to attest its settlement, by operator and place; none if the contract draws nobody.
    pub(super) drawn: Option<(Who, usize)>,
    /// How the other operator attests, if it is drawn.
    pub(super) attests: Attests,
    /// After how many steps the requests are run again, if one of our nodes is drawn; `None` is never.
    pub(super) rerun: Option<usize>,
    /// The other operator settles what was not served.
    pub(super) is_false: bool,
}

/// How the other operator attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attests {
    /// After so many steps.
    After(usize),
    /// In the epoch in which the stack can be claimed already, after so many steps: the claim may come first.
    Late(usize),
    /// With another result, which opens a dispute.
    Wrongly,
    Never,
}

/// What happens in one step.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    pub(super) orders: Vec<Order>,
    pub(super) fault: Option<Fault>,
    /// The daemon is killed after so many calls of the chain.
    pub(super) crash: Option<u32>,
}

/// What happens in a month.
pub(super) struct Plan {
    /// By epoch and step.
    pub(super) epochs: Vec<Vec<Step>>,
}

impl Plan {
    pub(super) fn new(seed: u64, size: Size) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let epochs = (0..size.epochs).map(|epoch| {
            let steps = (0..size.steps).map(|_| step(&mut rng, size, epoch));
            steps.collect()
        });
        let mut epochs: Vec<Vec<Step>> = epochs.collect();
        // The share of this one is more than the treasury holds, and as long as that is so, the contract pays its attester nothing.
        let dear = Order {
            task: 2,
            who: Who::Others,
            price: PRICE * u64::try_from(size.steps * size.stacks * 3).unwrap(),
            requests: vec![(0, UNITS, rng.next_u64())],
            drawn: Some((Who::Ours, rng.random_range(0..size.nodes))),
            rerun: Some(0),
            is_false: false,
            ..order(&mut rng, size, size.drained)
        };
        epochs[size.drained][0].orders.push(dear);
        Self { epochs }
    }

    /// The epoch at whose end a task ends, if it does.
    pub(super) fn deprecation(size: Size, task: usize) -> Option<usize> {
        let place = task.checked_sub(ENDING.start)?;
        size.ends.get(place).copied()
    }

    /// The epoch at whose end a task that has ended is removed: what was settled at once is paid by then.
    pub(super) fn removal(size: Size, task: usize) -> Option<usize> {
        Some(Self::deprecation(size, task)? + 2)
    }

    /// Whether nodes leave a task in a step: when stacks of it are about to be settled, and before the next is bought.
    pub(super) const fn leaves(size: Size, epoch: usize, step: usize) -> bool {
        epoch == size.buying / 2 && step == 1
    }

    /// For how many days the treasury is filled at the end of an epoch, by what is bought in one: when a task ends, so that its
    /// stacks can be paid before it is removed, and at the end of the month.
    pub(super) fn filled(size: Size, epoch: usize) -> u64 {
        if epoch >= size.buying {
            10
        } else if size
            .ends
            .iter()
            .any(|end| *end == epoch || *end + 1 == epoch)
        {
            4
        } else {
            u64::from(epoch % size.filling == size.filling - 1)
        }
    }
}

fn step(rng: &mut StdRng, size: Size, epoch: usize) -> Step {
    const KINDS: [FaultKind; 6] = [
        FaultKind::ExecuteLostBefore,
        FaultKind::ExecuteLostAfter,
        FaultKind::Unavailable,
        FaultKind::StaleObjects,
        FaultKind::EventsCut,
        FaultKind::Congestion,
    ];
    let orders = match epoch < size.buying {
        true => (0..size.stacks).map(|_| order(rng, size, epoch)).collect(),
        false => Vec::new(),
    };
    let fault = rng.random_ratio(1, size.faults).then(|| Fault {
        kind: KINDS[rng.random_range(0..KINDS.len())],
        count: rng.random_range(1..=3),
        ms: 1,
        checkpoints: 1,
    });
    let crash = rng
        .random_ratio(1, size.crashes)
        .then(|| rng.random_range(0..size.calls));
    Step {
        orders,
        fault,
        crash,
    }
}

fn order(rng: &mut StdRng, size: Size, epoch: usize) -> Order {
    // A deprecated task still sells stacks; after another epoch nobody wants them any more.
    let task = loop {
        let task = rng.random_range(0..LEVELS.len());
        if Plan::deprecation(size, task).is_none_or(|end| epoch <= end) {
            break task;
        }
    };
    let who = match rng.random_ratio(1, size.others) {
        true => Who::Others,
        false => Who::Ours,
    };
    // The first two nodes of each operator leave a task, and are not drawn for it any more.
    let first = if task == LEFT && size.nodes > 2 { 2 } else { 0 };
    let node = rng.random_range(first..size.nodes);
    let drawn = rng.random_ratio(3, 4).then(|| {
        let who = match rng.random() {
            true => Who::Others,
            false => Who::Ours,
        };
        (who, rng.random_range(first..size.nodes))
    });
    Order {
        task,
        who,
        node,
        price: PRICE,
        requests: requests(rng, size, who),
        drawn,
        attests: attests(rng, size),
        rerun: match rng.random_range(0..100) {
            missed if missed < size.missed => None,
            late if late < size.missed + size.delayed => {
                Some(rng.random_range(1..size.steps * 3 / 2))
            }
            _ => Some(0),
        },
        is_false: rng.random_ratio(1, size.lies),
    }
}

/// The requests of a stack: it is used up within a day, or hardly used.
fn requests(rng: &mut StdRng, size: Size, who: Who) -> Vec<(usize, u64, u64)> {
    let mut left = match (who, rng.random_range(0..16)) {
        // The other operator's stacks are served at once.
        (Who::Others, _) => return vec![(0, rng.random_range(1..=UNITS), rng.next_u64())],
        (Who::Ours, 0) => 0,
        (Who::Ours, 1 | 2) => rng.random_range(0..UNITS / 2),
        (Who::Ours, _) => UNITS,
    };
    let mut requests = Vec::new();
    let mut after = 0;
    while left > 0 {
        // At most four.
        let units = match requests.len() {
            3 => left,
            _ => rng.random_range(1..=UNITS * 2 / 3).min(left),
        };
        requests.push((after, units, rng.next_u64()));
        left -= units;
        after += rng.random_range(1..=size.steps.div_ceil(4));
    }
    requests
}

fn attests(rng: &mut StdRng, size: Size) -> Attests {
    match rng.random_range(0..100) {
        wrong if wrong < size.wrong => Attests::Wrongly,
        12..=21 => Attests::Never,
        22..=31 => Attests::Late(rng.random_range(0..2)),
        32..=51 => Attests::After(rng.random_range(1..=size.steps / 2)),
        _ => Attests::After(0),
    }
}
