//! Access to the chain: read, build, simulate, execute, look up.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::{ChainError, ChainIdentity, SubmitError, SuiNodeReport};
use crate::contract::{
    Abort, ContractCall, ContractParameters, StackOnChain, SubscriberOnChain, TicketOnChain,
};
use crate::events::ContractEvent;
use crate::model::NodeKey;
use crate::transaction::{SignedTransaction, UnsignedTransaction};
use crate::{
    Address, CheckpointNumber, Digest, Epoch, MicroUsdc, Mist, NodeSmallId, ObjectId,
    ObjectReference, StackSmallId, TaskSmallId, TimestampMs,
};

/// Access to the chain. Each method is one step, without retries or other policy. Reads can be repeated
/// at will; only [`execute`](Self::execute) changes anything.
#[async_trait]
pub trait Chain: Debug + Send + Sync {
    /// The chain and the contract, whose ids belong together.
    ///
    /// # Errors
    /// [`ChainError::Contract`] when they don't.
    async fn identity(&self) -> Result<ChainIdentity, ChainError>;

    /// The latest checkpoint of the Sui node.
    ///
    /// # Errors
    /// [`ChainError::Late`] when it is older than the configured limit.
    async fn height(&self) -> Result<CheckpointNumber, ChainError>;

    /// The time of a checkpoint.
    ///
    /// # Errors
    /// When the node can't be reached, or doesn't have the checkpoint.
    async fn checkpoint_time(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<TimestampMs, ChainError>;

    /// The current epoch.
    async fn epoch(&self) -> Result<EpochInfo, ChainError>;

    /// The node badges that an address owns, ascending by small id.
    async fn badges(&self, owner: Address) -> Result<Vec<BadgeOnChain>, ChainError>;

    /// The SUI coins that an address owns, largest first.
    async fn gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError>;

    /// The latest version of an object that the node shows; `None` if it shows none. That proves nothing:
    /// it may lag.
    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError>;

    /// Everything that an action depends on, in as few calls as possible and in parallel: the epoch, the
    /// badge's version first, the parameters, and what the query names.
    ///
    /// # Errors
    /// [`ChainError::Late`] when the Sui node lags by more than the configured limit.
    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError>;

    /// Builds a transaction, offline.
    ///
    /// # Errors
    /// When the plan exceeds the network's limits, such as 16,384 bytes per argument.
    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError>;

    /// Simulates a transaction: without a signature, and without effect on chain.
    ///
    /// # Errors
    /// A refusal is a [`ChainError::Answer`] whose source is a [`Refusal`](super::Refusal).
    async fn simulate(
        &self,
        transaction: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError>;

    /// Submits a transaction and waits for its effects. The same bytes execute at most once, however
    /// often they are submitted.
    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError>;

    /// The transaction with that digest, if the node's ledger has it. `None` proves nothing: the node may
    /// lag or have pruned it. For a proof use [`is_absent`](Self::is_absent).
    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError>;

    /// Whether and by what these versions of owned objects were consumed, as far as the node shows it; in
    /// the same order.
    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError>;

    /// Whether the node's ledger proves that the transaction with that digest did not execute in `epoch`:
    /// it has all checkpoints from the first of the epoch up to `until`, and lacks the digest. False
    /// proves nothing.
    ///
    /// # Errors
    /// [`ChainError::Pruned`] when the node has pruned checkpoints that the proof needs.
    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError>;

    /// The same chain, all of it through the Sui node that answers first: an attempt is read, simulated and
    /// sent there, so that nothing in it comes from nodes at different states. `None` if this chain has only
    /// one node.
    fn through_one_node(&self) -> Option<Arc<dyn Chain>> {
        None
    }

    /// Expects this chain of every Sui node, where a wrong one could otherwise be the first to say which chain it is. A
    /// chain of one node leaves it to [`identity`](Self::identity).
    ///
    /// # Errors
    /// When a node of another chain has answered already.
    fn expect_chain(&self, _chain: Digest) -> Result<(), ChainError> {
        Ok(())
    }

    /// How the Sui nodes stand, in the order in which they are asked. Reads nothing.
    fn sui_nodes(&self) -> Vec<SuiNodeReport> {
        Vec::new()
    }
}

/// How a simulation pays for gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulatedGas {
    /// With a coin that the network provides and the largest budget. The simulation finds the gas
    /// needed, for which the transaction's own coins may be too small.
    Ample,
    /// With the coins and the budget of the transaction. The simulation finds whether they suffice.
    AsPlanned,
}

impl SimulatedGas {
    /// As planned for a requested budget; ample if the daemon still has to find one.
    pub const fn for_budget(requested: Option<Mist>) -> Self {
        match requested {
            Some(_) => Self::AsPlanned,
            None => Self::Ample,
        }
    }
}

/// Whether one version of an owned object was consumed, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumption {
    /// It is the latest version, according to a node that has executed everything before this epoch.
    Current(Epoch),
    /// This transaction consumed it.
    By(Digest),
    /// It was consumed, but the node no longer knows by what.
    Past {
        /// The object's last transaction. No later one consumed the version.
        last: Digest,
    },
    /// The node shows an older version, or no such object. This proves nothing, because it may lag.
    Unseen,
}

/// How far the ledger must reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// To the end of the epoch.
    EpochEnd,
    /// To the checkpoint of this transaction.
    Transaction(Digest),
}

