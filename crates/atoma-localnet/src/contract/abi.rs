//! The signatures of the module's entry functions, used to check arguments and to serve
//! `MovePackageService.GetFunction`.

use sui_sdk_types::{Address, Identifier, StructTag, TypeTag};

use super::addresses::ContractAddresses;
use crate::vm::{coin_type, framework_struct, package_struct};

/// Who may call a function, apart from transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Other modules.
    Public,
    /// No other module.
    Private,
}

/// An entry function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The function's name.
    pub name: &'static str,
    /// Who may call it, apart from transactions.
    pub visibility: Visibility,
    /// Whether a transaction can call it, which is true for all functions here.
    pub is_entry: bool,
    /// The parameters for which a call supplies arguments.
    pub parameters: &'static [FunctionParameter],
    /// Whether the last parameter is a `&mut TxContext`, which the network supplies.
    pub takes_context: bool,
}

/// A parameter of a function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionParameter {
    /// The parameter's name in the module's source.
    pub name: &'static str,
    /// The kind of argument that it takes.
    pub kind: ParameterKind,
}

/// The kind of argument that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// An object.
    Object(ObjectKind, Passing),
    /// A BCS value.
    Pure(PureKind),
}

/// How an object is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// `&T`
    Reference,
    /// `&mut T`
    MutableReference,
    /// `T`: the call consumes the object.
    Value,
}

/// The kind of object that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// The shared `db::AtomaDb`.
    AtomaDb,
    /// A `db::NodeBadge`.
    NodeBadge,
    /// A `db::TaskBadge`.
    TaskBadge,
    /// A `db::AtomaManagerBadge`.
    ManagerBadge,
    /// A `0x2::coin::Coin<usdc::usdc::USDC>`.
    Wallet,
    /// The shared `0x2::random::Random`, object `0x8`.
    Random,
}

/// The kind of BCS value that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PureKind {
    /// `bool`
    Bool,
    /// `u16`
    U16,
    /// `u64`
    U64,
    /// `vector<u8>`
    Bytes,
    /// `vector<u64>`
    U64s,
    /// `0x1::ascii::String`
    Ascii,
    /// `0x1::option::Option<u8>`
    OptionU8,
    /// `0x1::option::Option<u16>`
    OptionU16,
    /// `0x1::option::Option<0x1::ascii::String>`
    OptionAscii,
}

impl ObjectKind {
    /// Whether the object is shared. Others are owned by the sender.
    pub const fn is_shared(self) -> bool {
        matches!(self, Self::AtomaDb | Self::Random)
    }

    /// The object's Move type.
    pub fn object_type(self, addresses: &ContractAddresses) -> StructTag {
        let package = addresses.package;
        match self {
            Self::AtomaDb => package_struct(package, "AtomaDb"),
            Self::NodeBadge => package_struct(package, "NodeBadge"),
            Self::TaskBadge => package_struct(package, "TaskBadge"),
            Self::ManagerBadge => package_struct(package, "AtomaManagerBadge"),
            Self::Wallet => coin_type(addresses.usdc()),
            Self::Random => framework_struct("random", "Random", Vec::new()),
        }
    }
}

impl PureKind {
    /// The value's Move type.
    pub fn type_tag(self) -> TypeTag {
        match self {
            Self::Bool => TypeTag::Bool,
            Self::U16 => TypeTag::U16,
            Self::U64 => TypeTag::U64,
            Self::Bytes => TypeTag::Vector(Box::new(TypeTag::U8)),
            Self::U64s => TypeTag::Vector(Box::new(TypeTag::U64)),
            Self::Ascii => standard_struct("ascii", "String", Vec::new()),
            Self::OptionU8 => option(TypeTag::U8),
            Self::OptionU16 => option(TypeTag::U16),
            Self::OptionAscii => option(Self::Ascii.type_tag()),
        }
    }
}

fn option(inner: TypeTag) -> TypeTag {
    standard_struct("option", "Option", vec![inner])
}

fn standard_struct(module: &'static str, name: &'static str, parameters: Vec<TypeTag>) -> TypeTag {
    StructTag::new(
        const { Address::from_static("0x1") },
        Identifier::from_static(module),
        Identifier::from_static(name),
        parameters,
    )
    .into()
}

