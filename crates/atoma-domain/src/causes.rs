//! Errors with their causes, in words.

use std::error::Error;

/// The messages of an error and of all its causes, in one line: for a log line, an answer or a warning.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::StoreError;

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
