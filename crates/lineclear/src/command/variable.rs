//! `lineclear variable`: configuration variables (the `vars` context) that are kept for runs.

use clap::{Args, Subcommand};
use lineclear_secrets::Kind;

use super::secret::keep::{self, ListArgs, RemoveArgs, ScopeArgs, SetArgs};
use crate::exit::Exit;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  lineclear variable set REGION eu-west-1         for this repository
  lineclear variable set REGION us-east-1 --env production
                                                  only for jobs of that environment
  lineclear variable list
  lineclear variable get REGION
  lineclear variable rm REGION --env production

Scopes, precedence and the files: docs/secrets.md";

/// Arguments of `variable`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VariableArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep a variable: given as an argument, from a file, or from standard input.
    Set(SetVariableArgs),
    /// Print the value of a variable.
    Get(GetArgs),
    /// List names, scopes and ages.
    List(ListArgs),
    /// Remove variables.
    Rm(RemoveArgs),
}

#[derive(Debug, Args)]
struct SetVariableArgs {
    #[command(flatten)]
    set: SetArgs,

    /// The value.
    #[arg(conflicts_with_all = ["body", "body_file"])]
    value: Option<String>,
}

#[derive(Debug, Args)]
struct GetArgs {
    /// The variable's name.
    name: String,

    #[command(flatten)]
    scope: ScopeArgs,
}

/// Carries out `variable`.
pub(crate) fn run(args: &VariableArgs) -> Exit {
    let done = match &args.command {
        Command::Set(args) => keep::set(Kind::Variable, &args.set, args.value.as_deref()),
        Command::Get(args) => keep::get_variable(&args.name, &args.scope),
        Command::List(args) => keep::list(Kind::Variable, args),
        Command::Rm(args) => keep::remove(Kind::Variable, args),
    };
    done.unwrap_or_else(|message| {
        output::complain(&format!("error: {message}"));
        Exit::BadInput
    })
}