impl FunctionParameter {
    /// The parameter's Move type, without the reference.
    pub fn type_tag(&self, addresses: &ContractAddresses) -> TypeTag {
        match self.kind {
            ParameterKind::Object(object, _) => object.object_type(addresses).into(),
            ParameterKind::Pure(pure) => pure.type_tag(),
        }
    }

    /// How the argument is passed. BCS values are passed by value.
    pub const fn passing(&self) -> Passing {
        match self.kind {
            ParameterKind::Object(_, passing) => passing,
            ParameterKind::Pure(_) => Passing::Value,
        }
    }
}

impl Function {
    /// Whether the function takes `Random` (`0x8`). Only transfers and merges may follow such a
    /// call in a transaction.
    pub fn takes_random(&self) -> bool {
        self.parameters
            .iter()
            .any(|parameter| matches!(parameter.kind, ParameterKind::Object(ObjectKind::Random, _)))
    }
}

/// The entry function with that name.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

const fn object(name: &'static str, kind: ObjectKind, passing: Passing) -> FunctionParameter {
    FunctionParameter {
        name,
        kind: ParameterKind::Object(kind, passing),
    }
}

const fn pure(name: &'static str, kind: PureKind) -> FunctionParameter {
    FunctionParameter {
        name,
        kind: ParameterKind::Pure(kind),
    }
}

/// A public function that takes the transaction's context.
const fn public(name: &'static str, parameters: &'static [FunctionParameter]) -> Function {
    Function {
        name,
        visibility: Visibility::Public,
        is_entry: true,
        parameters,
        takes_context: true,
    }
}

/// A public function that doesn't take the transaction's context.
const fn public_without_context(
    name: &'static str,
    parameters: &'static [FunctionParameter],
) -> Function {
    Function {
        name,
        visibility: Visibility::Public,
        is_entry: true,
        parameters,
        takes_context: false,
    }
}

const fn private(name: &'static str, parameters: &'static [FunctionParameter]) -> Function {
    Function {
        name,
        visibility: Visibility::Private,
        is_entry: true,
        parameters,
        takes_context: true,
    }
}

const DB: FunctionParameter = object("self", ObjectKind::AtomaDb, Passing::MutableReference);
const NODE: FunctionParameter = object("node_badge", ObjectKind::NodeBadge, Passing::Reference);
const NODE_MUT: FunctionParameter = object(
    "node_badge",
    ObjectKind::NodeBadge,
    Passing::MutableReference,
);
const NODE_VALUE: FunctionParameter = object("node_badge", ObjectKind::NodeBadge, Passing::Value);
const TASK_BADGE: FunctionParameter =
    object("task_badge", ObjectKind::TaskBadge, Passing::Reference);
const TASK_BADGE_VALUE: FunctionParameter =
    object("task_badge", ObjectKind::TaskBadge, Passing::Value);
const MANAGER: FunctionParameter = object("badge", ObjectKind::ManagerBadge, Passing::Reference);
const RANDOM: FunctionParameter = object("random", ObjectKind::Random, Passing::Reference);
const TASK: FunctionParameter = pure("task_small_id", PureKind::U64);
const STACK: FunctionParameter = pure("stack_small_id", PureKind::U64);
const OFFER: FunctionParameter = pure("price_per_one_million_compute_units", PureKind::U64);
const PROOF: FunctionParameter = pure("committed_stack_proof", PureKind::Bytes);
const LEAF: FunctionParameter = pure("stack_merkle_leaf", PureKind::Bytes);
const MODEL: FunctionParameter = pure("model_name", PureKind::Ascii);
const ECHELON: FunctionParameter = pure("echelon", PureKind::U64);

