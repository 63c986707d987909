//! Misspelt names, and those that were probably meant.

/// The most characters in which a name may differ from the one that was meant.
const MOST: usize = 3;

/// The known name that a misspelt one probably means: the most similar, if it differs in at most a third
/// of the misspelt one's characters, at least in 1 and at most in 3. Case and the signs between words don't
/// count.
pub fn similar<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let name = words(name);
    let limit = (name.chars().count() / 3).clamp(1, MOST);
    known
        .into_iter()
        .map(|known| (strsim::levenshtein(&name, &words(known)), known))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The name in lower case with one underscore between its words.
fn words(name: &str) -> String {
    let words = name.split(['_', '-']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_lowercase()
}

/// What to write instead of a name that an endpoint does not know.
pub(crate) fn advice(name: &str, known: &[&str]) -> String {
    if let Some(meant) = similar(name, known.iter().copied()) {
        return format!("Did you mean `{meant}`?");
    }
    match known {
        [] => String::from("It takes none."),
        [only] => format!("It takes only `{only}`."),
        [others @ .., last] => format!("It takes `{}` and `{last}`.", others.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_similar_name_is_meant() {
        let known = [
            "limit",
            "cursor",
            "dry_run",
            "kind",
            "node_small_id",
            "ca_file",
        ];
        for (name, meant) in [
            ("limits", Some("limit")),
            ("dryrun", Some("dry_run")),
            ("dry-run", Some("dry_run")),
            ("DRY__RUN", Some("dry_run")),
            ("node_smal_idd", Some("node_small_id")),
            ("kin", Some("kind")),
            ("offset", None),
            ("node", None),
            ("foo", None),
            ("", None),
            ("course", None),
        ] {
            assert_eq!(similar(name, known), meant, "{name}");
        }
    }

    #[test]
    fn advice_names_one_or_all() {
        assert_eq!(
            advice("limt", &["limit", "cursor"]),
            "Did you mean `limit`?"
        );
        let advise = |known: &[&str]| advice("offset", known);
        assert_eq!(advise(&[]), "It takes none.");
        assert_eq!(advise(&["limit"]), "It takes only `limit`.");
        assert_eq!(
            advise(&["limit", "cursor", "kind"]),
            "It takes `limit`, `cursor` and `kind`."
        );
    }
}
