//! The chain: reading what a transaction depends on, building, simulating, sending, looking up.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;

use super::{ChainError, ChainIdentity, SignedTransaction, SubmitError, UnsignedTransaction};
use crate::contract::{
    Abort, ContractCall, ContractParameters, StackOnChain, SubscriberOnChain, TicketOnChain,
};
use crate::events::ContractEvent;
use crate::{
    Address, CheckpointNumber, Digest, Epoch, Mist, NodeSmallId, ObjectId, ObjectReference,
    StackSmallId, TaskSmallId,
};

/// The way to the chain: one step each, no policy. Reads can be repeated at will; only
/// [`execute`](Self::execute) changes anything.
#[async_trait]
pub trait Chain: Debug + Send + Sync {
    /// Which chain and contract this is.
    async fn identity(&self) -> Result<ChainIdentity, ChainError>;

    /// The latest checkpoint that the node has.
    async fn height(&self) -> Result<CheckpointNumber, ChainError>;

    /// The current epoch.
    async fn epoch(&self) -> Result<EpochInfo, ChainError>;

    /// The node badges that an address owns, ascending by small id.
    async fn badges(&self, owner: Address) -> Result<Vec<BadgeOnChain>, ChainError>;

    /// The SUI coins that an address owns, largest first.
    async fn gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError>;

    /// The latest version of an object, and the transaction that wrote it; `None` when it does not
    /// exist (any more).
    async fn object(
        &self,
        id: ObjectId,
    ) -> Result<Option<(ObjectReference, Option<Digest>)>, ChainError>;

    /// Everything that an action depends on, in as few calls as can be, side by side: the epoch,
    /// the badge's version first, the parameters, and what the query names.
    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError>;

    /// Builds a transaction, offline.
    ///
    /// # Errors
    /// When the plan exceeds the network's limits, such as 16,384 bytes an argument.
    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError>;

    /// Runs a transaction without signature or effect.
    ///
    /// # Errors
    /// A refusal is a [`ChainError::Answer`] whose source is a [`Refusal`](super::Refusal).
    async fn simulate(
        &self,
        transaction: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError>;

    /// Sends a transaction and waits for its effects. The same bytes execute at most once, however
    /// often they are sent.
    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError>;

    /// The transaction of that digest, if the node's ledger has it. That it hasn't proves nothing: it
    /// may lag, or have thrown it away; ask [`is_absent`](Self::is_absent).
    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError>;

    /// What became of these versions of owned objects, as far as the node tells; answers in order.
    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError>;

    /// Whether the node's ledger proves that the transaction of that digest was not executed in
    /// `epoch`: it has all checkpoints from the epoch's first on, as far as `until`, and lacks the
    /// digest. False proves nothing.
    ///
    /// # Errors
    /// [`ChainError::Pruned`] when checkpoints that must be there were thrown away.
    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError>;
}

/// What pays in a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulatedGas {
    /// A coin of the network's making with the largest budget: what is needed is to be found out,
    /// and the transaction's own coins may hold less than a guess.
    Ample,
    /// What the transaction says: its coins, its budget. Whether they suffice is to be found out.
    AsPlanned,
}

impl SimulatedGas {
    /// What suits a budget: one that was asked for has to do, one of the daemon's own is yet to be
    /// found.
    pub const fn for_budget(asked_for: Option<Mist>) -> Self {
        match asked_for {
            Some(_) => Self::AsPlanned,
            None => Self::Ample,
        }
    }
}

/// What became of one version of an owned object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumption {
    /// Nothing: it is the latest, at a node that has executed all that precedes this epoch.
    Current(Epoch),
    /// This transaction consumed it.
    By(Digest),
    /// It is past, and the node does not keep who consumed it.
    Past {
        /// The object's last transaction: none that came after it consumed the version.
        last: Digest,
    },
    /// The node shows an older version, or no such object. Neither proves anything: it may lag.
    Unseen,
}

/// How far a ledger must reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// To the end of the epoch.
    EpochEnd,
    /// To the checkpoint of this transaction.
    Transaction(Digest),
}

