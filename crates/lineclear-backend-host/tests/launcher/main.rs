//! What starts the steps of isolated rooms in this crate's tests: the part of Lineclear's `main` that is for that.

use std::process::ExitCode;

fn main() -> ExitCode {
    lineclear_sandbox::main()
}
