//! Who looks after our nodes: the autopilot, or a script that settles, attests and claims every hour.

use atoma_domain::autopilot::WaitsFor;
use atoma_domain::journal::GasOptions;
use atoma_operator::NodeChoice;

use super::market::attestations_due;
use super::others::unpaid_stacks;
use crate::site::Site;
use crate::world::World;

/// Who looks after the operator's nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pilot {
    Autopilot,
    /// Settles, attests and claims whatever it can, every hour.
    HourlyScript,
}

/// What happened to the daemon.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    pub(super) crashes: usize,
    /// Why the autopilot paused. A person resumes it at once.
    pub(super) pauses: Vec<String>,
    /// In how many steps a claim waited for the treasury.
    pub(super) treasury_short: usize,
}

impl Pilot {
    /// The work of a step. The daemon may crash in it, and the next one goes on.
    pub(super) async fn work(
        self,
        world: &World,
        mut site: Site,
        crash: Option<u32>,
        log: &mut Log,
    ) -> Site {
        if let Some(left) = crash {
            site.crash.arm(left);
        }
        let is_alive = self.try_work(world, &mut site, log).await;
        if site.crash.disarm() || !is_alive {
            log.crashes += 1;
            site = site.crash_and_restart(world).await;
            self.try_work(world, &mut site, log).await;
        }
        site
    }

    /// False if the daemon crashes.
    async fn try_work(self, world: &World, site: &mut Site, log: &mut Log) -> bool {
        match self {
            Self::Autopilot => {
                if !look(world, site).await {
                    return false;
                }
                let status = site.autopilot.status().await.unwrap();
                let latest = status.latest.iter().flat_map(|survey| &survey.duties);
                let mut reasons = latest.map(|duty| duty.standing.reason());
                let is_short = reasons.any(|reason| reason == WaitsFor::Treasury.code());
                log.treasury_short += usize::from(is_short);
                if let Some(pause) = status.pause {
                    log.pauses.push(pause.to_string());
                    site.autopilot.resume().await.unwrap();
                    return look(world, site).await;
                }
                true
            }
            Self::HourlyScript => script(world, site).await,
        }
    }
}

/// The autopilot looks at a mirror that is up to date, and then at what its own settlements have drawn.
async fn look(world: &World, site: &mut Site) -> bool {
    site.mirrored(world).await;
    if !site.look().await {
        return false;
    }
    site.mirrored(world).await;
    attestations_due(site).await.is_empty() || site.look_for_attestations().await
}

/// Settles, attests and claims whatever it can.
async fn script(world: &World, site: &mut Site) -> bool {
    site.mirrored(world).await;
    let (choice, gas) = (NodeChoice::default(), GasOptions::default());
    let unpaid = unpaid_stacks(site).await;
    let operator = site.operator().clone();
    let settled = site.until_crash(async move {
        for stacks in unpaid.chunks(1_000) {
            let _ = operator.settle(stacks, None, choice, gas).await;
        }
    });
    if settled.await.is_none() {
        return false;
    }
    site.mirrored(world).await;
    let due = attestations_due(site).await;
    let unpaid = unpaid_stacks(site).await;
    let operator = site.operator().clone();
    let claimed = site.until_crash(async move {
        for (stack, nodes) in due {
            for (node, has_record) in nodes {
                if has_record {
                    let _ = operator.attest(&[stack], false, node.into(), gas).await;
                }
            }
        }
        for stacks in unpaid.chunks(1_000) {
            let _ = operator.claim(stacks, choice, gas).await;
        }
    });
    claimed.await.is_some()
}
