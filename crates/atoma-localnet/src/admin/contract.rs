//! The control calls that use the contract: as its manager, as buyers and as owners of nodes.

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sui_sdk_types::Address;

use super::request::{Json, Path};
use super::response::{ControlResult, respond, stopped};
use crate::actions::{NewModel, NewTask, NodeRegistration, Parameters, Purchase};
use crate::error::LocalNetError;
use crate::network::LocalNet;

pub(super) fn routes() -> Router<LocalNet> {
    Router::new()
        .route("/tasks", post(create_task))
        .route("/tasks/{id}/whitelist", post(whitelist_nodes))
        .route("/tasks/{id}/deprecate", post(deprecate_task))
        .route("/tasks/{id}/remove", post(remove_task))
        .route("/models", post(create_model))
        .route("/models/enabled", post(set_model_enabled))
        .route("/nodes", post(register_node))
        .route("/nodes/{id}/disable", post(disable_node))
        .route("/nodes/{id}/destroy", post(destroy_node))
        .route("/registration", post(set_registration_enabled))
        .route("/key-rotation", post(rotate_network_key))
        .route("/package/upgrade", post(upgrade_package))
        .route("/parameters", post(set_parameters))
        .route("/stacks", post(buy_stacks))
        .route("/stacks/{id}/attesters", post(force_attesters))
}

async fn create_task(State(network): State<LocalNet>, Json(task): Json<NewTask>) -> ControlResult {
    let task = network.create_task(&task)?;
    respond(json!({ "task_small_id": task }))
}

async fn create_model(
    State(network): State<LocalNet>,
    Json(model): Json<NewModel>,
) -> ControlResult {
    network.create_model(&model)?;
    respond(json!(model))
}

/// The most attesters that a call forces for a stack.
const MOST_ATTESTERS: usize = 1_000;

/// The most stacks that one call buys.
const MOST_STACKS: u64 = 10_000;

#[derive(Deserialize)]
struct StacksRequest {
    #[serde(flatten)]
    purchase: Purchase,
    /// The buyer, who then owns the stacks; the built-in buyer by default.
    owner: Option<Address>,
}

async fn buy_stacks(
    State(network): State<LocalNet>,
    Json(request): Json<StacksRequest>,
) -> ControlResult {
    if request.purchase.count > MOST_STACKS {
        let error =
            format!("at most {MOST_STACKS} stacks at a time; `--stacks` makes a large world");
        return Err(LocalNetError::Action(error).into());
    }
    let owner = request.owner.unwrap_or_else(|| network.buyer());
    // Other calls go on meanwhile.
    let stacks =
        tokio::task::spawn_blocking(move || network.buy_stacks_for(owner, &request.purchase));
    let stacks = stacks.await.map_err(stopped)??;
    respond(json!({ "stack_small_ids": stacks }))
}

async fn set_parameters(
    State(network): State<LocalNet>,
    Json(parameters): Json<Parameters>,
) -> ControlResult {
    network.set_parameters(&parameters)?;
    respond(json!(parameters))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttestersRequest {
    node_small_ids: Vec<NodeSmallId>,
}

async fn force_attesters(
    State(network): State<LocalNet>,
    Path(stack): Path<StackSmallId>,
    Json(attesters): Json<AttestersRequest>,
) -> ControlResult {
    let nodes = attesters.node_small_ids;
    if nodes.len() > MOST_ATTESTERS {
        let error = format!("at most {MOST_ATTESTERS} attesters of a stack");
        return Err(LocalNetError::Action(error).into());
    }
    network.force_attesters(stack, nodes.clone());
    respond(json!({ "stack_small_id": stack, "node_small_ids": nodes }))
}

async fn upgrade_package(State(network): State<LocalNet>) -> ControlResult {
    let package = network.upgrade_package()?;
    respond(json!({ "package_id": package }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhitelistRequest {
    node_small_ids: Vec<NodeSmallId>,
}

async fn whitelist_nodes(
    State(network): State<LocalNet>,
    Path(task): Path<TaskSmallId>,
    Json(request): Json<WhitelistRequest>,
) -> ControlResult {
    network.whitelist_nodes(task, &request.node_small_ids)?;
    respond(json!({ "task_small_id": task, "node_small_ids": request.node_small_ids }))
}

async fn deprecate_task(
    State(network): State<LocalNet>,
    Path(task): Path<TaskSmallId>,
) -> ControlResult {
    network.deprecate_task(task)?;
    respond(json!({ "task_small_id": task }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveRequest {
    /// Whether the network's admin removes it, without an event.
    #[serde(default)]
    as_admin: bool,
}

async fn remove_task(
    State(network): State<LocalNet>,
    Path(task): Path<TaskSmallId>,
    Json(request): Json<RemoveRequest>,
) -> ControlResult {
    network.remove_task(task, request.as_admin)?;
    respond(json!({ "task_small_id": task }))
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ModelSwitch {
    model_name: String,
    enabled: bool,
}

async fn set_model_enabled(
    State(network): State<LocalNet>,
    Json(request): Json<ModelSwitch>,
) -> ControlResult {
    network.set_model_enabled(&request.model_name, request.enabled)?;
    respond(json!(request))
}

async fn register_node(
    State(network): State<LocalNet>,
    Json(registration): Json<NodeRegistration>,
) -> ControlResult {
    let node = network.register_node(&registration)?;
    respond(json!({ "node_small_id": node }))
}

async fn disable_node(
    State(network): State<LocalNet>,
    Path(node): Path<NodeSmallId>,
) -> ControlResult {
    network.disable_node(node)?;
    respond(json!({ "node_small_id": node }))
}

async fn destroy_node(
    State(network): State<LocalNet>,
    Path(node): Path<NodeSmallId>,
) -> ControlResult {
    network.destroy_node(node)?;
    respond(json!({ "node_small_id": node }))
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RegistrationSwitch {
    enabled: bool,
}

async fn set_registration_enabled(
    State(network): State<LocalNet>,
    Json(request): Json<RegistrationSwitch>,
) -> ControlResult {
    network.set_registration_enabled(request.enabled)?;
    respond(json!(request))
}

async fn rotate_network_key(State(network): State<LocalNet>) -> ControlResult {
    let counter = network.rotate_network_key()?;
    respond(json!({ "key_rotation_counter": counter }))
}
