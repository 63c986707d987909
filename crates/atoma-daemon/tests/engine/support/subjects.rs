//! Things to be asked for, one of a kind for each crash.

use atoma_domain::journal::RequestKey;
use atoma_domain::{EchelonId, Hash32, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId};
use atoma_localnet::NewModel;

use super::ask::Ask;
use super::generation::Site;
use super::world::{CHARGE, CONFIDENTIAL, NODE_PRICE, NONE, SAMPLING, World, charge};

/// Serves all stacks.
pub(crate) const FIRST: NodeSmallId = NodeSmallId::new(1);
/// Attests and disputes.
pub(crate) const SECOND: NodeSmallId = NodeSmallId::new(2);

/// Whoever it falls to.
pub(crate) const ANY: NodeSmallId = NodeSmallId::new(0);

/// Something to ask for, by whom, and what it must come to on chain: for each of its parts an
/// effect.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) site: Site,
    pub(crate) ask: Ask,
    pub(crate) node: NodeSmallId,
    pub(crate) effects: Vec<String>,
    /// Those of the effects that it must not come to.
    pub(crate) vain: Vec<String>,
}

impl Subject {
    fn new(site: &Site, ask: Ask, node: NodeSmallId, effects: Vec<String>) -> Self {
        Self {
            site: site.clone(),
            ask,
            node,
            effects,
            vain: Vec::new(),
        }
    }

    /// The settlement of these stacks, each by its node.
    pub(crate) fn to_settle(site: &Site, stacks: Vec<StackSmallId>) -> Self {
        let effects = stacks.iter().map(|stack| format!("settle {stack}"));
        let effects = effects.collect();
        Self::new(site, Ask::Settle(stacks), ANY, effects)
    }

    /// The claim of these stacks by the first node.
    pub(crate) fn to_claim(site: &Site, stacks: Vec<StackSmallId>) -> Self {
        let effects = stacks.iter().map(|stack| format!("claim {stack}"));
        let effects = effects.collect();
        Self::new(site, Ask::Claim(stacks), FIRST, effects)
    }

    /// A client's key for the request, as the API makes it.
    pub(crate) fn key(&self) -> RequestKey {
        let (path, body) = self.ask.over_http();
        let key = self.http_key();
        RequestKey {
            scope: format!("POST {path} {key}"),
            body: Hash32::of(&[&serde_json::to_vec(&body).unwrap()]),
        }
    }

    /// The same key, as a client sends it.
    pub(crate) fn http_key(&self) -> String {
        self.effects.join(",").replace(' ', "-")
    }
}

/// Makes as many subjects of one kind as asked for.
pub(crate) type Prepare = fn(&World, &Site, usize) -> Vec<Subject>;

/// More than enough for anything, in MIST.
const LARGE: u64 = 1_000_000_000_000;
/// Too little for a registration, in MIST.
const SMALL: u64 = 4_000_000;

pub(crate) fn to_register(world: &World, _: &Site, count: usize) -> Vec<Subject> {
    registrations(world, count, &[LARGE], false)
}

/// Asked for anew, it is another node.
pub(crate) fn to_register_another(world: &World, _: &Site, count: usize) -> Vec<Subject> {
    registrations(world, count, &[LARGE], true)
}

/// Several coins together pay for it.
pub(crate) fn to_register_with_small_coins(world: &World, _: &Site, count: usize) -> Vec<Subject> {
    registrations(world, count, &[SMALL; 9], false)
}

/// Each by an address of its own, unused so far.
fn registrations(world: &World, count: usize, coins: &[u64], additional: bool) -> Vec<Subject> {
    let subject = |_| {
        let site = world.newcomer(coins);
        let effects = vec![String::from("register")];
        Subject::new(&site, Ask::Register { additional }, ANY, effects)
    };
    (0..count).map(subject).collect()
}

/// One stack each of two nodes that have one coin together, each time another two.
pub(crate) fn to_settle_with_one_coin(world: &World, _: &Site, count: usize) -> Vec<Subject> {
    let subject = |_| {
        let site = world.newcomer(&[LARGE]);
        let nodes = world.register(&site, 2);
        let stacks: Vec<_> = nodes
            .into_iter()
            .flat_map(|node| world.buy(NONE, node, 1))
            .collect();
        let generation = world.begin(&site);
        generation.finish(generation.record(&stacks, None));
        generation.stop();
        Subject::to_settle(&site, stacks)
    };
    (0..count).map(subject).collect()
}

/// Tasks that the first node does not serve, or serves already.
fn tasks(
    world: &World,
    site: &Site,
    count: usize,
    serve: bool,
    ask: fn(TaskSmallId) -> (Ask, String),
) -> Vec<Subject> {
    let tasks: Vec<_> = (0..count).map(|_| world.new_task(0)).collect();
    if serve {
        let generation = world.begin(site);
        generation.finish(async {
            generation.catch_up().await;
            for task in &tasks {
                let subscribe = Ask::Subscribe(*task, NODE_PRICE);
                let answer = subscribe.make(&generation.operator, FIRST).await;
                assert_eq!(answer, [Ok(())]);
            }
        });
        generation.stop();
    }
    let subject = |task: &TaskSmallId| {
        let (ask, effect) = ask(*task);
        Subject::new(site, ask, FIRST, vec![effect])
    };
    tasks.iter().map(subject).collect()
}

