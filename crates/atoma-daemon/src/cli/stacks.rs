//! The stacks that a command names.

use std::collections::BTreeSet;

use atoma_domain::StackSmallId;
use atoma_operator::MOST_STACKS;
use clap::Args;

use crate::exit::UsageError;

/// The stacks of a request.
#[derive(Debug, Args)]
pub(super) struct Stacks {
    /// Small ids of the stacks, each once.
    #[arg(required = true, value_name = "STACK")]
    stacks: Vec<StackSmallId>,
}

impl Stacks {
    /// "1 stack", "3 stacks".
    pub(super) fn phrase(&self) -> String {
        match self.stacks.as_slice() {
            [one] => format!("stack {one}"),
            more => format!("{} stacks", more.len()),
        }
    }

    /// The stacks, as the API takes them.
    ///
    /// # Errors
    /// When they are too many, or one is named twice.
    pub(super) fn checked(self) -> Result<Vec<StackSmallId>, UsageError> {
        let count = self.stacks.len();
        if count > MOST_STACKS {
            let sentence =
                format!("{count} stacks are more than {MOST_STACKS}; name fewer at a time");
            return Err(UsageError(sentence));
        }
        let mut seen = BTreeSet::new();
        match self.stacks.iter().find(|stack| !seen.insert(**stack)) {
            Some(twice) => Err(UsageError(format!(
                "stack {twice} is named twice; name each stack once"
            ))),
            None => Ok(self.stacks),
        }
    }
}
