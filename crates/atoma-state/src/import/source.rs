//! Which database the earlier node used.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use thiserror::Error;

use super::error::ImportError;
use super::records::EarlierRecords;
use super::{postgres, sqlite};

/// A database of the earlier node. Read from a path, `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
/// Neither `Display` nor `Debug` shows a password.
#[derive(Clone)]
pub struct EarlierDatabase(Kind);

#[derive(Clone)]
enum Kind {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

/// Why a text names no database of the earlier node. The text, which may hold a password, is not in it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UnusableSource {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is a URL of something else.
    #[error("it is neither a file nor a URL that begins with `postgres://`")]
    Scheme,
    /// A part of the URL can't be used.
    #[error(
        "it is not a URL as in `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; in user and password, characters such as `/`, \
         `:` and `@` must be percent-encoded"
    )]
    Url,
}

impl FromStr for EarlierDatabase {
    type Err = UnusableSource;

    fn from_str(text: &str) -> Result<Self, UnusableSource> {
        let text = text.trim();
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // Behind a `/` that is not encoded, a part of the password would be taken for the database's name.
            let path = text.splitn(4, '/').nth(3);
            if path.is_some_and(|path| path.contains('@')) {
                return Err(UnusableSource::Url);
            }
            // Its error may quote the URL.
            let options = text.parse().map_err(|_| UnusableSource::Url)?;
            return Ok(Self(Kind::Postgres(Box::new(options))));
        }
        let url = text
            .strip_prefix("sqlite://")
            .or_else(|| text.strip_prefix("sqlite:"));
        // The earlier node's configuration has such a URL, which may end with parameters.
        let path = url.map_or(text, |url| url.split('?').next().unwrap_or(url));
        match path {
            "" => Err(UnusableSource::Empty),
            // A mistyped source with a password would be repeated as the name of a file that is missing.
            path if path.contains("://") || path.contains('@') || path.contains("password=") => {
                Err(UnusableSource::Scheme)
            }
            path => Ok(Self(Kind::Sqlite(PathBuf::from(path)))),
        }
    }
}

impl fmt::Display for EarlierDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Sqlite(path) => write!(f, "the SQLite database {}", path.display()),
            Kind::Postgres(options) => write!(
                f,
                "the PostgreSQL database {} at {}:{}",
                options.get_database().unwrap_or(options.get_username()),
                options.get_host(),
                options.get_port()
            ),
        }
    }
}

impl fmt::Debug for EarlierDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl EarlierDatabase {
    /// Reads the records of all stacks, as they are at one moment. Changes nothing.
    ///
    /// # Errors
    /// When it is not such a database, or can't be read.
    pub async fn read(&self) -> Result<EarlierRecords, ImportError> {
        let name = self.to_string();
        match &self.0 {
            Kind::Sqlite(path) => sqlite::read(path, &name).await,
            Kind::Postgres(options) => postgres::read(options, &name).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_file_or_a_url_and_its_password_shows_nowhere() {
        for (text, name) in [
            ("/var/atoma.db", "the SQLite database /var/atoma.db"),
            (
                "sqlite:///var/atoma.db",
                "the SQLite database /var/atoma.db",
            ),
            ("sqlite:atoma.db?mode=rwc", "the SQLite database atoma.db"),
            (
                "postgres://atoma:s%40cret@db.example:5433/node\n",
                "the PostgreSQL database node at db.example:5433",
            ),
            (
                "postgresql://atoma:s%40cret@db.example/node?sslmode=require",
                "the PostgreSQL database node at db.example:5432",
            ),
        ] {
            let source: EarlierDatabase = text.parse().unwrap();
            assert_eq!(source.to_string(), name);
            assert_eq!(format!("{source:?}"), name);
        }
        for text in [
            "",
            "  ",
            "sqlite:",
            "mysql://atoma:s@cret@db/node",
            "postgres://atoma:s/cret@db.example/node",
            "postgres://atoma:cret@db.example:port/node",
            "postgres://atoma:/s3cret@db/node",
            "postgres://atoma:12/s3cret@db/node",
            "atoma:s3cret@db/node",
            "host=db password=s3cret",
        ] {
            let refused = text.parse::<EarlierDatabase>().unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("cret"));
        }
    }
}
