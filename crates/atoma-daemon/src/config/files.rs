//! What `config check` finds in the files that the configuration names.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use atoma_api::OutOfDate;
use atoma_domain::ports::Clock;
use atoma_domain::{TimestampMs, with_causes};
use atoma_operator::SystemClock;
use atoma_sui::{ClientConfig, NodeUrl, read_small_file};

use super::access::TlsFiles;
use super::error::{ConfigError, Fault, Problem};
use super::node_access::{EXPOSED, certificates};
use super::origin::Origin;
use super::settings::Config;

/// What was found in the files that a configuration names.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What keeps the daemon from starting.
    pub faults: Vec<Fault>,
    /// What doesn't, but should be changed. Sentences without a full stop.
    pub warnings: Vec<String>,
}

impl Config {
    /// Checks the files and variables that the configuration names: that they exist, can be read, have
    /// the right contents, and are not open to everybody. Changes nothing, and needs no network.
    /// `variable` reads the environment, and certificates should be valid `now`.
    pub fn check_files(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
        now: TimestampMs,
    ) -> Findings {
        let mut problems = Vec::new();
        let mut warnings = Vec::new();
        let rpc_url = self.check_client_config(&mut problems, &mut warnings);
        let urls = self.urls_of_nodes(rpc_url);
        problems.extend(check_data_dir(&self.data_dir, &mut warnings));
        if let Some(files) = self.tls_files() {
            problems.extend(check_tls(&files, now, &mut warnings));
        }
        let mut faults: Vec<_> = problems
            .into_iter()
            .map(|problem| self.fault(problem))
            .collect();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let read = [
            self.node_access(&variable).err(),
            self.access(&variable).err(),
            self.notifiers("", &clock, &variable).err(),
        ];
        for error in read.into_iter().flatten() {
            if let ConfigError::Invalid { faults: more } = error {
                faults.extend(more);
            }
        }
        faults.sort_by_key(|fault| match fault {
            Fault::Key { key, .. } => self.origins.get(key).map(Origin::order),
            Fault::Variable { .. } => None,
        });
        let tokens = self.tokens.iter();
        let tokens = tokens.map(|token| (format!("the token `{}`", token.name), &token.file));
        let headers = self.sui.headers.iter();
        let headers = headers
            .map(|(name, source)| (format!("the value of the header `{name}`"), &source.file));
        let of_nodes = self.sui.nodes.iter().flat_map(|node| {
            let headers = node.headers.iter();
            headers.map(|(name, source)| {
                let what = format!("the value of the header `{name}` for {}", node.shown());
                (what, &source.file)
            })
        });
        let receivers = self.alarms.sources();
        let receivers = receivers.map(|(what, source)| (what, &source.file));
        for (what, file) in tokens.chain(headers).chain(of_nodes).chain(receivers) {
            let file = file.as_ref();
            warnings.extend(file.and_then(|file| exposure(file, &what, EVERYBODY)));
        }
        for (key, _) in self.exposed_headers(&urls) {
            warnings.push(format!("`{key}`: {EXPOSED}"));
        }
        Findings { faults, warnings }
    }

    /// Checks the client configuration and the keystore. Returns the URL of the node.
    fn check_client_config(
        &self,
        problems: &mut Vec<Problem>,
        warnings: &mut Vec<String>,
    ) -> Option<String> {
        const KEY: &str = "sui.client_config";
        let client = match ClientConfig::load(&self.sui.client_config) {
            Ok(client) => client,
            Err(error) => {
                let problem = format!("can't be used: {}", with_causes(&error));
                problems.push(Problem::new(KEY, problem));
                return self.sui.rpc_url.clone();
            }
        };
        if let Err(error) = client.check_signer() {
            problems.push(Problem::new(
                KEY,
                format!(
                    "names {}, whose `active_address` has no usable key in the keystore that `keystore.File` \
                     names: {}",
                    self.sui.client_config.display(),
                    with_causes(&error)
                ),
            ));
        }
        warnings.extend(exposure(client.keystore_path(), "the keystore", EVERYBODY));
        let nodes = self.sui.nodes.iter().map(|node| ("sui.nodes", &node.url));
        let single = self.sui.rpc_url.iter().map(|url| ("sui.rpc_url", url));
        let has_path = |url: &String| url.parse::<NodeUrl>().is_ok_and(|url| url.has_path());
        if let Some((key, _)) = single.chain(nodes).find(|(_, url)| has_path(url)) {
            let what = format!("the configuration, whose `{key}` has a path that can be a token");
            warnings.extend(exposure(&self.file, &what, EVERYBODY));
        }
        if self.sui.rpc_url.is_some() || !self.sui.nodes.is_empty() {
            return self.sui.rpc_url.clone();
        }
        match client.rpc_url() {
            Ok(url) => Some(url.to_owned()),
            Err(error) => {
                let problem = format!("is not set, and {}", with_causes(&error));
                problems.push(Problem::new("sui.rpc_url", problem));
                None
            }
        }
    }
}

