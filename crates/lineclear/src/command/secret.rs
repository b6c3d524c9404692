//! `lineclear secret`: secrets that are kept for runs, and who uses them.

pub(super) mod audit;
mod body;
pub(super) mod keep;
mod rekey;
mod release;

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
  pass show ghcr | lineclear secret set ghcr.io --release
                                                  a login, USER:PASSWORD, with which images are published; no job is given it
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
    Set(SetSecretArgs),
    /// List names, scopes and ages; values are never shown.
    List(ListSecretsArgs),
    /// Remove secrets.
    Rm(RemoveSecretsArgs),
    /// Say which job uses which secret, what is missing, old or unused.
    Audit(audit::AuditArgs),
    /// Encrypt everything anew with another key.
    Rekey(rekey::RekeyArgs),
}

#[derive(Debug, Args)]
struct SetSecretArgs {
    /// Keep a login at a registry that images are released to: the name is its host, the value USER:PASSWORD. Lineclear publishes and
    /// promotes with it; no job is given it.
    #[arg(long, conflicts_with = "env")]
    release: bool,

    #[command(flatten)]
    set: SetArgs,
}

#[derive(Debug, Args)]
struct ListSecretsArgs {
    /// The logins that images are released with, and nothing else.
    #[arg(long, conflicts_with_all = ["env", "all"])]
    release: bool,

    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
struct RemoveSecretsArgs {
    /// Remove logins that images are released with; the names are hosts.
    #[arg(long, conflicts_with = "env")]
    release: bool,

    #[command(flatten)]
    remove: RemoveArgs,
}

/// Carries out `secret`.
pub(crate) fn run(args: &SecretArgs) -> Exit {
    let done = match &args.command {
        Command::Set(args) if args.release => release::set(&args.set),
        Command::Set(args) => keep::set(Kind::Secret, &args.set, None),
        Command::List(args) if args.release => release::list(&args.list),
        Command::List(args) => keep::list(Kind::Secret, &args.list),
        Command::Rm(args) if args.release => release::remove(&args.remove),
        Command::Rm(args) => keep::remove(Kind::Secret, &args.remove),
        Command::Audit(args) => audit::run(args),
        Command::Rekey(args) => rekey::run(args),
    };
    done.unwrap_or_else(|message| {
        output::complain(&format!("error: {message}"));
        Exit::BadInput
    })
}
