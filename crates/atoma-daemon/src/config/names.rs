//! Names: what those of the environment begin with, and what messages call the places of values.

/// Prefix of environment variables: `ATOMA__SUI__RPC_URL` sets `sui.rpc_url`.
pub(super) const ENV_PREFIX: &str = "ATOMA__";

/// The place of values that flags set.
pub(super) const COMMAND_LINE: &str = "command line";

/// What the name of a place begins with if it is a variable.
pub(super) const VARIABLE: &str = "environment variable";

/// The environment variable that sets a key.
pub(super) fn variable(key: &str) -> String {
    format!("{ENV_PREFIX}{}", key.to_uppercase().replace('.', "__"))
}
