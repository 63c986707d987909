//! A simulated month: an operator with the autopilot beside one with other habits, in the same market, with crashes and
//! faults.
//!
//! Everything that nobody controls is drawn from the seed before it begins. `ATOMA_MONTH_SEEDS` runs so many months of full size, each
//! once with the autopilot and once with a script that does everything every hour, and prints their tables;
//! `ATOMA_MONTH_FIRST` is the first seed.

mod books;
mod calendar;
mod gas;
mod market;
mod others;
mod outcome;
mod pilot;
mod plan;
mod table;

use crate::duties::policy;
use crate::site::{KEYS, Site};
use crate::world::{HOUR_MS, World};
use calendar::Calendar;
use market::Market;
use others::Others;
use outcome::Outcome;
use pilot::{Log, Pilot};
use plan::{Plan, Size};

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_in_a_month() {
    let first = number("ATOMA_MONTH_FIRST");
    let Some(seeds) = number("ATOMA_MONTH_SEEDS") else {
        // A seed with which everything happens.
        let first = first.unwrap_or(7);
        let ours = month(first, Size::SMALL, Pilot::Autopilot).await;
        table::print(first, "the autopilot", &ours);
        assert_eq!(ours.faults, Vec::<String>::new());
        table::assert_everything_happened(&ours);
        return;
    };
    let first = first.unwrap_or(1);
    let mut months = Vec::new();
    for seed in first..first + seeds {
        let ours = month(seed, Size::FULL, Pilot::Autopilot).await;
        table::print(seed, "the autopilot", &ours);
        let script = month(seed, Size::FULL, Pilot::HourlyScript).await;
        table::print(seed, "the script", &script);
        table::assert_everything_happened(&ours);
        months.push((seed, "autopilot", ours));
        months.push((seed, "script", script));
    }
    let rows: Vec<_> = months
        .iter()
        .map(|(seed, who, month)| (*seed, *who, month))
        .collect();
    println!("{}", table::markdown(&rows));
    let ours = months.iter().filter(|(_, who, _)| *who == "autopilot");
    let faults =
        ours.flat_map(|(seed, _, month)| month.faults.iter().map(move |fault| (seed, fault)));
    assert_eq!(faults.collect::<Vec<_>>(), []);
}

async fn month(seed: u64, size: Size, pilot: Pilot) -> Outcome {
    let plan = Plan::new(seed, size);
    let world = World::start(seed).await;
    let mut market = Market::new(&world, size);
    let tasks = market.tasks.clone();
    let other = Site::start(&world, KEYS[1], size.nodes, &tasks, policy()).await;
    let mut site = Site::start(&world, KEYS[0], size.nodes, &tasks, policy()).await;
    let mut others = Others::new(other);
    // The books take no charge for certain that was not read before and after.
    site.operator().check_books().await.unwrap();
    let mut log = Log::default();
    let mut calendar = Calendar::new(size.steps, world.network.epoch());
    for (epoch, steps) in plan.epochs.iter().enumerate() {
        for (number, step) in steps.iter().enumerate() {
            market
                .trade(&world, step, &mut site, &mut others.site)
                .await;
            if Plan::leaves(size, epoch, number) {
                market.leave([&site, &others.site]).await;
            }
            if let Some(fault) = step.fault {
                world.network.inject_fault(fault);
            }
            others.act(&world, &market, number).await;
            market.rerun_requests(&world, &mut site).await;
            site = pilot.work(&world, site, step.crash, &mut log).await;
            market.now += 1;
            calendar.turn(world.network.step().unwrap());
            if number + 1 < size.steps {
                world.pass(24 * HOUR_MS / u64::try_from(size.steps).unwrap());
            }
        }
        world.network.clear_faults();
        // Somebody looks at the books every day.
        site.operator().check_books().await.unwrap();
        market.end_epoch(&world, epoch, &others.site);
        if size == Size::FULL {
            println!("seed {seed}: epoch {epoch} of {pilot:?} is over");
        }
    }
    let outcome = Outcome::of(&world, &mut site, &market, &others, &log, &calendar).await;
    site.node.stop().await.unwrap();
    others.site.node.stop().await.unwrap();
    outcome
}
