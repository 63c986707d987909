//! Creating the demonstration world, and reading it back.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use atoma_domain::{NodeSmallId, ObjectId, TaskSmallId};

use super::world::{Demo, DemoOperator, DemoStack, DemoTask, SecretKey};
use crate::accounts::{Account, operator_key};
use crate::actions::{NewTask, Parameters, Purchase};
use crate::contract;
use crate::core::NetworkCore;
use crate::error::LocalNetError;
use crate::network::LocalNet;

/// The stacks that each of the first operator's nodes has of each task.
pub const STACKS_PER_TASK_AND_NODE: u64 = 6;

const NODES_PER_OPERATOR: usize = 2;
/// The stacks of the whole world: those of the first operator's nodes for three tasks, and the one that fills the
/// treasury, which is bought last.
const STACKS: u64 = 2 * 3 * STACKS_PER_TASK_AND_NODE + 1;
/// An operator's coins, in MIST: one per badge and two spare ones.
const OPERATOR_COINS: [u64; NODES_PER_OPERATOR + 2] = [100_000_000_000; NODES_PER_OPERATOR + 2];
/// The price that nodes ask and the buyer pays, in micro-USDC per million compute units.
const PRICE: u64 = 1_000_000;
/// Compute units per stack.
const STACK_UNITS: u64 = 1_000_000;
/// The price of one stack that is never claimed, in micro-USDC. It fills the treasury so that it
/// covers all attesters' shares: 1,000 USDC for shares of less than 100.
const RESERVE_PRICE: u64 = 1_000_000_000;

/// Where the first operator's daemon serves its API unless it is told otherwise.
const API: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3_000);

/// Creates the demonstration world unless it exists, and writes the first operator's files into
/// `dir`.
///
/// # Errors
/// When a transaction is refused or fails, or a file can't be written.
pub fn prepare(network: &LocalNet, dir: Option<&Path>) -> Result<Demo, LocalNetError> {
    let demo = seed(network)?;
    if let Some(dir) = dir {
        demo.write_operator_files(dir, API)?;
    }
    Ok(demo)
}

/// Creates the demonstration world on a fresh network, or reads back the existing one.
///
/// # Errors
/// When a transaction is refused or fails.
pub fn seed(network: &LocalNet) -> Result<Demo, LocalNetError> {
    let core = &network.core;
    let accounts: Vec<(SecretKey, Arc<Account>)> = (0_usize..)
        .zip(&core.accounts.operators)
        .map(|(index, account)| {
            let key = operator_key(core.config.seed, index);
            (SecretKey(key), Arc::clone(account))
        })
        .collect();
    let state = contract_state(&network.core)?;
    let last_stack = state.stacks.last_key_value().map_or(0, |(id, _)| id.get());
    if state.nodes.is_empty() && state.tasks.is_empty() {
        create(network, &accounts)?;
    } else if last_stack < STACKS {
        return Err(LocalNetError::State(String::from(
            "the network has nodes or tasks, but not the whole demonstration world, perhaps because its creation was \
             interrupted; use another data directory",
        )));
    }
    read(network, accounts)
}

fn contract_state(core: &NetworkCore) -> Result<contract::ContractState, LocalNetError> {
    contract::read_state(core.ledger().objects(), &core.contract)
        .map_err(|error| LocalNetError::State(error.to_string()))
}

fn create(network: &LocalNet, accounts: &[(SecretKey, Arc<Account>)]) -> Result<(), LocalNetError> {
    network.set_parameters(&Parameters {
        cross_validation_probability_permille: Some(1_000),
        cross_validation_extra_nodes_count: Some(1),
        ..Parameters::default()
    })?;
    let mut tasks = Vec::new();
    for (role, model, security_level) in [
        (1, "meta-llama/Llama-3.3-70B-Instruct", 0),
        (2, "intfloat/multilingual-e5-large-instruct", 1),
        (1, "deepseek-ai/DeepSeek-R1", 2),
    ] {
        tasks.push(network.create_task(&NewTask {
            role,
            model_name: Some(model.to_owned()),
            security_level,
            minimum_reputation_score: None,
            is_public: true,
        })?);
    }
    let mut nodes = Vec::new();
    for (_, account) in accounts {
        network.faucet_coins(account.address, &OPERATOR_COINS)?;
        for _ in 0..NODES_PER_OPERATOR {
            let node = network.act(|core| core.create_node(account, &tasks, PRICE))?;
            nodes.push(node);
        }
    }
    for node in nodes.iter().take(NODES_PER_OPERATOR) {
        for task in &tasks {
            network.buy_stacks(&Purchase {
                task_small_id: *task,
                num_compute_units: STACK_UNITS,
                price: PRICE,
                count: STACKS_PER_TASK_AND_NODE,
                node_small_id: Some(*node),
            })?;
        }
    }
    if let (Some(task), Some(node)) = (tasks.first(), nodes.last()) {
        network.buy_stacks(&Purchase {
            task_small_id: *task,
            num_compute_units: STACK_UNITS,
            price: RESERVE_PRICE,
            count: 1,
            node_small_id: Some(*node),
        })?;
    }
    Ok(())
}

