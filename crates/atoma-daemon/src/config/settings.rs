//! The settings: every key with its description and default, and the flags that override some.
//!
//! The documentation for operators is made from this file. A doc comment here becomes the text of its
//! key in `docs/configuration.md` and in the example file.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;

use atoma_domain::ObjectId;
use atoma_sui::NodeUrl;
use serde::{Deserialize, Serialize, Serializer};

use super::alarms::AlarmsConfig;
use super::autopilot::AutopilotSettings;
use super::origin::Origin;
use super::secret::SecretSource;

/// The configuration: the settings, and where each comes from.
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) settings: Settings,
    /// Where each key comes from.
    pub(super) origins: BTreeMap<String, Origin>,
    /// The file.
    pub(super) file: PathBuf,
    /// The flags.
    pub(super) overrides: Overrides,
    /// Whether the daemon runs in a demonstration world, whose setup used its badges.
    pub(crate) is_demonstration: bool,
}

impl Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

/// Every setting, with absolute paths or paths that are relative to the working directory.
#[derive(Clone, Debug, Serialize, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct Settings {
    /// Address and port of the HTTP API. For an address that is not loopback, the daemon requires a token
    /// (`tokens`) and encryption (`tls` or `behind_proxy`), and clients use a host in `allowed_hosts`.
    #[config(default = "127.0.0.1:3000")]
    pub http_addr: SocketAddr,
    /// Directory of the database: the mirror of the contract, the record of served work and the
    /// transaction journal. A second daemon on it refuses to start. Back it up, see
    /// `docs/backups.md`.
    pub data_dir: PathBuf,
    /// Hosts that requests may use, in addition to loopback names: names or IP addresses, without a
    /// scheme. An entry with a port counts for that port only.
    #[config(default = [])]
    pub allowed_hosts: Vec<String>,
    /// How long a response waits for its transactions. A transaction that takes longer continues; look
    /// it up at `GET /transactions`.
    #[config(default = 90)]
    pub request_timeout_s: u64,
    /// How long a start waits for transactions that the last run left open before it accepts new
    /// requests. One that takes longer blocks only its own node.
    #[config(default = 60)]
    pub recovery_timeout_s: u64,
    /// How many intents may wait for one node. Further ones are refused with status 429.
    #[config(default = 10000)]
    pub queue_limit: usize,
    /// Accept writes even if another program used the operator's badges. At the start, the daemon stops
    /// writes if a badge's last transaction is not in its journal: another daemon uses the same key, or
    /// the database is new or an old copy. If you know the use and it is harmless, set this to `true`
    /// for one start.
    #[config(default = false)]
    pub allow_foreign_use: bool,
    /// Whether a proxy in front of the daemon encrypts connections from other machines. It must keep the
    /// headers `Host` and `Authorization`. Only the proxy should be able to reach `http_addr`. The proxy lets other
    /// machines in, so the daemon requires a token (`tokens`) at every address, loopback too.
    #[config(default = false)]
    pub behind_proxy: bool,
    /// Tokens that clients send as `Authorization: Bearer …`. Once there is one, every request needs one, except
    /// for `GET /health` and the OpenAPI document. Each entry has a `name` for the logs, other than `loopback` and `anybody`; a
    /// `scope`, which is `read` or `operate` (everything that `read` allows, and requests that send
    /// transactions); and the place of the token: either `file`, a file that contains it, or `env`, the
    /// name of an environment variable. A token has at least 16 characters. To rotate a token, add the
    /// new one, change the clients, and remove the old one.
    #[config(default = [])]
    pub tokens: Vec<TokenConfig>,
    /// Whether `GET` and `HEAD` need no token although there are tokens. Other requests always need one.
    #[config(default = false)]
    pub open_reads: bool,
    /// Whether the daemon serves the operator's page at `/`.
    #[config(default = true)]
    pub page: bool,
    /// The Sui network and the contract.
    #[config(nested)]
    pub sui: SuiConfig,
    /// Gas budgets and limits.
    #[config(nested)]
    pub gas: GasConfig,
    /// When writes pause.
    #[config(nested)]
    pub breaker: BreakerConfig,
    /// The autopilot: it attests, settles and claims by itself. See `docs/autopilot.md`.
    #[config(nested)]
    pub autopilot: AutopilotSettings,
    /// The transaction journal.
    #[config(nested)]
    pub journal: JournalConfig,
    /// What the operator is told about, and how. `docs/alarms.md` has the rules.
    #[config(nested)]
    pub alarms: AlarmsConfig,
    /// Encryption of connections to the API.
    #[config(nested)]
    pub tls: TlsConfig,
    /// How many requests callers may send in a minute. Further ones are refused with status 429 and `Retry-After`.
    #[config(nested)]
    pub rate_limits: RateLimitsConfig,
}

