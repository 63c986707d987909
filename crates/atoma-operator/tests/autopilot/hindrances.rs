//! What hinders one duty hinders no other.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use atoma_domain::autopilot::{AutopilotState, PauseScope, UnpaidStack};
use atoma_domain::ports::{AutopilotStore, Page, StoreError};
use atoma_domain::{NodeSmallId, StackSmallId};
use atoma_operator::{Autopilot, AutopilotConfig, AutopilotMode, AutopilotRun};
use atoma_state::SqliteState;

use crate::duties::{policy, with_a_drawn_node};
use crate::pauses::with_a_full_stack;
use crate::site::Site;
use crate::world::World;

/// What happens when the stacks are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hindrance {
    /// They can't be.
    Fails,
    /// Somebody pauses everything meanwhile.
    Pauses,
}

/// The database, of which the stacks are hard to read.
#[derive(Debug)]
struct HinderedStore {
    state: SqliteState,
    hindrance: Hindrance,
    /// The switch that somebody uses meanwhile.
    switch: Mutex<Option<Autopilot>>,
}

#[async_trait]
impl AutopilotStore for HinderedStore {
    async fn unpaid_stacks(
        &self,
        node: NodeSmallId,
        page: Page<StackSmallId>,
    ) -> Result<Vec<UnpaidStack>, StoreError> {
        if self.hindrance == Hindrance::Fails {
            let what = String::from("the stacks");
            return Err(StoreError::Missing { what });
        }
        let switch = self.switch.lock().unwrap().clone();
        if let Some(autopilot) = switch {
            autopilot.pause(PauseScope::All, None).await.unwrap();
        }
        self.state.unpaid_stacks(node, page).await
    }

    async fn set_draining(
        &self,
        stacks: &[StackSmallId],
        is_draining: bool,
    ) -> Result<(), StoreError> {
        self.state.set_draining(stacks, is_draining).await
    }

    async fn end_draining(&self) -> Result<(), StoreError> {
        self.state.end_draining().await
    }

    async fn autopilot_state(&self) -> Result<AutopilotState, StoreError> {
        self.state.autopilot_state().await
    }

    async fn set_autopilot_state(&self, state: &AutopilotState) -> Result<(), StoreError> {
        self.state.set_autopilot_state(state).await
    }
}

/// An autopilot of the operator's with such a database.
fn hindered(world: &World, site: &Site, hindrance: Hindrance) -> AutopilotRun {
    let store = Arc::new(HinderedStore {
        state: site.state.clone(),
        hindrance,
        switch: Mutex::new(None),
    });
    let mut config = AutopilotConfig::default();
    config.mode = AutopilotMode::On;
    config.policy = policy();
    let autopilot = Autopilot::new(
        site.operator().clone(),
        store.clone(),
        world.chain.clone(),
        config,
    );
    *store.switch.lock().unwrap() = Some(autopilot.clone());
    AutopilotRun::new(autopilot)
}

#[tokio::test]
async fn attestations_are_made_although_the_stacks_can_not_be_read() {
    let world = World::start(13).await;
    let (mut site, stack) = with_a_drawn_node(&world).await;
    assert_eq!(site.duties(stack).await[0], "attest due drawn");
    let mut run = hindered(&world, &site, Hindrance::Fails);
    run.step().await.unwrap_err();
    run.settled().await;
    site.mirrored(&world).await;
    assert_eq!(site.duties(stack).await, ["claim waiting claimable_epoch"]);
    site.node.stop().await.unwrap();
}

#[tokio::test]
async fn a_pause_holds_for_a_look_that_has_begun() {
    let world = World::start(14).await;
    let (mut site, stack) = with_a_full_stack(&world).await;
    let mut run = hindered(&world, &site, Hindrance::Pauses);
    run.step().await.unwrap();
    run.settled().await;
    site.mirrored(&world).await;
    assert_eq!(site.duties(stack).await, ["settle due filled"]);
    site.node.stop().await.unwrap();
}
