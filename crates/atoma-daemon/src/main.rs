//! The `atoma-daemon` binary.

use std::process::ExitCode;

use clap::Parser;

use atoma_daemon::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    end_on_panic();
    run(Cli::parse()).await
}

/// Makes a panic end the process. Otherwise only its task would end, and a lane or the mirror would stand
/// still without anybody noticing. A restart takes everything up again.
fn end_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
    }));
}
