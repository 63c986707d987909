//! Requests to crash in, one for each crash.

use atoma_domain::journal::RequestKey;
use atoma_domain::{
    EchelonId, Hash32, HexBytes, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId,
};
use atoma_localnet::NewModel;
use atoma_operator::KeyCommitment;

use super::generation::Site;
use super::request::Request;
use super::world::{CHARGE, CONFIDENTIAL, NODE_PRICE, NONE, SAMPLING, World, charge};

/// The node that serves all stacks.
pub(crate) const FIRST: NodeSmallId = NodeSmallId::new(1);
/// The node that attests and disputes.
pub(crate) const SECOND: NodeSmallId = NodeSmallId::new(2);

/// No choice of a node: the use case finds it.
pub(crate) const ANY: NodeSmallId = NodeSmallId::new(0);

/// A request, the node that makes it, and the effects that it must have on chain: one for each
/// part.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) site: Site,
    pub(crate) request: Request,
    pub(crate) node: NodeSmallId,
    pub(crate) effects: Vec<String>,
    /// Those of the effects that must not happen, because their part fails.
    pub(crate) failing: Vec<String>,
}

impl Case {
    fn new(site: &Site, request: Request, node: NodeSmallId, effects: Vec<String>) -> Self {
        Self {
            site: site.clone(),
            request,
            node,
            effects,
            failing: Vec::new(),
        }
    }

    /// The settlement of these stacks, each by its node.
    pub(crate) fn to_settle(site: &Site, stacks: Vec<StackSmallId>) -> Self {
        let effects = stacks.iter().map(|stack| format!("settle {stack}"));
        let effects = effects.collect();
        Self::new(site, Request::Settle(stacks), ANY, effects)
    }

    /// The claim of these stacks by the first node.
    pub(crate) fn to_claim(site: &Site, stacks: Vec<StackSmallId>) -> Self {
        let effects = stacks.iter().map(|stack| format!("claim {stack}"));
        let effects = effects.collect();
        Self::new(site, Request::Claim(stacks), FIRST, effects)
    }

    /// The request's idempotency key, as the API makes it.
    pub(crate) fn key(&self) -> RequestKey {
        let (path, body) = self.request.over_http();
        let key = self.http_key();
        RequestKey {
            scope: format!("POST {path} {key}"),
            body: Hash32::of(&[&serde_json::to_vec(&body).unwrap()]),
        }
    }

    /// The idempotency key as a client sends it.
    pub(crate) fn http_key(&self) -> String {
        self.effects.join(",").replace(' ', "-")
    }
}

/// Makes `count` cases of one kind.
pub(crate) type Prepare = fn(&World, &Site, usize) -> Vec<Case>;

/// More than enough for anything, in MIST.
const LARGE: u64 = 1_000_000_000_000;
/// Too little for a registration, in MIST.
const SMALL: u64 = 4_000_000;

pub(crate) fn to_register(world: &World, _: &Site, count: usize) -> Vec<Case> {
    registrations(world, count, &[LARGE], false)
}

/// Without a key, the repeated request registers another node.
pub(crate) fn to_register_another(world: &World, _: &Site, count: usize) -> Vec<Case> {
    registrations(world, count, &[LARGE], true)
}

/// Paid for by several coins together.
pub(crate) fn to_register_with_small_coins(world: &World, _: &Site, count: usize) -> Vec<Case> {
    registrations(world, count, &[SMALL; 9], false)
}

/// Each by a new address of its own.
fn registrations(world: &World, count: usize, coins: &[u64], additional: bool) -> Vec<Case> {
    let case = |_| {
        let site = world.new_operator(coins);
        let effects = vec![String::from("register")];
        Case::new(&site, Request::Register { additional }, ANY, effects)
    };
    (0..count).map(case).collect()
}

/// Two nodes that share one coin settle a stack each. Every case has its own two nodes.
pub(crate) fn to_settle_with_one_coin(world: &World, _: &Site, count: usize) -> Vec<Case> {
    let case = |_| {
        let site = world.new_operator(&[LARGE]);
        let nodes = world.register(&site, 2);
        let stacks: Vec<_> = nodes
            .into_iter()
            .flat_map(|node| world.buy(NONE, node, 1))
            .collect();
        let generation = world.begin(&site);
        generation.run(generation.record(&stacks, None));
        generation.stop();
        Case::to_settle(&site, stacks)
    };
    (0..count).map(case).collect()
}

/// Requests for tasks that the first node serves if `serve`.
fn tasks(
    world: &World,
    site: &Site,
    count: usize,
    serve: bool,
    request: fn(TaskSmallId) -> (Request, String),
) -> Vec<Case> {
    let tasks: Vec<_> = (0..count).map(|_| world.new_task(0)).collect();
    if serve {
        let generation = world.begin(site);
        generation.run(async {
            generation.catch_up().await;
            for task in &tasks {
                let subscribe = Request::Subscribe(*task, NODE_PRICE);
                let answer = subscribe.send(&generation.operator, FIRST).await;
                assert_eq!(answer, [Ok(())]);
            }
        });
        generation.stop();
    }
    let case = |task: &TaskSmallId| {
        let (request, effect) = request(*task);
        Case::new(site, request, FIRST, vec![effect])
    };
    tasks.iter().map(case).collect()
}

