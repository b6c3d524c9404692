//! `lineclear secret`: secrets that are kept for runs, and who uses them.

pub(super) mod audit;
mod body;
pub(super) mod keep;
mod rekey;

use clap::{Args, Subcommand};
use lineclear_secrets::Kind;

use crate::exit::Exit;
use crate::output;
use keep::{ListArgs, RemoveArgs, SetArgs};

const EXAMPLES: &str = "\
Examples:
  lineclear secret set API_TOKEN                  asks for the value without showing it
  lineclear secret set SSH_KEY --body-file ~/.ssh/deploy --env production
                                                  only for jobs of that environment
  pass show npm | lineclear secret set NPM_TOKEN --machine
                                                  for all repositories of this machine
  lineclear secret set API_TOKEN --secret-store .lineclear/secrets
                                                  in a file that can be committed
  lineclear secret list
  lineclear secret audit --strict                 who uses what, and what is missing

Scopes, precedence, the files and what they protect from: docs/secrets.md";

/// Arguments of `secret`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SecretArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep a secret: from a file, from standard input, or asked for at the terminal.
    Set(SetArgs),
    /// List names, scopes and ages; values are never shown.
    List(ListArgs),
    /// Remove secrets.
    Rm(RemoveArgs),
    /// Say which job uses which secret, what is missing, old or unused.
    Audit(audit::AuditArgs),
    /// Encrypt everything anew with another key.
    Rekey(rekey::RekeyArgs),
}

/// Carries out `secret`.
pub(crate) fn run(args: &SecretArgs) -> Exit {
    let done = match &args.command {
        Command::Set(args) => keep::set(Kind::Secret, args, None),
        Command::List(args) => keep::list(Kind::Secret, args),
        Command::Rm(args) => keep::remove(Kind::Secret, args),
        Command::Audit(args) => audit::run(args),
        Command::Rekey(args) => rekey::run(args),
    };
    done.unwrap_or_else(|message| {
        output::complain(&format!("error: {message}"));
        Exit::BadInput
    })
}
