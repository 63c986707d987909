//! An inference service with a node inside: it serves requests against reserved units and settles stacks once they are
//! used up. There is no daemon and no HTTP API.
//!
//! ```sh
//! cargo run -p atoma-operator --example inference_service
//! ```
//!
//! It runs on a local network of its own. On a real one, `client.yaml`, the URL and the two ids are all that differs.

#![expect(clippy::print_stdout, reason = "it tells what it does")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::GasOptions;
use atoma_domain::model::{Lease, Reservation, StackChoice};
use atoma_domain::{CheckpointNumber, ComputeUnits, Digest, Hash32, ObjectId, StackSmallId};
use atoma_localnet::{LocalNet, LocalNetConfig, demo};
use atoma_operator::{
    Adapters, CancellationToken, MirrorChange, Node, NodeChoice, NodeConfig, ServedMessage,
    WantedUnits,
};
use atoma_state::{OwnedState, StateOptions};
use atoma_sui::{ClientConfig, SuiChainConfig, SuiNodes, SuiNodesSource};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The units that a request may use.
const MOST_UNITS: ComputeUnits = ComputeUnits::new(400_000);

#[tokio::main]
async fn main() -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let network = LocalNet::start(LocalNetConfig::default()).await?;
    let world = demo::prepare(&network, Some(dir.path()))?;
    let ids = network.addresses();

    let node = embed(dir.path(), ids.package, ids.atoma_db).await?;
    let mut changes = node.changes();
    node.start().await?;

    let stack = world
        .stacks
        .first()
        .ok_or("the demonstration has stacks")?
        .stack_small_id;
    let mirrored = node.operator().wait_for_stacks(&[stack]).await?;
    let owner = mirrored
        .first()
        .ok_or("the stack was just mirrored")?
        .owner_address;
    for request in ["What is a stack?", "Who settles it?"] {
        let reserved = node.operator().reserve(WantedUnits {
            owner,
            stack: StackChoice::Stack(stack),
            num_compute_units: MOST_UNITS,
            holder: None,
            lease: Lease::default(),
            purchase: None,
        });
        serve(&node, reserved.await?, request).await?;
    }

    let digest = settle(&node, stack).await?;
    // The transaction comes back with the ledger, like those of everyone else.
    // A service that falls behind would be told `Missed`, and read what it needs from the mirror.
    while let Some(change) = changes.next().await {
        if let MirrorChange::Applied(applied) = change
            && applied.digest == digest
        {
            let settled =
                |event: &&ContractEvent| matches!(event, ContractEvent::StackTrySettle(_));
            let events = applied.events.iter().filter(settled).count();
            println!("the mirror has {digest}, with {events} settlement");
            break;
        }
    }
    node.stop().await?;
    network.shutdown().await;
    Ok(())
}

/// Puts a node together from a Sui client configuration. Its data is in `dir`, which no other node may use meanwhile.
async fn embed(dir: &Path, package: ObjectId, atoma_db: ObjectId) -> Outcome<Node> {
    let client = ClientConfig::load(dir.join("client.yaml"))?;
    let sui = SuiNodes::connect([SuiChainConfig::new(client.rpc_url()?, package, atoma_db)])?;
    let source = SuiNodesSource::new(sui.clone(), CheckpointNumber::new(0));
    let owned = OwnedState::open(&dir.join("data"), StateOptions::default()).await?;
    let database = Arc::new(owned.state().clone());
    let signer = Arc::new(client.signer()?);
    let (sui, source, owned) = (Arc::new(sui), Arc::new(source), Arc::new(owned));
    let adapters = Adapters::new(sui, source, signer, database, owned);
    let mut config = NodeConfig::default();
    // The demonstration's setup has used the badges. On a real network, leave it off.
    config.engine.allow_foreign_use = true;
    Ok(Node::build(adapters, config, CancellationToken::new()).await?)
}

/// Serves a request under its reservation, and records what it used. The record is durable when this returns; a message
/// with an id can be recorded again after a failure.
async fn serve(node: &Node, reserved: Reservation, request: &str) -> Outcome<()> {
    let response = format!("an answer to: {request}");
    let (payload, answer) = (
        Hash32::of(&[request.as_bytes()]),
        Hash32::of(&[response.as_bytes()]),
    );
    let served = ServedMessage {
        stack_small_id: reserved.stack_small_id,
        node_small_id: None,
        message_hash: Hash32::of_message(payload, answer),
        num_compute_units: ComputeUnits::new(350_000),
        reservation: Some(reserved.id),
        id: Some(format!("request-{}", reserved.id).parse()?),
    };
    let recorded = node.operator().record_message(served).await?;
    println!(
        "stack {}: {} messages, {} units",
        reserved.stack_small_id, recorded.num_total_messages, recorded.already_computed_units
    );
    Ok(())
}

/// Settles a stack, and returns the digest of its transaction.
async fn settle(node: &Node, stack: StackSmallId) -> Outcome<Digest> {
    let (any, gas) = (NodeChoice::default(), GasOptions::default());
    let results = node.operator().settle(&[stack], None, any, gas).await?;
    let result = results.first().ok_or("a result for each stack")?;
    match (&result.failure, result.tx_digest) {
        (None, Some(digest)) => Ok(digest),
        (failure, _) => Err(format!("stack {stack} is not settled: {failure:?}").into()),
    }
}