fn check_data_dir(dir: &Path, warnings: &mut Vec<String>) -> Option<Problem> {
    let problem = |text: String| Some(Problem::new("data_dir", text));
    match fs::metadata(dir) {
        Ok(metadata) if !metadata.is_dir() => {
            problem(format!("is {}, which is not a directory", dir.display()))
        }
        Ok(metadata) if metadata.permissions().readonly() => problem(format!(
            "is {}, which nobody may write; run: chmod u+w {}",
            dir.display(),
            dir.display()
        )),
        Ok(_) => {
            warnings.extend(exposure(dir, "the data directory", PRIVATE));
            None
        }
        // The daemon creates it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => problem(format!(
            "is {}, which can't be read: {error}",
            dir.display()
        )),
    }
}

/// Checks the certificate and its key, each alone and then both together.
fn check_tls(files: &TlsFiles, now: TimestampMs, warnings: &mut Vec<String>) -> Vec<Problem> {
    let (cert, key) = (&files.cert_file, &files.key_file);
    warnings.extend(exposure(key, "the private key", EVERYBODY));
    let alone = [certificates("tls.cert_file", cert).err(), check_key(key)];
    let alone: Vec<_> = alone.into_iter().flatten().collect();
    if !alone.is_empty() {
        return alone;
    }
    let tls = match files.read() {
        Ok(tls) => tls,
        Err(error) => {
            let problem = format!(
                "names {}, which can't be used with the certificate in {}: {}",
                key.display(),
                cert.display(),
                error.root_cause()
            );
            return vec![Problem::new("tls.key_file", problem)];
        }
    };
    let why = match tls.out_of_date(now) {
        Some(OutOfDate::Expired) => "has expired",
        Some(OutOfDate::NotYetValid) => "is not valid yet",
        None => return Vec::new(),
    };
    let file = cert.display();
    warnings.push(format!(
        "the certificate in {file} {why}, so clients refuse it; renew it, and send the daemon SIGHUP"
    ));
    Vec::new()
}

fn check_key(file: &Path) -> Option<Problem> {
    let about = |problem: String| {
        let problem = format!("names {}, which {problem}", file.display());
        Some(Problem::new("tls.key_file", problem))
    };
    match read_small_file(file) {
        Ok(pem) if String::from_utf8_lossy(&pem).contains("PRIVATE KEY-----") => None,
        Ok(_) => about("contains no private key in PEM".to_owned()),
        Err(error) => about(format!("can't be read: {error}")),
    }
}

/// Rights that nobody but the owner should have.
const PRIVATE: u32 = 0o077;

/// Rights of users outside the owner's group. Access for the group can be on purpose: a service's user reads a
/// file of root so.
const EVERYBODY: u32 = 0o007;

/// The warning that others have one of these rights on a file or directory.
#[cfg(unix)]
fn exposure(path: &Path, what: &str, rights: u32) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let (who, change) = match rights {
        PRIVATE => ("other users of this machine", "go-rwx"),
        _ => ("all users of this machine", "o-rwx"),
    };
    (mode & rights != 0).then(|| {
        format!(
            "{who} can access {what} (mode {mode:03o}); run: chmod {change} {}",
            path.display()
        )
    })
}

#[cfg(not(unix))]
fn exposure(_: &Path, _: &str, _: u32) -> Option<String> {
    None
}
