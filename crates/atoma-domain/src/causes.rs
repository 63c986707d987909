//! Errors with their causes, in words.

use std::error::Error;

/// The messages of an error and of all its causes, in one line: for a log line, an answer or a warning.
pub fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source());
    let causes = causes.map(ToString::to_string);
    each_once(std::iter::once(error.to_string()).chain(causes))
}

/// The messages of an error and of its causes in one line. A cause that the message before ends with is not repeated:
/// some libraries put it there themselves.
pub fn each_once(messages: impl IntoIterator<Item = String>) -> String {
    let mut text = String::new();
    for message in messages {
        if text.is_empty() {
            text = message;
        } else if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::StoreError;

    #[test]
    fn a_cause_that_was_told_is_not_repeated() {
        let messages = [
            "can't open it",
            "the database says: damaged",
            "damaged",
            "page 7",
        ];
        assert_eq!(
            each_once(messages.map(String::from)),
            "can't open it: the database says: damaged: page 7"
        );
    }

    #[test]
    fn each_cause_follows_what_it_caused() {
        let unavailable = StoreError::Unavailable("the disk is gone".into());
        let own = unavailable.to_string();
        assert_eq!(
            with_causes(&unavailable),
            format!("{own}: the disk is gone")
        );
    }
}
