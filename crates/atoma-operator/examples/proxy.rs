//! A proxy that buys compute for its users: it mirrors the contract, finds the cheapest node for a task, buys a stack, and
//! signs requests in the name of the stack's owner. It runs no node.
//!
//! ```sh
//! cargo run -p atoma-operator --example proxy
//! ```
//!
//! It runs on a local network of its own.

#![expect(clippy::print_stdout, reason = "it tells what it does")]

use std::error::Error;
use std::sync::Arc;

use atoma_domain::contract::{ContractCounters, stack_price};
use atoma_domain::events::{ContractEvent, StackCreated};
use atoma_domain::model::{Subscription, Task};
use atoma_domain::ports::{
    Chain as _, ChainEvents as _, ContractState as _, ExecutionOutcome, Page, Signer as _,
    StateReader as _, ViewQuery,
};
use atoma_domain::{CheckpointNumber, ComputeUnits, Mist, NodeSmallId, StackSmallId};
use atoma_localnet::{LocalNet, LocalNetConfig, demo};
use atoma_operator::{Applied, CancellationToken, Ingestor, MirrorChange, MirrorChanges};
use atoma_state::{SqliteState, StateOptions};
use atoma_sui::{
    KeystoreSigner, StackPurchase, SuiChain, SuiChainConfig, SuiEventSource, TypeTag,
    verify_personal_message,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const UNITS: ComputeUnits = ComputeUnits::new(1_000_000);
/// A key of the test vectors. It has never had any value.
const KEY: &str = "suiprivkey1qqrswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswxzszc4";

/// The proxy: its key, the contract, and its own mirror of it.
struct Proxy {
    signer: KeystoreSigner,
    chain: Arc<SuiChain>,
    mirror: SqliteState,
    changes: MirrorChanges,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let network = LocalNet::start(LocalNetConfig::default()).await?;
    demo::prepare(&network, None)?;
    let ids = network.addresses();
    let signer = KeystoreSigner::from_suiprivkey(KEY)?;
    network.faucet(signer.address(), 1_000_000_000, 5_000_000)?;

    let chain = SuiChain::connect(SuiChainConfig::new(
        network.url(),
        ids.package,
        ids.atoma_db,
    ))?;
    let path = dir.path().join("proxy.sqlite");
    let mirror = SqliteState::open(path, StateOptions::default()).await?;
    mirror.bind(&chain.identity().await?).await?;
    let applied = Applied::default();
    let changes = applied.subscribe();
    let source = SuiEventSource::new(chain.clone(), CheckpointNumber::new(0));
    let (source, events) = (Arc::new(source), Arc::new(mirror.clone()));
    let ingestor = Ingestor::new(source, events, signer.address(), applied);
    let stopping = CancellationToken::new();
    let following = tokio::spawn(ingestor.run(stopping.clone()));

    let mut proxy = Proxy {
        signer,
        chain,
        mirror,
        changes,
    };
    let counters = proxy.catch_up().await?;
    let (task, offer) = proxy
        .cheapest(&counters)
        .await?
        .ok_or("nobody serves any task")?;
    println!(
        "task {}: node {} asks {} micro-USDC per million units",
        task.task_small_id, offer.node_small_id, offer.price_per_one_million_compute_units
    );
    let bought = proxy.buy(&task, &offer, &ids.usdc()).await?;
    println!(
        "bought stack {} of node {}",
        bought.stack_small_id, bought.selected_node_id
    );
    proxy.until_mirrored(bought.stack_small_id).await?;

    // The node that serves the stack verifies who asks.
    let request = format!("stack {}: What is a stack?", bought.stack_small_id);
    let signature = proxy.signer.sign_personal_message(request.as_bytes())?;
    verify_personal_message(request.as_bytes(), &signature, bought.owner)?;
    println!("signed a request as the owner of the stack");

    stopping.cancel();
    following.await?;
    proxy.mirror.close().await;
    network.shutdown().await;
    Ok(())
}

impl Proxy {
    /// Waits until the mirror has all that the contract has now.
    async fn catch_up(&mut self) -> Outcome<ContractCounters> {
        let counters = self.chain.counters().await?;
        while self.mirror.progress().await?.contract_version < Some(counters.version) {
            self.changes
                .next()
                .await
                .ok_or("the mirror is no longer followed")?;
        }
        Ok(counters)
    }

    /// The cheapest offer that takes a stack of this size, with its task.
    async fn cheapest(&self, counters: &ContractCounters) -> Outcome<Option<(Task, Subscription)>> {
        let nodes: Vec<_> = (1..counters.next_node.get())
            .map(NodeSmallId::new)
            .collect();
        let mut offers = self
            .mirror
            .subscriptions(&nodes, Page::first(1_000))
            .await?;
        offers.retain(|offer| offer.valid && offer.max_num_compute_units >= UNITS);
        offers.sort_by_key(|offer| offer.price_per_one_million_compute_units);
        for offer in offers {
            if let Some(task) = self.mirror.task(offer.task_small_id).await? {
                return Ok(Some((task, offer)));
            }
        }
        Ok(None)
    }

    /// Buys a stack with all coins of the currency. What it doesn't cost stays in the first of them.
    async fn buy(
        &self,
        task: &Task,
        offer: &Subscription,
        currency: &TypeTag,
    ) -> Outcome<StackCreated> {
        let buyer = self.signer.address();
        let view = self.chain.view(&ViewQuery::default()).await?;
        let price = offer.price_per_one_million_compute_units;
        let amount = stack_price(task.security_level, UNITS, price, &view.parameters);
        let coins = self.chain.coins(buyer, currency).await?;
        let gas = self.chain.gas_coins(buyer).await?;
        let contract = self.chain.contract_inputs().await?;
        let unsigned = contract.build_purchase(&StackPurchase {
            buyer,
            task: task.task_small_id,
            units: UNITS,
            price,
            coins: coins.into_iter().map(|coin| coin.reference).collect(),
            amount: amount.ok_or("the stack is too large")?.get(),
            type_argument: None,
            gas: gas.into_iter().map(|coin| coin.reference).take(1).collect(),
            gas_price: view.epoch.reference_gas_price,
            gas_budget: Mist::new(50_000_000),
            expires_after: view.epoch.epoch,
        })?;
        let executed = self
            .chain
            .execute(&self.signer.sign(unsigned).await?)
            .await?;
        let created = executed.events.into_iter().find_map(|event| match event {
            ContractEvent::StackCreated(created) => Some(created),
            _ => None,
        });
        match executed.outcome {
            ExecutionOutcome::Success => created.ok_or_else(|| "no stack was created".into()),
            outcome => Err(format!("the stack was not bought: {outcome:?}").into()),
        }
    }

    /// Waits until the mirror has the stack, like everything else that the ledger brings.
    async fn until_mirrored(&mut self, stack: StackSmallId) -> Outcome<()> {
        let is_purchase = |event: &ContractEvent| matches!(event, ContractEvent::StackCreated(created) if created.stack_small_id == stack);
        loop {
            match self
                .changes
                .next()
                .await
                .ok_or("the mirror is no longer followed")?
            {
                MirrorChange::Applied(applied) if applied.events.iter().any(is_purchase) => {
                    return Ok(());
                }
                _ => {}
            }
        }
    }
}
