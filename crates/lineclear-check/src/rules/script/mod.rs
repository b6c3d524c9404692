//! Scripts of steps.

mod adhoc_package;
mod bash_in_sh;
mod deprecated_command;
mod errexit_off;
mod fixed_sleep;
mod ignored_result;
mod insecure_transfer;
mod linted;
mod lost_pipe_failure;
mod missing_ci_env;
mod open_here_document;
mod overwritten_command_file;
mod password_argument;
mod piped_download;
mod python_fault;
mod shell_fault;
pub(crate) mod shells;
mod unhashed_package;
mod unknown_command_file;
mod unlocked_install;
mod unquoted_command_file;
mod waits_for_input;
mod wrong_shell;

use crate::Rule;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &deprecated_command::DeprecatedCommand,
    &unknown_command_file::UnknownCommandFile,
    &overwritten_command_file::OverwrittenCommandFile,
    &open_here_document::OpenHereDocument,
    &unquoted_command_file::UnquotedCommandFile,
    &wrong_shell::WrongShell,
    &bash_in_sh::BashInSh,
    &lost_pipe_failure::LostPipeFailure,
    &errexit_off::ErrexitOff,
    &ignored_result::IgnoredResult,
    &waits_for_input::WaitsForInput,
    &password_argument::PasswordArgument,
    &fixed_sleep::FixedSleep,
    &piped_download::PipedDownload,
    &insecure_transfer::InsecureTransfer,
    &unlocked_install::UnlockedInstall,
    &adhoc_package::AdhocPackage,
    &unhashed_package::UnhashedPackage,
    &shell_fault::ShellFault,
    &python_fault::PythonFault,
    &missing_ci_env::MissingCiEnv,
];
