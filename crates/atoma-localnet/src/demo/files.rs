//! An operator's files: the Sui CLI's `client.yaml` and keystore, and the daemon's configuration.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use super::world::{Demo, DemoOperator};
use crate::error::LocalNetError;
use crate::files;
use crate::keys::keystore;

impl Demo {
    /// Writes the first operator's `client.yaml`, `sui.keystore` and `daemon.toml` into `dir`,
    /// readable by their owner only. `daemon.toml` is written last and by a rename: once it exists,
    /// a daemon can be started with it. It serves its API at `api`. The paths in it are relative to the file.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn write_operator_files(&self, dir: &Path, api: SocketAddr) -> Result<(), LocalNetError> {
        let Some(operator) = self.operators.first() else {
            return Ok(());
        };
        let write = |name: &str, contents: &str| {
            let path = dir.join(name);
            files::replace(&path, contents.as_bytes())
                .map_err(|source| LocalNetError::Write { path, source })
        };
        fs::create_dir_all(dir).map_err(|source| LocalNetError::Write {
            path: dir.to_owned(),
            source,
        })?;
        write("sui.keystore", &keystore(&operator.key.to_keystore()))?;
        write("client.yaml", &self.client_config(operator))?;
        write("daemon.toml", &self.daemon_config(dir, api))
    }

    fn client_config(&self, operator: &DemoOperator) -> String {
        format!(
            "---\nkeystore:\n  File: sui.keystore\nexternal_keys: ~\nenvs:\n  - alias: localnet\n    rpc: \"{}\"\n    ws: ~\n    basic_auth: ~\nactive_env: localnet\nactive_address: \"{}\"\n",
            self.url, operator.address
        )
    }

    fn daemon_config(&self, dir: &Path, api: SocketAddr) -> String {
        let trust = self.ca_file.as_ref().map(|file| {
            let root = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
            let file = file.strip_prefix(root).unwrap_or(file);
            let file = toml::Value::String(file.display().to_string());
            format!("ca_file = {file}\n")
        });
        let trust = trust.unwrap_or_default();
        format!(
            "# Written by atoma-localnet for its demonstration world.\nhttp_addr = \"{api}\"\ndata_dir = \"data\"\n\n# The demonstration's nodes were used before the daemon's first start.\nallow_foreign_use = true\n\n[sui]\nrpc_url = \"{}\"\nclient_config = \"client.yaml\"\npackage_id = \"{}\"\natoma_db_id = \"{}\"\n{}",
            self.url, self.package, self.atoma_db, trust
        )
    }
}
