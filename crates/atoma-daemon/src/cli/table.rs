//! Tables for people.

use anstyle::Style;
use comfy_table::{Cell, Color, ContentArrangement, Table, presets};

use crate::output::painted;

/// A table with these headings, in colours. The rows' cells are texts; characters that steer a terminal are escaped,
/// as names of models come from the chain.
pub(super) fn table<const N: usize>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        // Standard output drops the colours that nobody wants.
        .enforce_styling()
        .set_header(headings);
    for row in rows {
        table.add_row(row.map(|cell| coloured(&plain(&cell))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.trim_fmt();
    // As cells in a style, the headings would keep their padding at the end of the line.
    let (headings, rows) = text.split_once('\n').unwrap_or((&text, ""));
    let mut text = painted(Style::new().bold(), headings) + "\n";
    if !rows.is_empty() {
        text.push_str(rows);
        text.push('\n');
    }
    text
}

/// The cell; what says how something ended or stands has a colour.
fn coloured(text: &str) -> Cell {
    let cell = Cell::new(text);
    match text {
        "succeeded" | "would succeed" => cell.fg(Color::Green),
        "failed" | "would fail" => cell.fg(Color::Red),
        "pending" | "queued" | "submitted" => cell.fg(Color::Yellow),
        _ => cell,
    }
}

/// The text without characters that steer a terminal or hide in it: control characters, and invisible ones such as
/// those that turn the direction of writing. They are escaped, as a third party may have written them.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            plain.push(c);
        } else {
            // Behind a letter, marks that belong to it are no reason to escape.
            let behind_letter = String::from_iter(['a', c]);
            plain.extend(behind_letter.escape_debug().skip(1));
        }
    }
    plain
}

/// The value, or a dash.
pub(super) fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Yes or no.
pub(super) fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_letters_are_not() {
        for (text, expected) in [
            ("it's \"llama\" \\", "it's \"llama\" \\"),
            ("München हिन्दी 模型 …", "München हिन्दी 模型 …"),
            ("a\u{1b}[2J\r\n", "a\\u{1b}[2J\\r\\n"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
            (
                "\u{feff}\u{200b}\u{2028}\u{ad}",
                "\\u{feff}\\u{200b}\\u{2028}\\u{ad}",
            ),
        ] {
            assert_eq!(plain(text), expected);
            assert_eq!(plain(&plain(text)), expected);
        }
    }

    #[test]
    fn a_table_has_columns_and_no_control_characters() {
        let rows = [
            ["1".to_owned(), "llama\u{1b}[2J".to_owned()],
            ["20".to_owned(), optional(None::<u64>)],
        ];
        let expected = "TASK  MODEL\n1     llama\\u{1b}[2J\n20    -\n";
        let table = table(["TASK", "MODEL"], rows);
        assert_eq!(strip_str(&table).to_string(), expected);
    }

    #[test]
    fn outcomes_are_coloured_within_their_columns() {
        let rows = ["succeeded", "failed", "open"]
            .map(|status| ["1".to_owned(), status.to_owned(), "x".to_owned()]);
        let table = table(["A", "STATUS", "B"], rows);
        let expected = "A  STATUS     B\n1  succeeded  x\n1  failed     x\n1  open       x\n";
        assert_eq!(strip_str(&table).to_string(), expected);
        assert!(table.contains("\u{1b}[38;5;9mfailed"), "{table:?}");
    }
}
