//! The daemon dies before and after every call of a port, for every kind of intent: what was asked
//! for is done exactly once, whatever the moment.

mod crashing;

use atoma_domain::journal::Failure;
use atoma_domain::{NodeSmallId, PricePerMillion, StackSmallId};

use crashing::ask::Ask;
use crashing::audit::{Ledger, journal_agrees_with_ledger};
use crashing::generation::{Generation, Site};
use crashing::points::{Points, Side};
use crashing::world::{CONFIDENTIAL, NODE_PRICE, NONE, SAMPLING, World};

/// Serves all stacks.
const FIRST: NodeSmallId = NodeSmallId::new(1);
/// Attests and disputes.
const SECOND: NodeSmallId = NodeSmallId::new(2);

/// Something to ask for, by whom, and what it must come to on chain.
#[derive(Debug)]
struct Subject {
    site: Site,
    ask: Ask,
    node: NodeSmallId,
    effects: Vec<String>,
}

impl Subject {
    fn new(site: &Site, ask: Ask, node: NodeSmallId, effects: Vec<String>) -> Self {
        Self {
            site: site.clone(),
            ask,
            node,
            effects,
        }
    }
}

/// Makes as many subjects of one kind as asked for.
type Prepare = fn(&World, &Site, usize) -> Vec<Subject>;

/// Has the daemon die at every point of a request, start anew and hear the request again. `nodes`
/// is how many nodes the operator has; `meanwhile` happens while no daemon runs.
fn die_everywhere(nodes: usize, prepare: Prepare, meanwhile: fn(&World)) {
    let world = World::start();
    // One coin: a lease that is never given back keeps everything after it waiting.
    let site = world.operator(nodes, 1);
    let calls = calls_of(&world, &prepare(&world, &site, 1)[0]);
    for call in [
        "journal.open",
        "journal.record_attempt",
        "chain.execute",
        "journal.conclude",
    ] {
        assert!(calls.contains(&call), "{call} is not among {calls:?}");
    }
    let mut subjects = prepare(&world, &site, calls.len() * 2).into_iter();
    for (number, name) in calls.iter().enumerate() {
        for side in [Side::Before, Side::After] {
            let subject = subjects.next().unwrap();
            let moment = format!("{side:?} call {} ({name})", number + 1);
            die_at(&world, &subject, number + 1, side, &moment);
            meanwhile(&world);
            come_back(&world, &subject, &moment);
        }
    }
}

/// The calls that a request makes when nothing goes wrong.
fn calls_of(world: &World, subject: &Subject) -> Vec<&'static str> {
    let generation = world.begin(&subject.site);
    generation.finish(generation.catch_up());
    generation.points.arm(Default::default());
    let answer = generation.finish(subject.ask.make(&generation.operator, subject.node));
    assert!(answer.iter().all(Result::is_ok), "{answer:?}");
    let calls = generation.points.calls();
    generation.finish(assert_done_once(&generation, subject, "without a crash"));
    generation.stop();
    calls
}

fn die_at(world: &World, subject: &Subject, number: usize, side: Side, moment: &str) {
    let generation = Generation::start(&subject.site, Points::new(&world.network));
    generation.finish(generation.catch_up());
    generation.points.arm_crash(number, side);
    let answer = generation.drive(subject.ask.make(&generation.operator, subject.node));
    assert!(answer.is_none(), "{moment} was not reached: {answer:?}");
    generation.kill();
}

fn come_back(world: &World, subject: &Subject, moment: &str) {
    let generation = world.begin(&subject.site);
    generation.finish(async {
        generation.recover().await;
        generation.catch_up().await;
        let answers = subject.ask.make(&generation.operator, subject.node).await;
        for answer in answers {
            if let Err(failure) = answer {
                let so = subject.ask.is_already_so(&failure);
                assert!(so, "{moment}: {failure:?}");
            }
        }
        assert_done_once(&generation, subject, moment).await;
        assert_nothing_leased(&generation, world, subject.node, moment).await;
        journal_agrees_with_ledger(&generation).await;
    });
    generation.stop();
}

async fn assert_done_once(generation: &Generation, subject: &Subject, moment: &str) {
    let effects = Ledger::read(generation).await.effects();
    for effect in &subject.effects {
        let times = effects.get(effect).copied().unwrap_or(0);
        // A price can be set twice: by the intent that the crash left, and by the repeated request.
        let most = if matches!(subject.ask, Ask::Update(..)) {
            2
        } else {
            1
        };
        assert!(
            (1..=most).contains(&times),
            "{moment}: {effect} {times} times"
        );
    }
}

/// Another intent of the same badge goes through.
async fn assert_nothing_leased(
    generation: &Generation,
    world: &World,
    node: NodeSmallId,
    moment: &str,
) {
    generation.catch_up().await;
    let nodes = generation.operator.nodes().await.unwrap();
    let node = nodes
        .iter()
        .find(|own| own.node_small_id == node)
        .or(nodes.last())
        .unwrap();
    let task = world.tasks[NONE];
    let update = Ask::Update(task, PricePerMillion::new(1));
    let subscribe = Ask::Subscribe(task, NODE_PRICE);
    let node = node.node_small_id;
    let mut answers = update.make(&generation.operator, node).await;
    if matches!(answers[..], [Err(Failure::NotSubscribed { .. })]) {
        answers = subscribe.make(&generation.operator, node).await;
    }
    assert_eq!(answers, [Ok(())], "{moment}, afterwards");
}

