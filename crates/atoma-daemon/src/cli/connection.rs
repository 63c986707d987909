//! How a command reaches the daemon.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use atoma_client::{Client, ClientError, Token};
use atoma_sui::read_small_file;
use clap::Args;
use clap::builder::FalseyValueParser;
use serde::Serialize;

use crate::output::{print, print_json};

/// The most entries of a list that a command shows.
pub(super) const MOST_ENTRIES: usize = 100_000;

/// Which daemon a command talks to, and how it prints.
#[derive(Debug, Args)]
pub(super) struct Connection {
    /// URL of the daemon's HTTP API.
    #[arg(
        long,
        value_name = "URL",
        env = "ATOMA_URL",
        default_value = "http://127.0.0.1:3000"
    )]
    url: String,
    /// File with a token for the API.
    #[arg(long, value_name = "FILE", env = "ATOMA_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// File with the certificates of further authorities to trust, in PEM: for a daemon with a private or self-signed
    /// certificate.
    #[arg(long, value_name = "FILE", env = "ATOMA_CA_FILE")]
    ca_file: Option<PathBuf>,
    /// Send the token over plain HTTP to another machine, too. Everybody on the way can read it: use it only on a
    /// network of your own, such as one of containers on one machine.
    #[arg(
        long,
        env = "ATOMA_ALLOW_TOKEN_OVER_HTTP",
        value_parser = FalseyValueParser::new()
    )]
    allow_token_over_http: bool,
    /// Seconds to wait for an answer. By default 120, and 3660 for commands that send transactions, which is more than a
    /// daemon's `request_timeout_s` can be.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
    /// Print JSON, as the API answers, also its errors.
    #[arg(long)]
    pub(super) json: bool,
}

impl Connection {
    /// The client.
    ///
    /// # Errors
    /// When the URL or the token can't be used.
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        let mut builder = Client::builder(&self.url);
        if let Some(file) = &self.token_file {
            let failed = || format!("can't use the token file {}", file.display());
            builder = builder.token(read_token(file).with_context(failed)?);
        }
        let unusable = |file: &Path| format!("can't use the certificates in {}", file.display());
        if let Some(file) = &self.ca_file {
            let pem = read_small_file(file).with_context(|| unusable(file))?;
            builder = builder.root_certificates(pem.to_vec());
        }
        if let Some(seconds) = self.timeout {
            builder = builder.timeout(Duration::from_secs(seconds));
        }
        let built = builder
            .allow_token_over_http(self.allow_token_over_http)
            .build();
        if matches!(built, Err(ClientError::TokenInPlainText)) {
            bail!(
                "a token over plain HTTP to another machine can be read by others; use https://, or on a network of \
                 your own --allow-token-over-http (ATOMA_ALLOW_TOKEN_OVER_HTTP=true)"
            );
        }
        match (built, &self.ca_file) {
            (Err(error @ ClientError::InvalidCertificate), Some(file)) => {
                Err(error).with_context(|| unusable(file))
            }
            (built, _) => Ok(built?),
        }
    }

    /// Prints the value as JSON, or as the text for people.
    ///
    /// # Errors
    /// When standard output can't be written.
    pub(super) fn show<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        if self.json {
            print_json(value)
        } else {
            print(&text(value))
        }
    }
}

fn read_token(file: &Path) -> anyhow::Result<Token> {
    let bytes = read_small_file(file)?;
    Ok(Token::new(std::str::from_utf8(&bytes)?)?)
}
