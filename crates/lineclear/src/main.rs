//! `lineclear`: runs GitHub Actions workflows unchanged, here and now.
//!
//! The binary is the one place that names concrete parts: it reads arguments and settings, wires backend, store and runner to
//! the engine, and shows what happens. [`cli`] has the arguments, `command/` one file for each command, `session/` what a run
//! is made of, `report/` how events are shown.

mod advisories;
mod checking;
mod cli;
mod command;
mod delivery;
mod exit;
mod gates;
mod guide;
mod history;
mod local_event;
mod output;
mod planning;
mod policy_file;
mod preflight;
mod prompt;
mod release_logins;
mod report;
mod scanning;
mod secret_stores;
mod session;
mod settings;
mod signing_keys;
mod watch;
mod workflow_files;

use std::process::ExitCode;

fn main() -> ExitCode {
    // The guard is this binary again, watching over a run so that nothing outlives it.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == lineclear_backend_host::guard::ARGUMENT) {
        return lineclear_backend_host::guard::main();
    }
    // So is what holds the namespaces of an isolated job, and what starts its steps in them: before any thread is.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == lineclear_backend_host::SANDBOX_ARGUMENT) {
        return lineclear_backend_host::sandbox_main();
    }
    if std::env::args_os().nth(1).is_some_and(|argument| argument == lineclear_backend_container::guard::ARGUMENT) {
        return lineclear_backend_container::guard::main();
    }
    cli::main()
}
