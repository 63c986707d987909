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

/// The text without characters that steer a terminal.
pub(super) fn plain(text: &str) -> String {
    let escape = |c: char| -> String {
        if c.is_control() {
            c.escape_default().collect()
        } else {
            c.into()
        }
    };
    text.chars().map(escape).collect()
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
    fn a_table_has_columns_and_no_control_characters() {
        let rows = [
            ["1".to_owned(), "llama\u{1b}[2J".to_owned()],
            ["20".to_owned(), optional(None::<u64>)],
        ];
        let expected = "TASK  MODEL\n1     llama\\u{1b}[2J\n20    -\n";
        assert_eq!(table(["TASK", "MODEL"], rows), expected);
    }
}
