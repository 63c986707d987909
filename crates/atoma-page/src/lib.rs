//! The operator's page of the node daemon, as files in the program.
//!
//! `dist/` has the built files, in one folder. They are compressed once, when they are first asked for.
//! ```
//! let index = atoma_page::files().iter().find(|file| file.name == "index.html");
//! let index = index.ok_or("the page has its first file")?;
//! assert_eq!(index.content_type, "text/html; charset=utf-8");
//! assert!(!index.is_immutable);
//! assert_ne!(index.plain.tag, index.gzip.tag);
//! # Ok::<(), &str>(())
//! ```

mod content_type;

use std::io::Write as _;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use xxhash_rust::xxh3::xxh3_128;

use self::content_type::content_type;

/// Each file's name and bytes.
type Embedded = &'static [(&'static str, &'static [u8])];

const EMBEDDED: Embedded = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The fewest digits that make a part of a name a hash of the content.
const HASH_DIGITS: usize = 8;

/// A file of the page.
#[derive(Clone, Debug)]
pub struct PageFile {
    /// Its name in `dist/`.
    pub name: &'static str,
    /// What it contains, as `Content-Type` says it.
    pub content_type: &'static str,
    /// Whether its name has a hash of its content: then the content under this name never changes.
    pub is_immutable: bool,
    /// Its bytes.
    pub plain: Form,
    /// The same, compressed as `gzip`.
    pub gzip: Form,
}

/// The bytes of a file in one encoding.
#[derive(Clone, Debug)]
pub struct Form {
    /// The bytes.
    pub bytes: Bytes,
    /// What identifies these very bytes: letters and digits, for a strong `ETag`.
    pub tag: String,
}

impl Form {
    fn new(bytes: Bytes) -> Self {
        let tag = format!("{:032x}", xxh3_128(&bytes));
        Self { bytes, tag }
    }
}

impl PageFile {
    fn new(name: &'static str, bytes: &'static [u8]) -> Self {
        Self {
            name,
            content_type: content_type(name),
            is_immutable: has_hash(name),
            plain: Form::new(Bytes::from_static(bytes)),
            gzip: Form::new(compressed(bytes)),
        }
    }
}

static FILES: LazyLock<Vec<PageFile>> = LazyLock::new(|| {
    let files = EMBEDDED.iter();
    files
        .map(|(name, bytes)| PageFile::new(name, bytes))
        .collect()
});

/// The page's files in the order of their names.
pub fn files() -> &'static [PageFile] {
    &FILES
}

fn compressed(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory can't fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}

/// Whether a name is like `page-0123abcd.js`.
fn has_hash(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    stem.rsplit_once('-').is_some_and(|(_, hash)| {
        hash.len() >= HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        for (name, expected) in [
            ("page-30e57597bfbf.css", true),
            ("page-30e57597.js", true),
            ("page-30e5759.js", false),
            ("page-readable.js", false),
            ("index.html", false),
            ("icon.svg", false),
        ] {
            assert_eq!(has_hash(name), expected, "{name}");
        }
    }

    #[test]
    fn every_file_can_be_served() {
        let mut tags = BTreeSet::new();
        for file in files() {
            assert_ne!(
                file.content_type,
                content_type(""),
                "{}: no known type",
                file.name
            );
            let mut unpacked = Vec::new();
            let mut decoder = GzDecoder::new(&*file.gzip.bytes);
            decoder.read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, file.plain.bytes, "{}", file.name);
            for form in [&file.plain, &file.gzip] {
                assert!(tags.insert(form.tag.clone()), "{}", file.name);
            }
            let is_plain_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            assert!(file.name.bytes().all(is_plain_name), "{}", file.name);
        }
    }

    /// The content security policy allows none of it.
    #[test]
    fn the_first_file_has_no_script_or_style_of_its_own() {
        let index = files().iter().find(|file| file.name == "index.html");
        let html = std::str::from_utf8(&index.unwrap().plain.bytes).unwrap();
        for part in ["<style", " style=", "onload=", "onclick=", "http:", "//"] {
            assert!(!html.contains(part), "{part}");
        }
        for script in html.split("<script").skip(1) {
            let (tag, rest) = script.split_once('>').unwrap();
            assert!(tag.contains("src=\""), "{tag}");
            assert!(rest.starts_with("</script>"), "{rest}");
        }
    }

    #[test]
    fn the_page_is_small() {
        let sum: usize = files().iter().map(|file| file.gzip.bytes.len()).sum();
        assert!(sum < 200_000, "{sum} bytes compressed");
    }
}