/// The current epoch, as the node has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochInfo {
    /// The current epoch.
    pub epoch: Epoch,
    /// The reference price of a gas unit in it.
    pub reference_gas_price: Mist,
}

/// A node badge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadgeOnChain {
    /// The object at its latest version.
    pub reference: ObjectReference,
    /// The node.
    pub node_small_id: NodeSmallId,
}

/// A SUI coin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasCoin {
    /// The object at its latest version.
    pub reference: ObjectReference,
    /// What it holds.
    pub balance: Mist,
}

/// What to read before acting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewQuery {
    /// The acting node's badge.
    pub badge: Option<ObjectId>,
    /// Stacks to be read from the contract's table.
    pub stacks: Vec<StackSmallId>,
    /// Tickets to be read.
    pub tickets: Vec<StackSmallId>,
    /// A task's subscriber list to be read.
    pub subscribers: Option<SubscriberQuery>,
}

/// Which subscriber list to read. The nodes expected in it are read in the same call as the list;
/// others cost a second one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberQuery {
    /// The task.
    pub task: TaskSmallId,
    /// Who is probably in the list.
    pub expected: Vec<NodeSmallId>,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractView {
    /// The epoch.
    pub epoch: EpochInfo,
    /// The contract's parameters.
    pub parameters: ContractParameters,
    /// The badge at its latest version; `None` when it wasn't asked for or does not exist.
    pub badge: Option<ObjectReference>,
    /// The stacks that exist.
    pub stacks: BTreeMap<StackSmallId, StackOnChain>,
    /// The tickets that exist.
    pub tickets: BTreeMap<StackSmallId, TicketOnChain>,
    /// The subscriber list, in order; `None` when it wasn't asked for or the task is gone.
    pub subscribers: Option<Vec<SubscriberOnChain>>,
}

/// A transaction to be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionPlan {
    /// Who signs and pays.
    pub sender: Address,
    /// The acting node's badge, where a call needs one.
    pub badge: Option<ObjectReference>,
    /// The calls, in order.
    pub calls: Vec<ContractCall>,
    /// The coins that pay. They become one, the first, which keeps the change.
    pub gas: Vec<ObjectReference>,
    /// Coins of these sizes are split off what pays, for the sender's later transactions.
    pub split: Vec<Mist>,
    /// The price of a gas unit.
    pub gas_price: Mist,
    /// The most that may be spent.
    pub gas_budget: Mist,
    /// The last epoch in which it can execute.
    pub expires_after: Epoch,
}

/// What a transaction would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// Whether it would succeed.
    pub outcome: ExecutionOutcome,
    /// The gas that it needs at its price, before any margin: computation and storage cost,
    /// without the rebate (the budget must cover the peak).
    pub gas_needed: Mist,
}

/// What became of an executed transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum ExecutionOutcome {
    /// It succeeded.
    Success,
    /// Move code aborted; gas is spent.
    Abort(Abort),
    /// The network cancelled it before the contract ran (congestion of a shared object, no
    /// randomness); gas is spent, a new attempt can succeed.
    Cancelled {
        /// The network's name for the reason.
        reason: String,
    },
    /// It failed otherwise (out of gas, arithmetic error); gas is spent.
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
    /// What became of it.
    pub outcome: ExecutionOutcome,
    /// When.
    pub epoch: Epoch,
    /// Gas paid, net of the storage rebate; zero when the rebate was larger.
    pub gas_used: Mist,
    /// The checkpoint that it is in, once it is in one.
    pub checkpoint: Option<CheckpointNumber>,
    /// The new versions of all objects that it wrote, by id: badge and coins among them.
    pub written: BTreeMap<ObjectId, ObjectReference>,
    /// By how much the sender's SUI changed its balance is not told; the coin that paid is.
    pub gas_coin: Option<ObjectReference>,
    /// The contract's events, in order.
    pub events: Vec<ContractEvent>,
    /// The effects in BCS.
    pub effects: Vec<u8>,
}