/// The Sui network and the contract. `Debug` omits the URL, and it is serialised without its path.
#[derive(Clone, Serialize, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct SuiConfig {
    /// The Sui CLI's `client.yaml`. Its active address is the operator's, and its keystore has the key.
    pub client_config: PathBuf,
    /// URL of a full node with gRPC (`sui.rpc.v2`) that keeps the contract's history. If you leave it
    /// out, the daemon uses the active environment of `client_config`. A path is allowed and goes before
    /// the path of every call; nothing shows it, because it can be a token. A user name, `?` and `#` are
    /// not allowed.
    #[serde(serialize_with = "masked")]
    pub rpc_url: Option<String>,
    /// Headers to send to the full node with every request, such as `x-token`, by name. Each value comes
    /// from a file (`file`) or an environment variable (`env`), never from this file, and contains the
    /// whole value, such as `Bearer …`. Use them with `https://` only: over `http://` everybody on the
    /// way can read them.
    #[config(default = {})]
    pub headers: BTreeMap<String, SecretSource>,
    /// How many requests the full node of `rpc_url` allows in 30 seconds; public ones allow about 100. The daemon stays
    /// below it: requests for transactions go first, then those for following the ledger, then all others. 0 means no
    /// limit.
    #[config(default = 0)]
    pub requests_per_30_s: u32,
    /// Further full nodes of the same network, the preferred one first; the one of `rpc_url` comes before them.
    /// Each entry has a `url`, like `rpc_url`, and optionally `headers`, like `sui.headers`, and
    /// `requests_per_30_s`, like `sui.requests_per_30_s`. If a node fails, lags or contradicts the others, the daemon leaves it aside, asks the next one, and looks at it again later.
    /// `GET /ready` and the metrics say which and why. At most 8. If you set this and leave out `rpc_url`, the
    /// active environment of `client_config` does not count. The flag `--rpc-url` replaces the list too.
    #[config(default = [])]
    pub nodes: Vec<SuiNodeConfig>,
    /// File with the certificates of further authorities to trust, in PEM, for a full node with a
    /// private certificate. If the environment variable `SSL_CERT_FILE` is set, the authorities in that
    /// file replace the usual ones.
    pub ca_file: Option<PathBuf>,
    /// Object id of the Atoma package. It changes with an upgrade of the contract: set the latest one.
    pub package_id: ObjectId,
    /// Object id of the contract's shared `AtomaDb`. The first start binds the database to it.
    pub atoma_db_id: ObjectId,
    /// How old the full node's newest checkpoint may be. If it is older, `GET /ready` says so, and the
    /// daemon signs no new transactions. It still resolves those that it has sent.
    #[config(default = 300)]
    pub max_lag_s: u64,
    /// First checkpoint to mirror into a new database: any before the contract was published.
    #[config(default = 0)]
    pub start_checkpoint: u64,
}

/// Gas budgets and limits.
#[derive(Clone, Debug, Serialize, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct GasConfig {
    /// Margin added to the simulated gas cost.
    #[config(default = 25)]
    pub margin_percent: u64,
    /// Largest gas budget that the daemon chooses on its own.
    #[config(default = 5000000000u64)]
    pub budget_ceiling_mist: u64,
    /// Most gas to spend in 24 hours. If you leave it out, there is no cap.
    pub daily_cap_mist: Option<u64>,
    /// `GET /ready` warns when the operator's coins hold less than this.
    #[config(default = 1000000000u64)]
    pub low_balance_mist: u64,
}

