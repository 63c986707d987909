//! A duty, and how it stands.

use std::fmt;

use crate::{Epoch, MicroUsdc, NodeSmallId, StackSmallId, TaskSmallId, TimestampMs};

/// What a duty is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DutyKind {
    /// Attesting a settlement (`submit_stack_settlement_attestation`).
    Attest,
    /// Settling a stack (`try_settle_stack`).
    Settle,
    /// Claiming a stack (`claim_funds`, or `claim_funds_for_stacks` for a confidential task).
    Claim,
    /// Collecting the shares that the contract owes a node for its attestations (`withdraw_fees`).
    Withdraw,
}

impl DutyKind {
    /// All kinds, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Attest, Self::Settle, Self::Claim, Self::Withdraw];

    /// Its name in the API, on the command line and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attest => "attest",
            Self::Settle => "settle",
            Self::Claim => "claim",
            Self::Withdraw => "withdraw",
        }
    }
}

/// Something that one of the operator's nodes has to do, now or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// What.
    pub kind: DutyKind,
    /// The stack; `None` of a withdrawal, which is about the node.
    pub stack_small_id: Option<StackSmallId>,
    /// Its task; `None` if the stack was bought before the mirror begins, and of a withdrawal.
    pub task_small_id: Option<TaskSmallId>,
    /// The node.
    pub node_small_id: NodeSmallId,
    /// Whether to do it now, and why.
    pub standing: Standing,
    /// Until when it must be done. An attestation is only safe before; everything else has no deadline.
    pub deadline: Option<TimestampMs>,
    /// What the node earns by a claim or a withdrawal, or by a settlement that is claimed later. `None` of an attestation, which earns
    /// when the settling node claims.
    pub proceeds: Option<MicroUsdc>,
    /// Since when it could be done: the stack's settlement, or the last message of a confidential stack. `None` before, and of
    /// everything else.
    pub since: Option<TimestampMs>,
}

/// How a duty stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is to be done now.
    Due(Why),
    /// It will be due without anybody's help.
    Waiting {
        /// For what.
        waits_for: WaitsFor,
        /// Until when, if that is known. It may become due earlier.
        until: Option<TimestampMs>,
    },
    /// It will not be done, unless somebody helps.
    Blocked(Obstacle),
}

impl Standing {
    /// Waiting for an unknown time.
    pub const fn waiting(waits_for: WaitsFor) -> Self {
        Self::Waiting {
            waits_for,
            until: None,
        }
    }

    /// Whether it is due, now or once the stack's reservations have ended.
    pub(super) const fn is_due_or_drains(self) -> bool {
        matches!(
            self,
            Self::Due(_)
                | Self::Waiting {
                    waits_for: WaitsFor::Reservations,
                    ..
                }
        )
    }

    /// Its name in the API, on the command line and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Due(_) => "due",
            Self::Waiting { .. } => "waiting",
            Self::Blocked(_) => "blocked",
        }
    }

    /// The stable code of its reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Due(why) => why.code(),
            Self::Waiting { waits_for, .. } => waits_for.code(),
            Self::Blocked(obstacle) => obstacle.code(),
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Due(why) => why.fmt(f),
            Self::Waiting { waits_for, .. } => waits_for.fmt(f),
            Self::Blocked(obstacle) => obstacle.fmt(f),
        }
    }
}

