//! The network's state, its one lock, and the steps that change it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use atoma_domain::{NodeSmallId, with_causes};
use sui_sdk_types::{
    ChangeEpoch, Digest, EndOfEpochTransactionKind, ExecutionStatus, GasCostSummary, Input,
    ObjectReference, Owner, SignedTransaction, Transaction, TransactionKind,
};
use tokio::sync::watch;

use crate::accounts::Accounts;
use crate::chain::{EpochRecord, Ledger, LedgerError, Saved};
use crate::clock::{GENESIS_TIMESTAMP_MS, NetworkClock};
use crate::config::{Addresses, CHECKPOINT_ON_STEP, LocalNetConfig};
use crate::contract::ContractAddresses;
use crate::execution::{self, Environment, ForcedDraws, HeldLocks, InputLocks, TransactionRefusal};
use crate::faults::{FaultKind, Faults};
use crate::genesis;
use crate::system;

/// A transaction was not executed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecuteError {
    /// The network refused it.
    #[error("the transaction was refused")]
    Refused(#[from] TransactionRefusal),
    /// The ledger can't be written.
    #[error("the ledger failed")]
    Ledger(#[from] LedgerError),
}

impl ExecuteError {
    pub(crate) fn into_status(self) -> tonic::Status {
        match self {
            Self::Refused(refusal) => refusal.execution_status(),
            Self::Ledger(error) => {
                tracing::error!(%error, "the ledger failed");
                tonic::Status::internal(error.to_string())
            }
        }
    }
}

/// A network can't be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The ledger can't be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A derived key is not valid.
    #[error("the seed gives an account a key that is not valid; use another seed")]
    Key(#[from] sui_crypto::SignatureError),
}

/// The origin of a transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    /// A client; injected faults apply.
    Client,
    /// A control call, which may set the node that a purchase selects.
    Control(Option<NodeSmallId>),
}

/// The state shared by all services.
#[derive(Debug)]
pub(crate) struct NetworkCore {
    ledger: RwLock<Ledger>,
    /// The latest checkpoint; subscribers wait for it to change.
    tip: watch::Sender<u64>,
    pub(crate) contract: ContractAddresses,
    pub(crate) addresses: Addresses,
    pub(crate) accounts: Accounts,
    pub(crate) config: LocalNetConfig,
    /// Of the first node, and of the network itself.
    pub(crate) faults: Arc<Faults>,
    pub(crate) clock: NetworkClock,
    locks: Arc<InputLocks>,
    forced: Mutex<ForcedDraws>,
    /// The ledger of a node that lags, by its height.
    replica: Mutex<Option<(u64, Arc<Ledger>)>>,
}

impl NetworkCore {
    /// Opens the ledger. A new one begins with genesis.
    ///
    /// # Errors
    /// When the ledger can't be read or written.
    pub(crate) fn open(config: LocalNetConfig) -> Result<Self, OpenError> {
        let clock = NetworkClock::default();
        let accounts = Accounts::new(config.seed)?;
        let mut ledger = Ledger::open(config.data_dir.as_deref(), config.seed)?;
        let (outputs, contract) = genesis::build(config.seed, &accounts);
        if ledger.is_empty() {
            if ledger.pending_count() == 0 {
                ledger.commit(outputs)?;
            }
            // Its fixed time makes the chain identifier depend on the seed only.
            ledger.seal(GENESIS_TIMESTAMP_MS, false)?;
            ledger.begin(clock.now_ms());
        }
        // End an epoch that a previous run had begun to end before it stopped.
        if let Some(ended_at_ms) = ledger.unsealed_end_of_epoch()? {
            ledger.seal(ended_at_ms, true)?;
        }
        // Catch up on checkpoints that a previous run did not make before it stopped.
        let unsealed = ledger.pending_count() > 0 && config.checkpoint_ms != CHECKPOINT_ON_STEP;
        let epoch_unopened = ledger.epoch().first_checkpoint > ledger.height();
        if unsealed || epoch_unopened {
            ledger.seal(clock.now_ms(), false)?;
        }
        let height = ledger.height();
        Ok(Self {
            ledger: RwLock::new(ledger),
            tip: watch::Sender::new(height),
            contract,
            addresses: Addresses {
                package: contract.package,
                atoma_db: contract.atoma_db,
                atoma_db_initial_shared_version: genesis::VERSION,
                usdc_package: contract.usdc_package,
            },
            accounts,
            config,
            faults: Arc::default(),
            clock,
            locks: Arc::default(),
            forced: Mutex::default(),
            replica: Mutex::default(),
        })
    }