fn nothing(_: &World) {}

fn an_epoch_ends(world: &World) {
    world.network.advance_epoch().unwrap();
}

fn to_register(world: &World, _: &Site, count: usize) -> Vec<Subject> {
    let subject = |_| {
        // A key of its own for each, unused so far.
        let number = u16::try_from(std::fs::read_dir(world.dir.path()).unwrap().count()).unwrap();
        let site = world.site(&format!("newcomer-{number}.sqlite"), 100 + number);
        std::fs::write(&site.path, "").unwrap();
        let coins = [1_000_000_000_000];
        world.network.faucet_coins(site.address, &coins).unwrap();
        Subject::new(
            &site,
            Ask::Register,
            NodeSmallId::new(0),
            vec!["register".into()],
        )
    };
    (0..count).map(subject).collect()
}

/// Tasks that the first node does not serve, or serves already.
fn tasks(
    world: &World,
    site: &Site,
    count: usize,
    serve: bool,
    ask: fn(u64) -> (Ask, String),
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
    let subject = |task: &atoma_domain::TaskSmallId| {
        let (ask, effect) = ask(task.get());
        Subject::new(site, ask, FIRST, vec![effect])
    };
    tasks.iter().map(subject).collect()
}

fn to_subscribe(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    tasks(world, site, count, false, |task| {
        let price = PricePerMillion::new(5);
        let ask = Ask::Subscribe(task.into_id(), price);
        (ask, format!("subscribe {task} by 1 at 5"))
    })
}

fn to_update(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    tasks(world, site, count, true, |task| {
        let ask = Ask::Update(task.into_id(), PricePerMillion::new(6));
        (ask, format!("update {task} by 1 to 6"))
    })
}

fn to_unsubscribe(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    tasks(world, site, count, true, |task| {
        (
            Ask::Unsubscribe(task.into_id()),
            format!("unsubscribe {task} by 1"),
        )
    })
}

trait IntoId {
    fn into_id(self) -> atoma_domain::TaskSmallId;
}

impl IntoId for u64 {
    fn into_id(self) -> atoma_domain::TaskSmallId {
        atoma_domain::TaskSmallId::new(self)
    }
}

/// Stacks of the first node with a message each, settled if `settle`.
fn stacks(
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

fn to_settle(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    let subject = |stack: StackSmallId| {
        Subject::new(
            site,
            Ask::Settle(vec![stack]),
            FIRST,
            vec![format!("settle {stack}")],
        )
    };
    let stacks = stacks(world, site, SAMPLING, count, false, false);
    stacks.into_iter().map(subject).collect()
}

fn to_attest(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    let subject = |stack: StackSmallId| {
        let effect = format!("attest {stack} by 2");
        Subject::new(site, Ask::Attest(vec![stack]), SECOND, vec![effect])
    };
    let stacks = stacks(world, site, SAMPLING, count, true, false);
    stacks.into_iter().map(subject).collect()
}

fn to_dispute(world: &World, site: &Site, count: usize) -> Vec<Subject> {
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

fn claims(site: &Site, stacks: &[StackSmallId], batch: usize) -> Vec<Subject> {
    let subject = |stacks: &[StackSmallId]| {
        let effects = stacks
            .iter()
            .map(|stack| format!("claim {stack}"))
            .collect();
        Subject::new(site, Ask::Claim(stacks.to_vec()), FIRST, effects)
    };
    stacks.chunks(batch).map(subject).collect()
}

fn to_claim(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    let stacks = stacks(world, site, NONE, count * 3, true, false);
    world.network.advance_epoch().unwrap();
    world.network.advance_epoch().unwrap();
    claims(site, &stacks, 3)
}

fn to_claim_confidential(world: &World, site: &Site, count: usize) -> Vec<Subject> {
    claims(
        site,
        &stacks(world, site, CONFIDENTIAL, count * 2, false, false),
        2,
    )
}

#[test]
fn a_registration_is_made_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(0, to_register, nothing);
}

#[test]
fn a_subscription_is_made_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(1, to_subscribe, nothing);
}

#[test]
fn a_price_is_set_and_journalled_whenever_the_daemon_dies() {
    die_everywhere(1, to_update, nothing);
}

#[test]
fn a_subscription_is_withdrawn_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(1, to_unsubscribe, nothing);
}

#[test]
fn a_stack_is_settled_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(2, to_settle, nothing);
}

#[test]
fn a_stack_is_settled_exactly_once_though_the_epoch_ends_while_the_daemon_is_dead() {
    die_everywhere(2, to_settle, an_epoch_ends);
}

#[test]
fn a_stack_is_attested_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(2, to_attest, nothing);
}

#[test]
fn a_dispute_is_raised_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(2, to_dispute, nothing);
}

#[test]
fn three_stacks_are_claimed_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(1, to_claim, nothing);
}

#[test]
fn two_confidential_stacks_are_claimed_exactly_once_whenever_the_daemon_dies() {
    die_everywhere(1, to_claim_confidential, nothing);
}
