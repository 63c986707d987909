//! The switch.

use atoma_domain::StackSmallId;
use atoma_domain::alarms::AlarmKind;
use atoma_domain::autopilot::PauseScope;

use crate::duties::policy;
use crate::site::{KEYS, Site};
use crate::world::{UNITS, World};

/// An operator with a full stack.
pub(crate) async fn with_a_full_stack(world: &World) -> (Site, StackSmallId) {
    let task = world.task(0);
    let mut site = Site::start(world, KEYS[0], 1, &[task], policy()).await;
    let node = site.nodes[0];
    let stack = world.buy(task, node, 1)[0];
    site.mirrored(world).await;
    site.serve(stack, node, UNITS, 1).await;
    (site, stack)
}

#[tokio::test]
async fn a_pause_outlasts_a_restart_and_ends_when_somebody_resumes() {
    let world = World::start(11).await;
    let (site, stack) = with_a_full_stack(&world).await;
    let note = Some(String::from("hardware is being replaced"));
    let paused = site.autopilot.pause(PauseScope::AllButAttestations, note);
    paused.await.unwrap();
    let mut site = site.restart(&world).await;
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["settle due filled"]);
    let status = site.autopilot.status().await.unwrap();
    let pause = status.pause.unwrap();
    assert_eq!(pause.scope, PauseScope::AllButAttestations);
    assert!(pause.to_string().contains("hardware"));
    site.autopilot.resume().await.unwrap();
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["claim waiting claimable_epoch"]);
    site.node.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_pauses_while_it_exists() {
    let world = World::start(12).await;
    let (mut site, stack) = with_a_full_stack(&world).await;
    std::fs::write(site.pause_file(), "all").unwrap();
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["settle due filled"]);
    let pause = site.autopilot.status().await.unwrap().pause.unwrap();
    assert_eq!(pause.scope, PauseScope::All);
    let changes = site.operator().look_for_alarms().await.unwrap();
    let kinds = changes.iter().map(|change| change.alarm.key.kind);
    assert!(
        kinds
            .collect::<Vec<_>>()
            .contains(&AlarmKind::AutopilotPaused)
    );
    std::fs::remove_file(site.pause_file()).unwrap();
    site.step(&world).await;
    assert_eq!(site.duties(stack).await, ["claim waiting claimable_epoch"]);
    site.node.stop().await.unwrap();
}