/// Defines reasons with their stable codes and sentences. `$field` are the fields that the sentence uses.
macro_rules! reasons {
    (
        $(#[$doc:meta])* $name:ident;
        $(
            $(#[$variant_doc:meta])*
            $variant:ident $({ $(#[$field_doc:meta] $field:ident: $type:ty),+ })?
                => $code:literal, $text:literal;
        )+
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $(
                $(#[$variant_doc])*
                $variant $({ $(
                    #[$field_doc]
                    $field: $type
                ),+ })?,
            )+
        }

        impl $name {
            /// Its stable code.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant $({ $($field: _),+ })? => $code,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant $({ $($field),+ })? => write!(f, $text),)+
                }
            }
        }
    };
}

reasons! {
    /// Why a duty is due.
    Why;
    /// An attestation that can still be safe.
    Drawn => "drawn", "the contract has drawn the node to attest this settlement";
    /// An attestation in the epoch in which the stack can be claimed.
    DrawnAndLate => "drawn_and_late", "the contract has drawn the node, and the stack can be claimed already: the attestation counts if it comes before the claim";
    /// Enough units are computed.
    Filled => "filled", "enough of the stack's units are computed";
    /// No message came for long.
    Idle => "idle", "the stack was not used for a long time";
    /// The task ends.
    TaskDeprecated => "task_deprecated", "the task is deprecated: once it is removed, its stacks can be neither settled nor claimed";
    /// It is worth its gas many times over, for claims together with the node's others.
    Pays => "pays", "what the contract pays is worth its gas many times over";
    /// It has waited for long enough.
    WaitedLongEnough => "waited_long_enough", "the claim has waited for as long as the policy allows";
}

reasons! {
    /// What a duty waits for.
    WaitsFor;
    /// The policy turns it off.
    TurnedOff => "turned_off", "the policy turns this duty off for the task";
    /// The daemon has begun it.
    UnderWay => "under_way", "a transaction for it is under way";
    /// The daemon has begun it, and can't go on.
    Held => "held", "a transaction for it waits, for the Sui node, a coin or the database: `atoma-daemon transactions list` says for what";
    /// The engine sends nothing at all.
    WritesStopped => "writes_stopped", "the daemon has stopped all transactions: `atoma-daemon status` says why";
    /// The engine sends nothing for a while.
    BreakerOpen => "breaker_open", "several transactions in a row failed, and the daemon waits before the next";
    /// The limit on spending.
    SpendCap => "spend_cap", "the daily cap on gas is reached";
    /// Nothing was served.
    FirstMessage => "first_message", "no message is recorded for the stack";
    /// The units are still in use.
    MoreMessages => "more_messages", "too few of the stack's units are computed, and it is in use";
    /// Requests are in progress.
    Reservations => "reservations", "units of the stack are reserved for requests in progress";
    /// The next epoch.
    NextEpoch => "next_epoch", "the epoch is in its last part, and those who attest need time";
    /// The contract's time.
    ClaimableEpoch {
        /// From this epoch on.
        epoch: Epoch
    } => "claimable_epoch", "the contract pays the stack from epoch {epoch} on";
    /// An attestation of the operator's own.
    OwnAttestation {
        /// The node that can attest.
        node: NodeSmallId
    } => "own_attestation", "node {node} of this operator can still attest the settlement and earn its share";
    /// More claims or shares.
    MoreProceeds => "more_proceeds", "what the contract would pay is worth too little beside the gas";
    /// The node's next claim.
    NextClaim => "next_claim", "the node's next claims, which are made anyway, take it along";
    /// A lower price of gas, or forever.
    CheaperGas => "cheaper_gas", "it would cost more gas than it earns";
    /// More USDC in the contract.
    Treasury => "treasury", "the contract's treasury can't pay the claim yet: it is paid when others have bought more";
    /// More SUI.
    GasReserve => "gas_reserve", "what the coins hold, or the daily cap on gas leaves, is kept for attestations";
    /// A failure was a moment ago.
    Retry => "retry", "it failed a short time ago, and is tried again";
}

reasons! {
    /// What stands in the way of a duty.
    Obstacle;
    /// Nothing to attest from.
    NoRecord => "no_record", "no record to attest from: run the stack's requests again and record them for the node";
    /// The record is another one.
    RecordDiffers => "record_differs", "the record differs from the settlement: attesting it would raise a dispute";
    /// The epoch in which it could be attested is past.
    TooLate => "too_late", "the last epoch to attest in is past";
    /// A dispute.
    InDispute => "in_dispute", "a dispute freezes the funds of the stack, and this revision of the contract can't resolve one";
    /// No task any more.
    TaskRemoved => "task_removed", "the task is removed, so the contract neither settles nor pays its stacks";
    /// No task.
    UnknownTask => "unknown_task", "the mirror doesn't know the stack's task: run `atoma-daemon reconcile`";
    /// The contract would abort.
    FeeOverflows => "fee_overflows", "the fee of the stack does not fit in the contract's numbers, so the contract can't pay it";
}