/// The current epoch of the Sui node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochInfo {
    /// The current epoch.
    pub epoch: Epoch,
    /// Its reference gas price, in MIST per gas unit.
    pub reference_gas_price: Mist,
    /// When it began; `None` if the node doesn't say.
    pub starts_at: Option<TimestampMs>,
    /// When it is expected to end, by its start and the protocol's duration; `None` if the node doesn't say.
    pub ends_at: Option<TimestampMs>,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectOnChain {
    /// The latest version of the object.
    pub reference: ObjectReference,
    /// The address that owns it; `None` if no address does.
    pub owner: Option<Address>,
    /// The transaction that wrote this version, if the node names it.
    pub last_transaction: Option<Digest>,
    /// The balance, if it is a SUI coin.
    pub balance: Option<Mist>,
}

/// A node badge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadgeOnChain {
    /// The latest version of the object.
    pub reference: ObjectReference,
    /// The node.
    pub node_small_id: NodeSmallId,
}

/// A SUI coin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasCoin {
    /// The latest version of the object.
    pub reference: ObjectReference,
    /// Its balance.
    pub balance: Mist,
}

/// What to read before an action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewQuery {
    /// The acting node's badge.
    pub badge: Option<ObjectId>,
    /// The stacks to read from the contract's table.
    pub stacks: Vec<StackSmallId>,
    /// The stacks whose settlement tickets to read.
    pub tickets: Vec<StackSmallId>,
    /// The subscriber list to read.
    pub subscribers: Option<SubscriberQuery>,
    /// The node whose key to read.
    pub node_key: Option<NodeSmallId>,
    /// The nodes whose shares to read.
    pub shares: Vec<NodeSmallId>,
}

/// Which subscriber list to read. Nodes that are expected in it are read in the same call as the list;
/// unexpected ones take a second call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberQuery {
    /// The task.
    pub task: TaskSmallId,
    /// The nodes that are probably in the list.
    pub expected: Vec<NodeSmallId>,
}

/// The result of a [`ViewQuery`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractView {
    /// The epoch.
    pub epoch: EpochInfo,
    /// The contract's parameters.
    pub parameters: ContractParameters,
    /// The latest version of the badge; `None` if the query names none or it does not exist.
    pub badge: Option<ObjectReference>,
    /// Those of the stacks that exist.
    pub stacks: BTreeMap<StackSmallId, StackOnChain>,
    /// Those of the tickets that exist.
    pub tickets: BTreeMap<StackSmallId, TicketOnChain>,
    /// The subscriber list, in order; `None` if the query names none or the task does not exist.
    pub subscribers: Option<Vec<SubscriberOnChain>>,
    /// The key that the node has committed to; `None` if the query names no node or the node has no key.
    pub node_key: Option<NodeKey>,
    /// The shares of those of the nodes that exist.
    pub shares: BTreeMap<NodeSmallId, MicroUsdc>,
}

/// The plan of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionPlan {
    /// The address that signs and pays.
    pub sender: Address,
    /// The acting node's badge, if a call needs one.
    pub badge: Option<ObjectReference>,
    /// The calls, in order.
    pub calls: Vec<ContractCall>,
    /// The gas coins. They are merged into the first one, which keeps the change.
    pub gas: Vec<ObjectReference>,
    /// The balances of coins to split off the gas coin, for later transactions of the sender.
    pub split: Vec<Mist>,
    /// The gas price, in MIST per gas unit.
    pub gas_price: Mist,
    /// The gas budget.
    pub gas_budget: Mist,
    /// The last epoch in which it can execute.
    pub expires_after: Epoch,
}

/// The result of a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// The outcome that execution would have.
    pub outcome: ExecutionOutcome,
    /// The gas needed at its price, before any margin: computation and storage cost without the rebate,
    /// because the budget must cover the peak.
    pub gas_needed: Mist,
}

/// The outcome of an executed transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum ExecutionOutcome {
    /// It succeeded.
    Success,
    /// Move code aborted. Gas is spent.
    Abort(Abort),
    /// The network cancelled it before the contract ran (congestion of a shared object, no
    /// randomness). Gas is spent; a new attempt can succeed.
    Cancelled {
        /// The network's name for the reason.
        reason: String,
    },
    /// It failed for another reason (out of gas, arithmetic error). Gas is spent.
    Failed {
        /// The network's name for the reason, with its fields.
        reason: String,
        /// Whether the budget was too small.
        out_of_gas: bool,
    },
}

/// An executed transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Executed {
    /// Its digest.
    pub digest: Digest,
    /// Its outcome.
    pub outcome: ExecutionOutcome,
    /// The epoch in which it executed.
    pub epoch: Epoch,
    /// The gas paid, net of the storage rebate; zero if the rebate was larger.
    pub gas_used: Mist,
    /// What came back, because the storage rebate was larger than the gas; zero otherwise.
    pub gas_returned: Mist,
    /// The checkpoint that contains it, once there is one.
    pub checkpoint: Option<CheckpointNumber>,
    /// The new versions of all objects that it wrote, by id, including the badge and the coins.
    pub written: BTreeMap<ObjectId, ObjectReference>,
    /// The new version of the coin that paid. Balances are not part of the effects.
    pub gas_coin: Option<ObjectReference>,
    /// The contract's events, in order, as far as this version can read them.
    pub events: Vec<ContractEvent>,
    /// How many events it emitted that are not in `events`: of other packages, or unreadable.
    pub other_events: usize,
    /// The effects in BCS.
    pub effects: Vec<u8>,
}
