//! The files that `init` writes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use atoma_state::create_private_folder;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::answers::Answers;
use crate::config::{Chosen, example};

/// The token's file, relative to the configuration.
const TOKEN_FILE: &str = "tokens/operator.token";

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// What was written.
pub(super) struct Written {
    config: PathBuf,
    token: PathBuf,
    is_token_new: bool,
}

/// Checks that the file may be written.
///
/// # Errors
/// When there is one already, unless `force` is set.
pub(super) fn check_place(file: &Path, force: bool) -> anyhow::Result<()> {
    if !force && file.exists() {
        bail!(
            "{} exists already; name another file with `--config`, or replace it with `--force`",
            file.display()
        );
    }
    Ok(())
}

/// Writes the token, unless there is one already, and then the configuration. Only their owner can read
/// them.
///
/// # Errors
/// When a file exists and `force` is not set, or can't be written.
pub(super) fn write(answers: &Answers, force: bool) -> anyhow::Result<Written> {
    let folder = answers.config.parent().unwrap_or(Path::new("."));
    let token = folder.join(TOKEN_FILE);
    let is_token_new = !token.exists();
    if is_token_new {
        let value = new_token()?;
        place(&token, format!("{}\n", value.as_str()).as_bytes(), false)?;
    }
    place(&answers.config, text(answers).as_bytes(), force)?;
    Ok(Written {
        config: answers.config.clone(),
        token,
        is_token_new,
    })
}

/// A configuration with the answers, and with every other key in comments.
fn text(answers: &Answers) -> String {
    let quoted = |text: String| toml::Value::String(text).to_string();
    let path = |path: &Path| quoted(path.display().to_string());
    let token = format!(
        "[[tokens]]\nname = \"operator\"\nscope = \"operate\"\nfile = {}",
        quoted(TOKEN_FILE.to_owned())
    );
    let (first, further) = match answers.rpc_urls.split_first() {
        Some((first, further)) => (first.clone(), further),
        None => (String::new(), &[][..]),
    };
    let further = further.iter().map(|url| {
        let url = quoted(url.clone());
        format!("[[sui.nodes]]\nurl = {url}")
    });
    let further: Vec<_> = further.collect();
    let mut chosen = Chosen::from([
        ("data_dir", path(&answers.data_dir)),
        ("tokens", token),
        ("sui.client_config", path(&answers.client_config)),
        ("sui.rpc_url", quoted(first)),
        ("sui.package_id", quoted(answers.package_id.to_string())),
        ("sui.atoma_db_id", quoted(answers.atoma_db_id.to_string())),
        ("autopilot.mode", quoted(answers.autopilot.to_string())),
    ]);
    if !further.is_empty() {
        chosen.insert("sui.nodes", further.join("\n"));
    }
    example(&chosen)
}

fn new_token() -> anyhow::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    getrandom::fill(bytes.as_mut())
        .map_err(|error| anyhow::anyhow!("the system has no random numbers: {error}"))?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// Writes a file that only its owner can read, and puts it into its place as a whole.
fn place(file: &Path, contents: &[u8], force: bool) -> anyhow::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let failed = || format!("can't write {}", file.display());
    create_private_folder(folder).with_context(failed)?;
    // Nobody but the owner can read a temporary file.
    let mut temporary = NamedTempFile::new_in(folder).with_context(failed)?;
    temporary.write_all(contents).with_context(failed)?;
    temporary.as_file().sync_all().with_context(failed)?;
    let placed = if force {
        temporary.persist(file)
    } else {
        temporary.persist_noclobber(file)
    };
    placed.with_context(failed)?;
    Ok(())
}

impl Written {
    /// What was written, and what to do next.
    pub(super) fn text(&self) -> String {
        let config = self.config.display();
        let token = self.token.display();
        let mut text = format!("\nWrote {config}\n");
        let _ = if self.is_token_new {
            writeln!(text, "Wrote {token}, a new token for the API")
        } else {
            writeln!(text, "Kept  {token}, the token from before")
        };
        let _ = write!(
            text,
            "\nNext:\n  1. Check it:        atoma-daemon config check --config {config}\n  2. Run the daemon:  \
             atoma-daemon serve --config {config}\n  3. Ask it, from another terminal: \
             atoma-daemon status --token-file {token}\n"
        );
        text
    }
}