pub(crate) fn to_subscribe(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    tasks(world, site, count, false, |task| {
        let price = PricePerMillion::new(5);
        let ask = Ask::Subscribe(task, price);
        (ask, format!("subscribe {task} by 1 at 5"))
    })
}

/// Models that nobody offers yet, in the second of their echelons.
pub(crate) fn to_offer_model(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    let subject = |_| {
        // Each is in a checkpoint of its own.
        let model_name = format!("model-{}", world.network.state().unwrap()["checkpoint"]);
        let echelon_ids = vec![EchelonId::new(1), EchelonId::new(2)];
        world
            .network
            .create_model(&NewModel {
                model_name: model_name.clone(),
                modality: 0,
                echelon_ids,
            })
            .unwrap();
        let effect = format!("model {model_name} by 1");
        let ask = Ask::Model(model_name, EchelonId::new(2));
        Subject::new(site, ask, FIRST, vec![effect])
    };
    (0..count).map(subject).collect()
}

pub(crate) fn to_update(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    tasks(world, site, count, true, |task| {
        let ask = Ask::Update(task, PricePerMillion::new(6));
        (ask, format!("update {task} by 1 to 6"))
    })
}

pub(crate) fn to_unsubscribe(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    tasks(world, site, count, true, |task| {
        (Ask::Unsubscribe(task), format!("unsubscribe {task} by 1"))
    })
}

/// Stacks of the first node with a message each, settled if `settle`.
pub(crate) fn stacks(
    world: &World,
    site: &Site,
    level: usize,
    count: usize,
    settle: bool,
    other_record: bool,
) -> Vec<StackSmallId> {
    let stacks = world.buy(level, FIRST, count);
    let attester = (level == SAMPLING).then_some(SECOND);
    world.draw(&stacks, attester);
    let generation = world.begin(site);
    generation.finish(async {
        generation.record(&stacks, None).await;
        if other_record {
            generation.record(&stacks, Some(SECOND)).await;
        }
        if settle {
            generation.settle(&stacks).await;
        }
    });
    generation.stop();
    stacks
}

pub(crate) fn to_settle(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    settlements(world, site, count, 1)
}

/// Three at a time: one after the other in their lane, the outcome of each written with the next.
pub(crate) fn to_settle_three(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    settlements(world, site, count, 3)
}

fn settlements(world: &World, site: &Site, count: usize, batch: usize) -> Vec<Subject> {
    let stacks = stacks(world, site, SAMPLING, count * batch, false, false);
    batches(site, &stacks, batch, "settle", Ask::Settle)
}

/// As many subjects as there are batches, each about its stacks.
fn batches(
    site: &Site,
    stacks: &[StackSmallId],
    batch: usize,
    effect: &str,
    ask: fn(Vec<StackSmallId>) -> Ask,
) -> Vec<Subject> {
    let subject = |stacks: &[StackSmallId]| {
        let effects = stacks.iter().map(|stack| format!("{effect} {stack}"));
        Subject::new(site, ask(stacks.to_vec()), FIRST, effects.collect())
    };
    stacks.chunks(batch).map(subject).collect()
}

pub(crate) fn to_attest(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    let subject = |stack: StackSmallId| {
        let effect = format!("attest {stack} by 2");
        Subject::new(site, Ask::Attest(vec![stack]), SECOND, vec![effect])
    };
    let stacks = stacks(world, site, SAMPLING, count, true, false);
    stacks.into_iter().map(subject).collect()
}

pub(crate) fn to_dispute(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    let subject = |stack: StackSmallId| {
        Subject::new(
            site,
            Ask::Dispute(stack),
            SECOND,
            vec![format!("dispute {stack}")],
        )
    };
    let stacks = stacks(world, site, SAMPLING, count, true, true);
    stacks.into_iter().map(subject).collect()
}

pub(crate) fn to_claim(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    let stacks = stacks(world, site, NONE, count * 3, true, false);
    world.network.advance_epoch().unwrap();
    world.network.advance_epoch().unwrap();
    batches(site, &stacks, 3, "claim", Ask::Claim)
}

/// Three at a time, the second of which is a stack of a sampling-consensus task: its price can be
/// changed until it is claimed.
pub(crate) fn to_claim_mixed(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    charge(&world.network, CHARGE);
    let plain = stacks(world, site, NONE, count * 2, true, false);
    let sampled = stacks(world, site, SAMPLING, count, true, false);
    world.network.advance_epoch().unwrap();
    world.network.advance_epoch().unwrap();
    let plain = plain.chunks(2);
    let mixed: Vec<_> = plain
        .zip(sampled)
        .flat_map(|(plain, sampled)| [plain[0], sampled, plain[1]])
        .collect();
    let mut subjects = batches(site, &mixed, 3, "claim", Ask::Claim);
    for subject in &mut subjects {
        subject.vain = vec![subject.effects[1].clone()];
    }
    subjects
}

pub(crate) fn to_claim_confidential(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    let stacks = stacks(world, site, CONFIDENTIAL, count * 2, false, false);
    batches(site, &stacks, 2, "claim", Ask::Claim)
}
