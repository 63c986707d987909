//! A line that turns while a command waits. It is shown on a terminal only.

use std::time::Duration;

use indicatif::ProgressBar;

/// How often the line turns.
const TICK: Duration = Duration::from_millis(100);

/// The line, with what is waited for. Whoever starts it clears it.
pub(super) fn spinner(what: String) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.enable_steady_tick(TICK);
    spinner
}

/// Awaits the future behind the line.
pub(super) async fn waiting<T>(what: &str, future: impl Future<Output = T>) -> T {
    let spinner = spinner(format!("{what} …"));
    let output = future.await;
    spinner.finish_and_clear();
    output
}