/// Buys stacks until the demonstration world has had `count`: in turn for each task and each of the
/// first operator's nodes, in few large transactions.
///
/// # Errors
/// When the world does not exist, or a transaction is refused or fails.
pub fn add_stacks(network: &LocalNet, count: u64) -> Result<(), LocalNetError> {
    let core = &network.core;
    let bought = contract::stacks_bought(core.ledger().objects(), &core.contract)
        .map_err(|error| LocalNetError::State(error.to_string()))?;
    let missing = count.saturating_sub(bought);
    if missing == 0 {
        return Ok(());
    }
    let tasks: Vec<TaskSmallId> = contract_state(core)?.tasks.into_keys().collect();
    let mut nodes = Vec::new();
    for account in core.accounts.operators.iter().take(1) {
        nodes.extend(nodes_of(core, account));
    }
    let pairs: Vec<(TaskSmallId, NodeSmallId)> = tasks
        .iter()
        .flat_map(|task| nodes.iter().map(|node| (*task, *node)))
        .collect();
    let parts = u64::try_from(pairs.len()).unwrap_or(u64::MAX);
    let mut left = missing;
    for (index, (task, node)) in (0..parts).zip(&pairs) {
        let count = left.div_ceil(parts - index);
        left -= count;
        network.buy_stacks_in_bulk(&Purchase {
            task_small_id: *task,
            num_compute_units: STACK_UNITS,
            price: PRICE,
            count,
            node_small_id: Some(*node),
        })?;
    }
    Ok(())
}

fn read(
    network: &LocalNet,
    accounts: Vec<(SecretKey, Arc<Account>)>,
) -> Result<Demo, LocalNetError> {
    let core = &network.core;
    let state = contract_state(core)?;
    let operators = accounts
        .into_iter()
        .map(|(key, account)| DemoOperator {
            address: account.address,
            key,
            nodes: nodes_of(core, &account),
        })
        .collect();
    Ok(Demo {
        operators,
        tasks: state
            .tasks
            .iter()
            .map(|(id, task)| DemoTask {
                task_small_id: *id,
                security_level: task.security_level,
            })
            .collect(),
        stacks: state
            .stacks
            .iter()
            .filter(|(_, stack)| !stack.is_claimed)
            .map(|(id, stack)| DemoStack {
                stack_small_id: *id,
                task_small_id: stack.task_small_id,
                node_small_id: stack.selected_node_id,
                num_compute_units: stack.num_compute_units,
            })
            .collect(),
        url: network.url(),
        ca_file: network
            .ca_file()
            .map(|file| std::path::absolute(file).unwrap_or_else(|_| file.to_owned())),
        package: core.contract.package,
        atoma_db: core.contract.atoma_db,
    })
}

/// The nodes whose badges an account owns, in order of their small ids.
fn nodes_of(core: &NetworkCore, account: &Account) -> Vec<NodeSmallId> {
    let ledger = core.ledger();
    let mut nodes: Vec<NodeSmallId> = ledger
        .objects()
        .owned_by(&account.address, |tag| tag.name().as_str() == "NodeBadge")
        .filter_map(|object| {
            let contents = object.as_struct()?.contents();
            let (_, node): (ObjectId, NodeSmallId) = bcs::from_bytes(contents).ok()?;
            Some(node)
        })
        .collect();
    nodes.sort_unstable();
    nodes
}
