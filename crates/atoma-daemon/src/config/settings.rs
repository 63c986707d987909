//! The settings: every key of the configuration, and the flags that override some.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use atoma_domain::ObjectId;
use serde::{Deserialize, Serialize};

/// Every setting. Relative paths in the file are relative to the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the HTTP API, which must be a loopback address.
    #[serde(default = "default_http_addr")]
    pub http_addr: SocketAddr,
    /// Directory of the database.
    pub data_dir: PathBuf,
    /// Host names that requests may use, in addition to loopback names.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// How long an answer waits for its transactions, in seconds, from 1 to 3600.
    #[serde(default = "default_request_timeout_s")]
    pub request_timeout_s: u64,
    /// How long a start waits for the outcome of transactions that the last run left open before it
    /// accepts new ones, in seconds, at most 3600.
    #[serde(default = "default_recovery_timeout_s")]
    pub recovery_timeout_s: u64,
    /// How many intents may wait for one node. Further ones are refused with `queue_full`.
    #[serde(default = "default_queue_limit")]
    pub queue_limit: usize,
    /// The Sui network and the contract.
    pub sui: SuiConfig,
    /// Gas budgets and limits.
    #[serde(default)]
    pub gas: GasConfig,
    /// When writes pause.
    #[serde(default)]
    pub breaker: BreakerConfig,
    /// Accept writes even when another program uses the operator's badges. By default the daemon
    /// stops writes at the start if a badge was used without it.
    #[serde(default)]
    pub allow_foreign_use: bool,
    /// Whether the daemon runs in a demonstration world, whose setup used its badges.
    #[serde(skip)]
    pub(crate) is_demonstration: bool,
    /// The file, for messages.
    #[serde(skip)]
    pub(super) file: PathBuf,
}

/// The Sui network and the contract. `Debug` omits the URL.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiConfig {
    /// The Sui CLI's `client.yaml`, which names the keystore and the active address.
    pub client_config: PathBuf,
    /// URL of a full node's gRPC endpoint. Default: that of the active environment in `client.yaml`. A
    /// path in it goes before the path of every call; nothing shows it, because it can be a token.
    #[serde(default)]
    pub rpc_url: Option<String>,
    /// Headers to send to the full node with every request, such as `x-token`, by name.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretSource>,
    /// File with the certificates of further authorities to trust, in PEM, for a node with a private
    /// certificate.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Object id of the Atoma package.
    pub package_id: ObjectId,
    /// Object id of the contract's shared `AtomaDb`.
    pub atoma_db_id: ObjectId,
    /// How old the full node's newest checkpoint may be, in seconds, from 10 to 604800. Beyond, the daemon
    /// is not ready and signs no new transactions.
    #[serde(default = "default_max_lag_s")]
    pub max_lag_s: u64,
    /// First checkpoint to mirror into a new database: any before the contract was published.
    #[serde(default)]
    pub start_checkpoint: u64,
}

/// Gas budgets and limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GasConfig {
    /// Margin added to the simulated gas cost, in percent, at most 1000.
    pub margin_percent: u64,
    /// Largest gas budget that the daemon chooses on its own, in MIST.
    pub budget_ceiling_mist: u64,
    /// Most gas to spend in 24 hours, in MIST. `None` means no cap.
    pub daily_cap_mist: Option<u64>,
    /// Balance in MIST below which `GET /ready` warns that gas is running out.
    pub low_balance_mist: u64,
}

/// When writes pause.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// Number of failed transactions in a row that opens the breaker. 0 disables it.
    pub failures: u32,
    /// How long the breaker stays open, in seconds, from 1 to 86400.
    pub pause_s: u64,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 20,
            pause_s: 300,
        }
    }
}

impl Default for GasConfig {
    fn default() -> Self {
        Self {
            margin_percent: 25,
            budget_ceiling_mist: 5_000_000_000,
            daily_cap_mist: None,
            low_balance_mist: 1_000_000_000,
        }
    }
}

impl fmt::Debug for SuiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiConfig")
            .field("client_config", &self.client_config)
            .field("headers", &self.headers)
            .field("ca_file", &self.ca_file)
            .field("package_id", &self.package_id)
            .field("atoma_db_id", &self.atoma_db_id)
            .field("start_checkpoint", &self.start_checkpoint)
            .finish_non_exhaustive()
    }
}

/// Flags that override the file and the environment.
#[derive(Clone, Default, Serialize)]
pub struct Overrides {
    /// Overrides `http_addr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_addr: Option<SocketAddr>,
    /// Overrides `data_dir`. Relative to the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Overrides `sui.rpc_url`.
    #[serde(skip)]
    pub rpc_url: Option<String>,
}

/// Omits the URL.
impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overrides")
            .field("http_addr", &self.http_addr)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

pub(super) fn default_http_addr() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 3000))
}

const fn default_request_timeout_s() -> u64 {
    90
}

const fn default_recovery_timeout_s() -> u64 {
    60
}

const fn default_max_lag_s() -> u64 {
    300
}

const fn default_queue_limit() -> usize {
    10_000
}

/// Where the value of a request header comes from. Exactly one of the two must be set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretSource {
    /// A file that contains the value. White space around it is dropped.
    pub file: Option<PathBuf>,
    /// The name of an environment variable that contains the value.
    pub env: Option<String>,
}