    pub(crate) fn ledger(&self) -> RwLockReadGuard<'_, Ledger> {
        self.ledger.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger_mut(&self) -> RwLockWriteGuard<'_, Ledger> {
        self.ledger.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn forced(&self) -> std::sync::MutexGuard<'_, ForcedDraws> {
        self.forced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ledger as it was at a checkpoint. The last one asked for is kept.
    ///
    /// # Errors
    /// When a record can't be decoded.
    pub(crate) fn replica(&self, ledger: &Ledger, height: u64) -> Result<Arc<Ledger>, LedgerError> {
        let mut kept = self.replica.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, replica)) = &*kept
            && *known == height
        {
            return Ok(Arc::clone(replica));
        }
        let replica = Arc::new(ledger.rewound(height)?);
        *kept = Some((height, Arc::clone(&replica)));
        Ok(replica)
    }

    /// The latest checkpoint's sequence number, and its changes.
    pub(crate) fn tip(&self) -> watch::Receiver<u64> {
        self.tip.subscribe()
    }

    /// Executes a prechecked transaction and returns its position in the ledger.
    ///
    /// Bytes that were executed before return their existing position.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub(crate) fn submit(
        &self,
        signed: SignedTransaction,
        origin: Origin,
    ) -> Result<usize, ExecuteError> {
        let digest = signed.transaction.digest();
        let mut forced = self.forced().clone();
        if let Origin::Control(selected_node) = origin {
            forced.selected_node = selected_node;
        }
        let mut ledger = self.ledger_mut();
        if let Some(position) = ledger.position(&digest) {
            return Ok(position);
        }
        self.move_clock(&mut ledger)?;
        let is_congested = || {
            matches!(origin, Origin::Client) && self.faults.take(FaultKind::Congestion).is_some()
        };
        let outputs = {
            let environment = self.environment(&ledger, &forced);
            let executed = execution::execute(&ledger, &environment, signed, is_congested);
            // An input that can't be read is no reason to call it missing.
            ledger.check_readable()?;
            executed?
        };
        ledger.commit(outputs)?;
        let position = ledger.position(&digest).unwrap_or(usize::MAX);
        if self.config.checkpoint_ms == 0 {
            self.seal(&mut ledger)?;
        }
        Ok(position)
    }

    /// Sets the clock object to the present time when a transaction opens a checkpoint. Checkpoints that are made
    /// with every transaction or on demand have no prologue, so that tests repeat exactly.
    fn move_clock(&self, ledger: &mut Ledger) -> Result<(), LedgerError> {
        let by_time = ![0, CHECKPOINT_ON_STEP].contains(&self.config.checkpoint_ms);
        if !by_time || ledger.pending_count() > 0 {
            return Ok(());
        }
        let outputs = system::commit_prologue(
            ledger.objects(),
            ledger.epoch().epoch,
            ledger.height() + 1,
            ledger.next_timestamp_ms(self.clock.now_ms()),
        );
        ledger.commit(outputs)
    }

    /// Locks the owned objects that a transaction uses until it has executed or is refused. Bytes that were
    /// executed before lock nothing.
    ///
    /// # Errors
    /// [`TransactionRefusal::LockConflict`] when another transaction on its way uses one of them.
    pub(crate) fn lock_inputs(
        &self,
        transaction: &Transaction,
    ) -> Result<Option<HeldLocks>, TransactionRefusal> {
        let digest = transaction.digest();
        let ledger = self.ledger();
        if ledger.position(&digest).is_some() {
            return Ok(None);
        }
        let inputs = match &transaction.kind {
            TransactionKind::ProgrammableTransaction(programmable) => &programmable.inputs[..],
            _ => &[],
        };
        let is_owned = |reference: &ObjectReference| {
            let object = ledger.objects().live(reference.object_id());
            object.is_some_and(|object| matches!(object.owner(), Owner::Address(_)))
        };
        let references: Vec<&ObjectReference> = inputs
            .iter()
            .filter_map(|input| match input {
                Input::ImmutableOrOwned(reference) => Some(reference),
                _ => None,
            })
            .chain(&transaction.gas_payment.objects)
            .filter(|reference| is_owned(reference))
            .collect();
        let is_executed = |digest: &Digest| ledger.position(digest).is_some();
        self.locks
            .acquire(digest, &references, is_executed)
            .map(Some)
    }

    /// The environment that a transaction executes in at this moment.
    pub(crate) fn environment<'a>(
        &'a self,
        ledger: &'a Ledger,
        forced: &'a ForcedDraws,
    ) -> Environment<'a> {
        Environment {
            store: ledger.objects(),
            contract: &self.contract,
            epoch: ledger.epoch(),
            seed: self.config.seed,
            forced,
        }
    }

    /// Makes a checkpoint of the pending transactions. With `even_if_empty`, there may be none.
    ///
    /// # Errors
    /// When the log can't be written.
    pub(crate) fn checkpoint(&self, even_if_empty: bool) -> Result<u64, LedgerError> {
        let mut ledger = self.ledger_mut();
        if ledger.pending_count() == 0 && !even_if_empty {
            return Ok(ledger.height());
        }
        self.seal(&mut ledger)
    }

    /// Ends the epoch with its last checkpoint, and begins the next with its first.
    ///
    /// # Errors
    /// When the log can't be written.
    pub(crate) fn advance_epoch(&self) -> Result<EpochRecord, LedgerError> {
        let mut ledger = self.ledger_mut();
        let epoch = ledger.epoch();
        let now_ms = ledger.next_timestamp_ms(self.clock.now_ms());
        let prologue =
            system::commit_prologue(ledger.objects(), epoch.epoch, ledger.height() + 1, now_ms);
        ledger.commit(prologue)?;
        let change = change(epoch.epoch, now_ms, &ledger.rolling_gas()?);
        let outputs = system::change_epoch(ledger.objects(), &change, epoch.epoch);
        ledger.commit(outputs)?;
        self.seal_at(&mut ledger, now_ms, true)?;
        self.seal_at(&mut ledger, now_ms, false)?;
        Ok(ledger.epoch())
    }

    /// Sets the reference gas price from the next epoch on, in MIST per computation unit.
    ///
    /// # Errors
    /// When the log can't be written.
    pub(crate) fn set_next_gas_price(&self, price: u64) -> Result<(), LedgerError> {
        self.ledger_mut().set_next_gas_price(price)
    }

    /// Makes a snapshot of the ledger.
    ///
    /// # Errors
    /// When there is no data directory, or the snapshot can't be written.
    pub(crate) fn snapshot(&self) -> Result<Saved, LedgerError> {
        let directory = self.config.data_dir.as_deref();
        self.ledger().save(directory.unwrap_or(Path::new("")))
    }

    /// Makes a snapshot if a start would take long without one. The network works without, so a failure is
    /// only reported.
    pub(crate) fn snapshot_if_due(&self) {
        if !self.ledger().is_snapshot_due() {
            return;
        }
        match self.snapshot() {
            Ok(saved) => tracing::info!(
                checkpoint = saved.checkpoint,
                bytes = saved.bytes,
                "made a snapshot"
            ),
            Err(error) => tracing::error!(
                error = with_causes(&error),
                "can't make a snapshot; the next start reads the whole ledger log"
            ),
        }
    }

    fn seal(&self, ledger: &mut Ledger) -> Result<u64, LedgerError> {
        self.seal_at(ledger, self.clock.now_ms(), false)
    }

    fn seal_at(
        &self,
        ledger: &mut Ledger,
        now_ms: u64,
        end_of_epoch: bool,
    ) -> Result<u64, LedgerError> {
        let sequence = ledger.seal(now_ms, end_of_epoch)?;
        self.tip.send_replace(sequence);
        Ok(sequence)
    }

    /// The digest and status of the transaction at `position`.
    pub(crate) fn status_of(&self, position: usize) -> Option<(Digest, ExecutionStatus)> {
        let record = self.ledger().record(position).ok()?;
        let effects = record.effects().ok()?;
        Some((record.digest, effects.status().clone()))
    }
}

/// The system transaction that ends `epoch`, which used this gas, at the time given.
fn change(epoch: u64, now_ms: u64, gas: &GasCostSummary) -> Transaction {
    Transaction {
        kind: TransactionKind::EndOfEpoch(vec![EndOfEpochTransactionKind::ChangeEpoch(
            ChangeEpoch {
                epoch: epoch + 1,
                protocol_version: execution::limits::PROTOCOL_VERSION,
                storage_charge: gas.storage_cost,
                computation_charge: gas.computation_cost,
                storage_rebate: gas.storage_rebate,
                non_refundable_storage_fee: gas.non_refundable_storage_fee,
                epoch_start_timestamp_ms: now_ms,
                system_packages: Vec::new(),
            },
        )]),
        ..system::system_transaction()
    }
}