/// All entry functions that this network executes.
pub const FUNCTIONS: &[Function] = &[
    public("register_node_entry", &[DB]),
    public_without_context("subscribe_node_to_task", &[DB, NODE_MUT, TASK, OFFER]),
    public_without_context("update_node_subscription", &[DB, NODE_MUT, TASK, OFFER]),
    public_without_context("unsubscribe_node_from_task", &[DB, NODE_MUT, TASK]),
    public_without_context("add_node_to_model", &[DB, NODE_MUT, MODEL, ECHELON]),
    public_without_context(
        "remove_node_from_model",
        &[DB, NODE_MUT, MODEL, pure("node_index", PureKind::U64)],
    ),
    private(
        "try_settle_stack",
        &[
            DB,
            NODE,
            STACK,
            pure("num_claimed_compute_units", PureKind::U64),
            PROOF,
            LEAF,
            RANDOM,
        ],
    ),
    public(
        "submit_stack_settlement_attestation",
        &[DB, NODE, STACK, PROOF, LEAF],
    ),
    public_without_context(
        "start_attestation_dispute",
        &[
            DB,
            NODE,
            STACK,
            pure("attestation_commitment", PureKind::Bytes),
        ],
    ),
    public(
        "claim_funds",
        &[DB, NODE, pure("settled_ticket_ids", PureKind::U64s)],
    ),
    public(
        "claim_funds_for_stacks",
        &[
            DB,
            NODE,
            pure("stack_small_ids", PureKind::U64s),
            pure("num_compute_units_per_stack_to_claim", PureKind::U64s),
        ],
    ),
    public(
        "rotate_node_public_key",
        &[
            DB,
            NODE_MUT,
            pure(
                "confidential_compute_public_key_commitment",
                PureKind::Bytes,
            ),
            pure("confidential_compute_evidence_bytes", PureKind::Bytes),
            pure("key_rotation_counter", PureKind::U64),
            pure("device_type", PureKind::U16),
        ],
    ),
    public("permanently_disable_node", &[DB, NODE]),
    public("destroy_disabled_node", &[DB, NODE_VALUE]),
    public("withdraw_fees", &[DB, NODE]),
    private(
        "acquire_new_stack_entry",
        &[
            DB,
            object("wallet", ObjectKind::Wallet, Passing::MutableReference),
            TASK,
            pure("num_compute_units", PureKind::U64),
            pure("price", PureKind::U64),
            RANDOM,
        ],
    ),
    public(
        "create_task_entry",
        &[
            DB,
            MANAGER,
            pure("role", PureKind::U16),
            pure("model_name", PureKind::OptionAscii),
            pure("security_level", PureKind::OptionU16),
            pure("minimum_reputation_score", PureKind::OptionU8),
            pure("is_public", PureKind::Bool),
        ],
    ),
    public("deprecate_task", &[DB, TASK_BADGE]),
    public("remove_deprecated_task", &[DB, TASK_BADGE_VALUE]),
    public("remove_deprecated_task_by_admin", &[DB, MANAGER, TASK]),
    private("new_network_key_rotation", &[DB, MANAGER, RANDOM]),
    public_without_context(
        "whitelist_nodes_for_task",
        &[DB, MANAGER, TASK, pure("nodes", PureKind::U64s)],
    ),
    public_without_context(
        "set_cross_validation_probability_permille",
        &[DB, MANAGER, pure("new_probability_permille", PureKind::U64)],
    ),
    public_without_context(
        "set_cross_validation_extra_nodes_count",
        &[DB, MANAGER, pure("new_extra_nodes_count", PureKind::U64)],
    ),
    public_without_context(
        "set_sampling_consensus_charge_permille",
        &[DB, MANAGER, pure("new_charge_permille", PureKind::U64)],
    ),
    public_without_context(
        "set_cross_validation_extra_nodes_charge_permille",
        &[DB, MANAGER, pure("new_charge_permille", PureKind::U64)],
    ),
    public_without_context(
        "set_permille_to_slash_node_on_timeout",
        &[DB, MANAGER, pure("new_permille", PureKind::U64)],
    ),
    public_without_context("disable_registration", &[DB, MANAGER]),
    public_without_context("enable_registration", &[DB, MANAGER]),
    public(
        "add_model_entry",
        &[DB, MANAGER, MODEL, pure("modality", PureKind::U64)],
    ),
    public(
        "add_model_echelon_entry",
        &[
            DB,
            MANAGER,
            MODEL,
            ECHELON,
            pure("input_fee_per_token", PureKind::U64),
            pure("output_fee_per_token", PureKind::U64),
            pure("relative_performance", PureKind::U64),
        ],
    ),
    public_without_context("disable_model", &[DB, MANAGER, MODEL]),
    public_without_context("enable_model", &[DB, MANAGER, MODEL]),
];
