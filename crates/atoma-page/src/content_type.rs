//! Content types by the ends of names.

/// The type of a file with this name.
pub(crate) fn content_type(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map(|(_, end)| end);
    match end.unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