pub(crate) fn to_subscribe(world: &World, site: &Site, count: usize) -> Vec<Case> {
    tasks(world, site, count, false, |task| {
        let price = PricePerMillion::new(5);
        let request = Request::Subscribe(task, price);
        (request, format!("subscribe {task} by 1 at 5"))
    })
}

/// New models, each offered in the second of its echelons.
pub(crate) fn to_offer_model(world: &World, site: &Site, count: usize) -> Vec<Case> {
    let case = |_| {
        // Each model gets its own checkpoint, which makes the name unique.
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
        let request = Request::Model(model_name, EchelonId::new(2));
        Case::new(site, request, FIRST, vec![effect])
    };
    (0..count).map(case).collect()
}

pub(crate) fn to_update(world: &World, site: &Site, count: usize) -> Vec<Case> {
    tasks(world, site, count, true, |task| {
        let request = Request::Update(task, PricePerMillion::new(6));
        (request, format!("update {task} by 1 to 6"))
    })
}

pub(crate) fn to_unsubscribe(world: &World, site: &Site, count: usize) -> Vec<Case> {
    tasks(world, site, count, true, |task| {
        (
            Request::Unsubscribe(task),
            format!("unsubscribe {task} by 1"),
        )
    })
}

/// Commitments to one key by new devices, in a key rotation of their own.
pub(crate) fn to_rotate_key(world: &World, site: &Site, count: usize) -> Vec<Case> {
    let rotation = world.network.rotate_network_key().unwrap();
    let case = |place| {
        let device_type = u16::try_from(place).unwrap();
        let request = Request::RotateKey(KeyCommitment {
            public_key_commitment: HexBytes(vec![7; 32]),
            evidence: HexBytes(vec![device_type.to_be_bytes()[1]; 40]),
            device_type,
            key_rotation_counter: Some(rotation),
        });
        let effect = format!("key of device {device_type} in rotation {rotation} by 1");
        Case::new(site, request, FIRST, vec![effect])
    };
    (0..count).map(case).collect()
}

/// Stacks of the first node with one message each, settled if `settle`. With `other_record`, the
/// second node has its own, different record of them.
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
    generation.run(async {
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

pub(crate) fn to_settle(world: &World, site: &Site, count: usize) -> Vec<Case> {
    settlements(world, site, count, 1)
}

/// Three at a time. They are sent one after the other, and each outcome is recorded with the next
/// attempt.
pub(crate) fn to_settle_three(world: &World, site: &Site, count: usize) -> Vec<Case> {
    settlements(world, site, count, 3)
}

fn settlements(world: &World, site: &Site, count: usize, batch: usize) -> Vec<Case> {
    let stacks = stacks(world, site, SAMPLING, count * batch, false, false);
    batches(site, &stacks, batch, "settle", Request::Settle)
}

/// One case for each batch of stacks.
fn batches(
    site: &Site,
    stacks: &[StackSmallId],
    batch: usize,
    effect: &str,
    request: fn(Vec<StackSmallId>) -> Request,
) -> Vec<Case> {
    let case = |stacks: &[StackSmallId]| {
        let effects = stacks.iter().map(|stack| format!("{effect} {stack}"));
        Case::new(site, request(stacks.to_vec()), FIRST, effects.collect())
    };
    stacks.chunks(batch).map(case).collect()
}

pub(crate) fn to_attest(world: &World, site: &Site, count: usize) -> Vec<Case> {
    let case = |stack: StackSmallId| {
        let effect = format!("attest {stack} by 2");
        Case::new(site, Request::Attest(vec![stack]), SECOND, vec![effect])
    };
    let stacks = stacks(world, site, SAMPLING, count, true, false);
    stacks.into_iter().map(case).collect()
}

pub(crate) fn to_dispute(world: &World, site: &Site, count: usize) -> Vec<Case> {
    let case = |stack: StackSmallId| {
        Case::new(
            site,
            Request::Dispute(stack),
            SECOND,
            vec![format!("dispute {stack}")],
        )
    };
    let stacks = stacks(world, site, SAMPLING, count, true, true);
    stacks.into_iter().map(case).collect()
}

pub(crate) fn to_claim(world: &World, site: &Site, count: usize) -> Vec<Case> {
    let stacks = stacks(world, site, NONE, count * 3, true, false);
    world.network.advance_epoch().unwrap();
    world.network.advance_epoch().unwrap();
    batches(site, &stacks, 3, "claim", Request::Claim)
}

/// Three at a time, the second one a stack of a sampling-consensus task, whose price can still
/// change until it is claimed.
pub(crate) fn to_claim_mixed(world: &World, site: &Site, count: usize) -> Vec<Case> {
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
    let mut cases = batches(site, &mixed, 3, "claim", Request::Claim);
    for case in &mut cases {
        case.failing = vec![case.effects[1].clone()];
    }
    cases
}

pub(crate) fn to_claim_confidential(world: &World, site: &Site, count: usize) -> Vec<Case> {
    let stacks = stacks(world, site, CONFIDENTIAL, count * 2, false, false);
    batches(site, &stacks, 2, "claim", Request::Claim)
}
