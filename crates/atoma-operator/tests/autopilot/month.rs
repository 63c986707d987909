//! A simulated month: an operator with the autopilot beside one with other habits, in the same market, with faults.
//!
//! Everything follows from the seed. `ATOMA_MONTH_SEEDS` runs so many months of full size instead of one small one, and
//! prints their tables.

mod market;
mod others;
mod outcome;

use crate::duties::policy;
use crate::site::{KEYS, Site};
use crate::world::{HOUR_MS, World};
use market::{Market, Size};
use others::Others;
use outcome::Outcome;

/// The number of full-size months to run, if the environment says so.
fn seeds() -> Option<u64> {
    std::env::var("ATOMA_MONTH_SEEDS").ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_in_a_month() {
    let (size, seeds) = match seeds() {
        Some(seeds) => (Size::FULL, 1..=seeds),
        None => (Size::SMALL, 1..=1),
    };
    for seed in seeds {
        let ours = month(seed, size, Pilot::Autopilot).await;
        println!("seed {seed}, the autopilot: {ours}");
        assert_eq!(ours.faults, Vec::<String>::new(), "seed {seed}");
        if size == Size::FULL {
            let script = month(seed, size, Pilot::HourlyScript).await;
            println!("seed {seed}, an hourly script: {script}");
        }
    }
}

/// Who looks after the operator's nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pilot {
    Autopilot,
    /// Settles, attests and claims whatever it can, every hour.
    HourlyScript,
}

async fn month(seed: u64, size: Size, pilot: Pilot) -> Outcome {
    let world = World::start(seed).await;
    let mut market = Market::new(&world, seed, size);
    let tasks = market.tasks();
    let other = Site::start(&world, KEYS[1], size.nodes, &tasks, policy()).await;
    let mut site = Site::start(&world, KEYS[0], size.nodes, &tasks, policy()).await;
    let mut others = Others::new(other);
    for epoch in 0..size.epochs {
        for hour in 0..24 {
            if epoch < size.buying {
                market.trade(&world, &mut site, &mut others.site).await;
            }
            market.trouble(&world);
            match pilot {
                Pilot::Autopilot => market.pilot(&world, &mut site).await,
                Pilot::HourlyScript => others::run_script(&world, &mut site).await,
            }
            others.act(&world, &mut market, hour).await;
            market.rerun_requests(&world, &mut site, &others).await;
            if hour < 23 {
                world.pass(HOUR_MS);
            }
        }
        market.end_epoch(&world, epoch);
        println!(
            "seed {seed}: epoch {epoch}, {} stacks bought",
            market.bought
        );
        if market.restarts() {
            site = site.restart(&world).await;
        }
    }
    let outcome = Outcome::of(&world, &mut site, &market).await;
    site.node.stop().await.unwrap();
    others.site.node.stop().await.unwrap();
    outcome
}
