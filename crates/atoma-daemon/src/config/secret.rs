//! Reading secrets from files and environment variables.

use std::ffi::OsString;
use std::path::PathBuf;

use atoma_sui::{read_small_file, without_byte_order_mark};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Where a secret comes from. Exactly one of the two must be set.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretSource {
    /// A file that contains the value. White space around it is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The name of an environment variable that contains the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
}

impl SecretSource {
    /// The value, without the white space around it. `variable` reads the environment.
    ///
    /// # Errors
    /// Why it can't be read, as the end of a sentence without the value.
    pub(super) fn read(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Zeroizing<String>, String> {
        let text = match (&self.file, &self.env) {
            (Some(file), None) => {
                let bytes = read_small_file(file).map_err(|error| {
                    format!("names {}, which can't be read: {error}", file.display())
                })?;
                let text = std::str::from_utf8(&bytes).map(without_byte_order_mark);
                text.map(|text| Zeroizing::new(text.trim().to_owned()))
                    .map_err(|_| format!("names {}, which is not a text file", file.display()))?
            }
            (None, Some(name)) => {
                let value = variable(name).ok_or_else(|| {
                    format!("names the environment variable {name}, which is not set")
                })?;
                let value = value.into_string().map(Zeroizing::new);
                let value = value.map_err(|_| {
                    format!("names the environment variable {name}, which is not a text")
                })?;
                Zeroizing::new(value.trim().to_owned())
            }
            _ => return Err("must have either `file` or `env`".to_owned()),
        };
        Ok(text)
    }
}
