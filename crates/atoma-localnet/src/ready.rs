//! The file that tells scripts that the network is ready, and where.

use std::path::Path;
use std::{fs, io};

use serde_json::json;

use crate::error::LocalNetError;
use crate::files;
use crate::network::LocalNet;

/// Deletes the file of a previous run, so that nobody takes it for this one's.
///
/// # Errors
/// When the file exists and can't be deleted.
pub fn clear_ready_file(path: &Path) -> Result<(), LocalNetError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(LocalNetError::Write {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

impl LocalNet {
    /// Writes the addresses of the network and of the contract as JSON, by a rename: once the file
    /// exists, it is complete and the ports accept connections.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write_ready_file(&self, path: &Path) -> Result<(), LocalNetError> {
        let addresses = self.addresses();
        let data_dir = self.core.config.data_dir.as_deref();
        let ready = json!({
            "url": self.url(),
            "admin_url": self.admin_url(),
            "faucet_url": self.faucet_url(),
            "ca_file": self.ca_file().map(absolute),
            "data_dir": data_dir.map(absolute),
            "chain_id": self.chain_id(),
            "package_id": addresses.package,
            "atoma_db_id": addresses.atoma_db,
            "usdc_type": addresses.usdc().to_string(),
        });
        let text = format!("{ready:#}\n");
        files::replace(path, text.as_bytes()).map_err(|source| LocalNetError::Write {
            path: path.to_owned(),
            source,
        })
    }
}

/// The path from the root: readers of the file may be elsewhere.
fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.display().to_string()
}