/// When writes pause.
#[derive(Clone, Debug, Serialize, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct BreakerConfig {
    /// Number of failed transactions in a row after which the daemon refuses new ones. 0 disables the
    /// breaker.
    #[config(default = 20)]
    pub failures: u32,
    /// How long the daemon refuses them.
    #[config(default = 300)]
    pub pause_s: u64,
}

/// The transaction journal.
#[derive(Clone, Debug, Serialize, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct JournalConfig {
    /// How long the journal keeps the signed bytes and the effects of a transaction after its outcome is
    /// known. They are more than half of the database, and nothing needs them then. Digest, gas and outcome
    /// stay. 0 keeps them for ever.
    #[config(default = 30)]
    pub keep_bytes_days: u64,
}

/// Encryption of connections to the API.
#[derive(Clone, Debug, Serialize, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct TlsConfig {
    /// File with the API's certificate and those of the authorities between it and the root, in PEM.
    /// Set it together with `key_file`.
    pub cert_file: Option<PathBuf>,
    /// File with the certificate's private key, in PEM. Only the daemon's user should be able to read
    /// it.
    pub key_file: Option<PathBuf>,
}

/// How many requests callers may send in a minute.
#[derive(Clone, Debug, Serialize, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct RateLimitsConfig {
    /// Reads (`GET` and `HEAD`) of each token; callers without a token share one allowance, which includes the
    /// OpenAPI document and its viewer. A minute's worth may come at once. 0 means no limit, and `GET /health` never
    /// has one.
    #[config(default = 0)]
    pub reads_per_minute: u32,
    /// Writes, likewise. An inference service sends one or more for every request that it serves.
    #[config(default = 0)]
    pub writes_per_minute: u32,
    /// Requests with a missing or unknown token, or one that does not allow them, of all clients together. Further
    /// ones are refused without saying what is wrong with the token. 0 means no limit.
    #[config(default = 600)]
    pub failures_per_minute: u32,
}

/// A full node in the list of several. `Debug` omits the URL, and it is serialised without its path.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SuiNodeConfig {
    /// Its URL.
    #[serde(serialize_with = "masked_text")]
    pub url: String,
    /// Headers to send with every request, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, SecretSource>,
    /// How many requests it allows in 30 seconds; 0 means no limit.
    #[serde(default)]
    pub requests_per_30_s: u32,
}

impl SuiNodeConfig {
    /// Its URL without what can be a token.
    pub(super) fn shown(&self) -> String {
        masked_url(&self.url)
    }
}

impl fmt::Debug for SuiNodeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiNodeConfig")
            .field("headers", &self.headers)
            .field("requests_per_30_s", &self.requests_per_30_s)
            .finish_non_exhaustive()
    }
}

/// A token for the API, and where its value comes from.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// What logs call it.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// A file that contains the token. White space around it is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The name of an environment variable that contains the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Reading.
    Read,
    /// Reading, and requests that change something.
    Operate,
}

impl TokenConfig {
    /// Where the token's value comes from.
    pub(super) fn source(&self) -> SecretSource {
        SecretSource {
            file: self.file.clone(),
            env: self.env.clone(),
        }
    }
}

impl fmt::Debug for SuiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiConfig")
            .field("client_config", &self.client_config)
            .field("headers", &self.headers)
            .field("nodes", &self.nodes)
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

fn masked<S: Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.serialize_some(&masked_url(url)),
        None => serializer.serialize_none(),
    }
}

fn masked_text<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&masked_url(url))
}

/// A URL without its path, which can be a token.
pub(super) fn masked_url(url: &str) -> String {
    url.parse::<NodeUrl>()
        .map_or_else(|_| "…".to_owned(), |url| url.to_string())
}
