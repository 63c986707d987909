//! Several processes open one new file at the same moment.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};

use atoma_state::{SqliteState, StateOptions};

const PROCESSES: usize = 4;
const ROUNDS: usize = 100;
/// Tells a process that it is one of them.
const OPENER: &str = "ATOMA_TEST_OPENER";

/// Run in processes of their own: opens every file named on standard input.
#[tokio::test]
#[ignore = "part of `no_process_fails_to_open_a_new_file`"]
async fn opener() {
    if std::env::var_os(OPENER).is_none() {
        return;
    }
    for path in std::io::stdin().lines() {
        match SqliteState::open(path.unwrap(), StateOptions::default()).await {
            Ok(store) => {
                println!("opener: ok");
                store.close().await;
            }
            Err(error) => println!("opener: {error}: {error:?}"),
        }
    }
}

struct Opener {
    child: Child,
    input: ChildStdin,
    output: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Opener {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "--nocapture",
                "opening_at_once::opener",
            ])
            .env(OPENER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    fn result(&mut self) -> String {
        loop {
            let line = self.output.next().unwrap().unwrap();
            // The test harness may have begun the line.
            if let Some((_, result)) = line.split_once("opener: ") {
                return result.to_owned();
            }
        }
    }
}

#[test]
fn no_process_fails_to_open_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut openers: Vec<Opener> = (0..PROCESSES).map(|_| Opener::start()).collect();
    for round in 0..ROUNDS {
        let path = folder.path().join(format!("{round}/state.sqlite"));
        for opener in &mut openers {
            writeln!(opener.input, "{}", path.display()).unwrap();
        }
        for opener in &mut openers {
            assert_eq!(opener.result(), "ok", "round {round}");
        }
    }
    for opener in openers {
        let Opener {
            mut child,
            input,
            output,
        } = opener;
        drop(input);
        // To the end, because it writes a summary.
        output.for_each(drop);
        assert!(child.wait().unwrap().success());
    }
}
