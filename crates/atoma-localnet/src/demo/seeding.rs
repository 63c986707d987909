//! Making the world, and reading it back.

use atoma_domain::events::ContractEvent;
use atoma_domain::{NodeSmallId, ObjectId, TaskSmallId};

use super::{Demo, DemoStack, DemoTask, Operator, SecretKey};
use crate::LocalNet;
use crate::accounts::{Account, derive};
use crate::actions::{ActionError, NewTask, Parameters, Purchase};
use crate::contract;
use crate::core::Core;
use crate::drafts::{Draft, Value};
use crate::network::LocalNetError;

/// Stacks that each of the first operator's nodes has of each task.
pub const STACKS_PER_TASK_AND_NODE: u64 = 6;

const OPERATORS: usize = 2;
const NODES_PER_OPERATOR: usize = 2;
/// Coins of an operator: one a badge and two to spare, in MIST.
const OPERATOR_COINS: [u64; NODES_PER_OPERATOR + 2] = [100_000_000_000; NODES_PER_OPERATOR + 2];
/// Micro-USDC for a million compute units: what nodes ask, and what the buyer pays.
const PRICE: u64 = 1_000_000;
/// Compute units in a stack.
const STACK_UNITS: u64 = 1_000_000;
/// What the buyer pays for one stack that nobody ever claims, so that the treasury covers every
/// share of attesters: 1,000 USDC against less than a hundred.
const RESERVE_PRICE: u64 = 1_000_000_000;

/// Makes the demonstration world on a fresh network, or describes the one that is there.
///
/// # Errors
/// When a transaction does not go through.
pub fn seed(network: &LocalNet) -> Result<Demo, LocalNetError> {
    let accounts: Vec<(SecretKey, Account)> = (0..OPERATORS)
        .map(|index| {
            let key = derive(network.core().config.seed, &format!("operator {index}"));
            (SecretKey(key), Account::from_key(key))
        })
        .collect();
    let fresh = contract_state(network.core())?.nodes.is_empty();
    if fresh {
        make(network, &accounts)?;
    }
    describe(network, accounts)
}

fn contract_state(core: &Core) -> Result<contract::ContractState, LocalNetError> {
    contract::read_state(core.ledger().objects(), &core.contract)
        .map_err(|error| LocalNetError::State(error.to_string()))
}

fn make(network: &LocalNet, accounts: &[(SecretKey, Account)]) -> Result<(), LocalNetError> {
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
            let node = network.act(|core| node(core, account, &tasks))?;
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

/// Registers a node and subscribes it to every task.
fn node(core: &Core, account: &Account, tasks: &[TaskSmallId]) -> Result<NodeSmallId, ActionError> {
    let mut draft = Draft::default();
    draft.call(core, "register_node_entry", vec![Value::System])?;
    let events = core.act(account, draft, None)?;
    let registered: Option<(NodeSmallId, ObjectId)> = events.iter().find_map(|event| match event {
        ContractEvent::NodeRegistered(event) => Some((event.node_small_id, event.badge_id)),
        _ => None,
    });
    let (node, badge) =
        registered.ok_or_else(|| ActionError::Missing("no node came of it".to_owned()))?;
    let mut draft = Draft::default();
    for task in tasks {
        let values = vec![
            Value::System,
            Value::Object(badge),
            Value::pure(task)?,
            Value::pure(&PRICE)?,
        ];
        draft.call(core, "subscribe_node_to_task", values)?;
    }
    core.act(account, draft, None)?;
    Ok(node)
}

fn describe(
    network: &LocalNet,
    accounts: Vec<(SecretKey, Account)>,
) -> Result<Demo, LocalNetError> {
    let core = network.core();
    let state = contract_state(core)?;
    let operators = accounts
        .into_iter()
        .map(|(key, account)| Operator {
            address: account.address,
            key,
            nodes: badges(core, &account),
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
        package: core.contract.package,
        atoma_db: core.contract.atoma_db,
    })
}

/// The nodes whose badges an account owns, in the order of their ids.
fn badges(core: &Core, account: &Account) -> Vec<NodeSmallId> {
    let ledger = core.ledger();
    let mut nodes: Vec<NodeSmallId> = ledger
        .objects()
        .owned_by(&account.address)
        .filter_map(|object| {
            let data = object.as_struct()?;
            let is_badge = data.object_type().name().as_str() == "NodeBadge";
            let (_, node): (ObjectId, NodeSmallId) =
                bcs::from_bytes(data.contents()).ok().filter(|_| is_badge)?;
            Some(node)
        })
        .collect();
    nodes.sort_unstable();
    nodes
}
