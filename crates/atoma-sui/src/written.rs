//! What people and editors put into configuration files, whatever their format.

use std::path::Path;

/// What some editors put before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A text without the byte-order mark that some editors put before it.
pub fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Whether a path begins with `~`. Only a shell replaces that; to a program it is a folder of that name.
pub fn begins_with_tilde(path: &Path) -> bool {
    path.to_string_lossy().starts_with('~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_at_the_beginning_is_dropped() {
        assert_eq!(without_byte_order_mark("\u{feff}a\u{feff}"), "a\u{feff}");
        assert_eq!(without_byte_order_mark("a"), "a");
    }

    #[test]
    fn only_a_tilde_at_the_beginning_counts() {
        for path in ["~", "~/x", "~user/x"] {
            assert!(begins_with_tilde(Path::new(path)), "{path}");
        }
        for path in ["/home/~", "a~", "./~/x", ""] {
            assert!(!begins_with_tilde(Path::new(path)), "{path}");
        }
    }
}
