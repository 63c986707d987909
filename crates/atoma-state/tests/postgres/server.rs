//! A PostgreSQL server with one cluster, in a temporary folder. It listens on a socket in that folder only.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tempfile::TempDir;

/// The password of the cluster's only user. The characters must be encoded in a URL.
const PASSWORD: &str = "s/cr:t@1";
const ENCODED: &str = "s%2Fcr%3At%401";

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server, stopped when dropped.
pub struct Server {
    folder: TempDir,
    programs: PathBuf,
    process: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let mut stop = command(&self.programs, "pg_ctl");
        stop.args(["stop", "-w", "-m", "immediate", "-D"]).arg(data);
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Starts a server; `None` if its programs are missing. In CI they must not be.
    #[expect(clippy::print_stderr, reason = "says that a test was skipped")]
    pub async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let missing =
                "PostgreSQL's server programs are missing: install Debian's package `postgresql`";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("skipped: {missing}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        give_to_server(folder.path());
        give_to_server(&password);
        let data = folder.path().join("data");
        let mut create = command(&programs, "initdb");
        create.args([
            "--no-sync",
            "--username=atoma",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
        ]);
        let (mut pwfile, mut pgdata) = (
            Path::new("--pwfile=").as_os_str().to_owned(),
            Path::new("--pgdata=").as_os_str().to_owned(),
        );
        pwfile.push(&password);
        pgdata.push(&data);
        let created = create.arg(pwfile).arg(pgdata).output().unwrap();
        assert!(created.status.success(), "{created:?}");
        let mut serve = command(&programs, "postgres");
        serve.arg("-D").arg(&data).arg("-k").arg(folder.path());
        // Nothing is to survive a crash of the machine.
        serve.args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = serve.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let server = Self {
            folder,
            programs,
            process,
        };
        server.until_ready().await;
        Some(server)
    }

    async fn until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = self.try_connect("postgres").await {
            let log = || std::fs::read_to_string(self.folder.path().join("log"));
            assert!(Instant::now() < deadline, "{error}: {:?}", log());
            // The server says nowhere when it is ready.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        self.url_with(database, ENCODED)
    }

    /// The URL with another password.
    pub fn url_with(&self, database: &str, password: &str) -> String {
        let socket = self.folder.path().display();
        format!("postgres://atoma:{password}@localhost/{database}?host={socket}")
    }

    async fn try_connect(&self, database: &str) -> Result<PgConnection, sqlx::Error> {
        let options: PgConnectOptions = self.url(database).parse()?;
        options.connect().await
    }

    pub async fn connect(&self, database: &str) -> PgConnection {
        self.try_connect(database).await.unwrap()
    }

    /// Creates a database and runs statements in it.
    pub async fn create(&self, database: &str, statements: &str) {
        self.run("postgres", &format!("CREATE DATABASE {database}"))
            .await;
        self.run(database, statements).await;
    }

    pub async fn run(&self, database: &str, statements: &str) {
        let mut connection = self.connect(database).await;
        run(&mut connection, statements).await;
        connection.close().await.unwrap();
    }
}

pub async fn run(connection: &mut PgConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(connection)
        .await
        .unwrap();
}

/// The folder of the server's programs. Debian has one for each version, outside of `PATH`.
fn programs() -> Option<PathBuf> {
    let has_server = |folder: &PathBuf| folder.join("postgres").is_file();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut versions: Vec<_> = versions
        .map(|version| version.unwrap().path().join("bin"))
        .filter(has_server)
        .collect();
    versions.sort();
    let newest = versions.pop();
    newest.or_else(|| std::env::split_paths(&path).find(has_server))
}

/// A program of the server. It refuses to run as root, so it runs as `nobody` then.
fn command(programs: &Path, name: &str) -> Command {
    let program = programs.join(name);
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]);
    command.arg(program);
    // The files of root's home folder are not readable.
    command.env("HOME", "/nonexistent").current_dir("/");
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// Lets the server's user have a file that root has created.
fn give_to_server(path: &Path) {
    if is_root() {
        let to: [&OsStr; 2] = ["nobody:nogroup".as_ref(), path.as_os_str()];
        let given = Command::new("chown").args(to).status().unwrap();
        assert!(given.success());
    }
}
