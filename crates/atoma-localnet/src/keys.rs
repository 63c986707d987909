//! The accounts' keys as files in the format of the Sui CLI.

use std::fs;
use std::path::Path;

use crate::accounts::Accounts;
use crate::error::LocalNetError;
use crate::files;

/// The directory, inside the data directory, with a keystore for each account.
const KEYS: &str = "keys";

/// Writes a keystore for each account into the directory `keys` of the data directory:
/// `manager.keystore`, `buyer.keystore`, `operator-1.keystore` and `operator-2.keystore`, readable by
/// their owner only.
///
/// # Errors
/// When a file can't be written.
pub(crate) fn write(accounts: &Accounts, data_dir: &Path) -> Result<(), LocalNetError> {
    let directory = data_dir.join(KEYS);
    fs::create_dir_all(&directory).map_err(|source| LocalNetError::Write {
        path: directory.clone(),
        source,
    })?;
    for (name, account) in accounts.named() {
        let path = directory.join(format!("{name}.keystore"));
        let contents = keystore(&account.to_keystore());
        files::replace(&path, contents.as_bytes())
            .map_err(|source| LocalNetError::Write { path, source })?;
    }
    Ok(())
}

/// The contents of a keystore with one key.
pub(crate) fn keystore(key: &str) -> String {
    format!("[\n  \"{key}\"\n]\n")
}
