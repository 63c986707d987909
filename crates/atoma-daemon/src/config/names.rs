//! Names: what those of the environment begin with, and which are similar.

/// Prefix of environment variables: `ATOMA__SUI__RPC_URL` sets `sui.rpc_url`.
pub(super) const ENV_PREFIX: &str = "ATOMA__";

/// The place of values that flags set.
pub(super) const COMMAND_LINE: &str = "command line";

/// The most similar of the names.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known.min_by_key(|known| distance(name, known))
}

/// In how many letters two names differ, however many underscores separate their words.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let [a, b] = [a, b].map(|name| {
        name.split('_')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join("_")
    });
    strsim::levenshtein(&a, &b)
}
