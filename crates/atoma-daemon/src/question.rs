//! Questions with yes or no.

use std::io::{self, BufRead, Read as _, Write};

use anyhow::Context as _;

/// The most bytes of an answer.
const LONGEST_ANSWER: u64 = 4096;

/// Asks whether to do it. `what` completes the question; `default` is what an empty answer means.
///
/// # Errors
/// When nobody can be asked.
pub(crate) fn ask(what: &str, default: bool) -> anyhow::Result<bool> {
    let (mut questions, mut answers) = (io::stderr().lock(), io::stdin().lock());
    says_yes(what, default, &mut questions, &mut answers).context("can't ask for confirmation")
}

/// Asks until the answer is yes or no. The terminal stays as it is, so that Ctrl-C ends the command as any other; the
/// end of the input, which is Ctrl-D, is a no.
fn says_yes(
    what: &str,
    default: bool,
    questions: &mut impl Write,
    answers: &mut impl BufRead,
) -> io::Result<bool> {
    let choices = if default { "[Y/n]" } else { "[y/N]" };
    loop {
        write!(questions, "{what}? {choices} ")?;
        questions.flush()?;
        let mut answer = String::new();
        if (&mut *answers)
            .take(LONGEST_ANSWER)
            .read_line(&mut answer)?
            == 0
        {
            writeln!(questions)?;
            return Ok(false);
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "" => return Ok(default),
            // What quits other questions: Esc comes as a character.
            "n" | "no" | "q" | "quit" | "\u{1b}" => return Ok(false),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        let says = |answers: &str| {
            let mut asked = Vec::new();
            let is_yes =
                says_yes("Settle stack 1", false, &mut asked, &mut answers.as_bytes()).unwrap();
            (
                is_yes,
                String::from_utf8(asked).unwrap().matches("[y/N]").count(),
            )
        };
        for yes in ["y\n", "Y\n", "yes\n", " yes \r\n"] {
            assert_eq!(says(yes), (true, 1), "{yes}");
        }
        for no in ["\n", "n\n", "No\n", "q\n", "\u{1b}\n", ""] {
            assert_eq!(says(no), (false, 1), "{no}");
        }
        assert_eq!(says("yess\nwhat\ny\n"), (true, 3));
        assert_eq!(says("yess\n"), (false, 2));
        // The end of the input is no answer, whatever the default.
        for (answer, is_yes) in [("\n", true), ("", false), ("n\n", false)] {
            let asked = &mut Vec::new();
            let says = says_yes("Write it", true, asked, &mut answer.as_bytes());
            assert_eq!(says.unwrap(), is_yes, "{answer}");
        }
    }
}
