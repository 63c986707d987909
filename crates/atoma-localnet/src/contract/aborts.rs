//! The module's abort codes.

use crate::vm::{CodeLocation, MoveError};

macro_rules! aborts {
    ($($name:ident = $code:literal as $constant:literal,)*) => {
        /// An abort code of the module.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum AbortCode {
            $($name,)*
        }

        impl AbortCode {
            const fn code(self) -> u64 {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }

        /// The names and codes of the module's abort constants.
        pub const ABORTS: &[(&str, u64)] = &[$(($constant, AbortCode::$name.code())),*];
    };
}

aborts! {
    NodeRegDisabled = 312_012_000 as "ENodeRegDisabled",
    ModelDisabled = 312_012_001 as "EModelDisabled",
    NotAuthorized = 312_012_002 as "ENotAuthorized",
    ProtocolFeeCannotBeZero = 312_012_003 as "EProtocolFeeCannotBeZero",
    RelativePerformanceCannotBeZero = 312_012_004 as "ERelativePerformanceCannotBeZero",
    EchelonNotFound = 312_012_005 as "EEchelonNotFound",
    EchelonAlreadyExistsForModel = 312_012_006 as "EEchelonAlreadyExistsForModel",
    TotalPermilleMustBeLessThan1000 = 312_012_007 as "ETotalPermilleMustBeLessThan1000",
    NodeAlreadySubscribedToModel = 312_012_009 as "ENodeAlreadySubscribedToModel",
    NodeNotSubscribedToModel = 312_012_010 as "ENodeNotSubscribedToModel",
    NodeIndexMismatch = 312_012_011 as "ENodeIndexMismatch",
    NodeAlreadyDisabled = 312_012_012 as "ENodeAlreadyDisabled",
    NodeMustWaitBeforeDestroy = 312_012_013 as "ENodeMustWaitBeforeDestroy",
    CannotSampleZeroNodes = 312_012_014 as "ECannotSampleZeroNodes",
    TaskDeprecated = 312_012_015 as "ETaskDeprecated",
    NodeAlreadySubscribedToTask = 312_012_016 as "ENodeAlreadySubscribedToTask",
    TaskNotFound = 312_012_017 as "ETaskNotFound",
    NodeNotSubscribedToTask = 312_012_018 as "ENodeNotSubscribedToTask",
    NotEnoughEpochsPassed = 312_012_019 as "ENotEnoughEpochsPassed",
    TaskNotDeprecated = 312_012_020 as "ETaskNotDeprecated",
    NoNodesSubscribedToTask = 312_012_021 as "ENoNodesSubscribedToTask",
    NoNodesEligibleForTask = 312_012_022 as "ENoNodesEligibleForTask",
    NodeNotSelectedForStack = 312_012_023 as "ENodeNotSelectedForStack",
    StackInSettlementDispute = 312_012_024 as "EStackInSettlementDispute",
    TooManyComputedUnits = 312_012_025 as "ETooManyComputedUnits",
    StackDoesNotRequireSamplingConsensus = 312_012_026 as "EStackDoesNotRequireSamplingConsensus",
    StackNotFound = 312_012_027 as "EStackNotFound",
    StackNotInSettlementDispute = 312_012_028 as "EStackNotInSettlementDispute",
    StackDisputePeriodOver = 312_012_029 as "EStackDisputePeriodOver",
    NodeNotSelectedForAttestation = 312_012_030 as "ENodeNotSelectedForAttestation",
    StackInDispute = 312_012_031 as "EStackInDispute",
    StackDisputePeriodIsNotOver = 312_012_032 as "EStackDisputePeriodIsNotOver",
    NodeNotSelectedForSettlement = 312_012_033 as "ENodeNotSelectedForSettlement",
    TaskAlreadyDeprecated = 312_012_034 as "ETaskAlreadyDeprecated",
    InvalidTaskRole = 312_012_035 as "EInvalidTaskRole",
    InvalidSecurityLevel = 312_012_036 as "EInvalidSecurityLevel",
    InvalidPricePerComputeUnit = 312_012_037 as "EInvalidPricePerComputeUnit",
    NodeDoesNotMeetTaskRequirements = 312_012_038 as "ENodeDoesNotMeetTaskRequirements",
    InvalidComputeUnits = 312_012_039 as "EInvalidComputeUnits",
    InsufficientBalance = 312_012_040 as "EInsufficientBalance",
    InvalidCommittedStackProof = 312_012_041 as "EInvalidCommittedStackProof",
    InvalidStackMerkleLeaf = 312_012_042 as "EInvalidStackMerkleLeaf",
    InvalidMinimumReputationScore = 312_012_043 as "EInvalidMinimumReputationScore",
    TaskIsPublic = 312_012_044 as "ETaskIsPublic",
    NodeNotWhitelistedForTask = 312_012_045 as "ENodeNotWhitelistedForTask",
    StackAlreadyInDispute = 312_012_046 as "EStackAlreadyInDispute",
    TaskSecurityLevelNotSamplingConsensus = 312_012_047 as "ETaskSecurityLevelNotSamplingConsensus",
    InvalidDeviceType = 312_012_048 as "EInvalidDeviceType",
    InvalidKeyRotationCounter = 312_012_049 as "EInvalidKeyRotationCounter",
    PublicKeyCommitmentMismatch = 312_012_050 as "EPublicKeyCommitmentMismatch",
    TaskIsNotConfidentialCompute = 312_012_051 as "ETaskIsNotConfidentialCompute",
    InvalidNumClaimedComputeUnitsPerStack = 312_012_052 as "EInvalidNumClaimedComputeUnitsPerStack",
    StackAlreadyClaimed = 312_012_053 as "EStackAlreadyClaimed",
    NodeNotSelectedForClaim = 312_012_054 as "ENodeNotSelectedForClaim",
}

/// The name of the constant for an abort code of the module `db`.
pub fn abort_name(code: u64) -> Option<&'static str> {
    ABORTS
        .iter()
        .find(|(_, known)| *known == code)
        .map(|(name, _)| *name)
}

impl AbortCode {
    /// The abort at `location`.
    pub(super) fn at(self, location: CodeLocation) -> MoveError {
        location.abort(self.code())
    }
}
