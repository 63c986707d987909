//! Names: what those of the environment begin with.

/// Prefix of environment variables: `ATOMA__SUI__RPC_URL` sets `sui.rpc_url`.
pub(super) const ENV_PREFIX: &str = "ATOMA__";

/// The place of values that flags set.
pub(super) const COMMAND_LINE: &str = "command line";
