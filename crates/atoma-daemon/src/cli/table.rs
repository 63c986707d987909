//! Tables and amounts for people.

use comfy_table::{ContentArrangement, Table, presets};

/// A table with these headings. The rows' cells are texts; characters that steer a terminal are escaped,
/// as names of models come from the chain.
pub(super) fn table<const N: usize>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(headings);
    for row in rows {
        table.add_row(row.map(|cell| plain(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
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
        assert_eq!(table(["TASK", "MODEL"], rows), expected);
    }
}
