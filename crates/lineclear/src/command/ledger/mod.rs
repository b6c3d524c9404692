//! `lineclear ledger`: what was stated of commits and images, and whether it still is what was written. `docs/ledger.md` is its manual.

mod export;
mod set_aside;
mod show;
mod summary;
mod verify;

use clap::{Args, Subcommand};

use crate::exit::Exit;
use crate::gates::Fault;

const EXAMPLES: &str = "\
Examples:
  lineclear ledger show                  the last entries
  lineclear ledger show HEAD             what is known of a commit, and of others with the same contents
  lineclear ledger show sha256:5f3a…     what is known of an image
  lineclear ledger show --summary        how many moves there were, and how many without a clear gate
  lineclear ledger verify                whether an entry was changed, removed or put elsewhere
  lineclear ledger export -o ledger.jsonl
                                         for an archive, and for whoever has to believe it
  lineclear ledger verify ledger.jsonl --head 41:9c1e…
                                         an export, on any machine
  lineclear ledger set-aside             the way on from a damaged one

Exit codes: 0 done, 1 not what was written (verify), or moved without a clear gate (show --summary), 2 wrong input, 3 Lineclear itself failed,
or what is to be read is damaged. More: docs/ledger.md";

/// Arguments of `ledger`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LedgerArgs {
    /// The ledger of this repository. [default: the repository of the current folder]
    #[arg(short = 'R', long, value_name = "OWNER/NAME", global = true)]
    repository: Option<String>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show entries: the last ones, or those about a commit or an image.
    Show(show::ShowArgs),
    /// Find the first entry that was changed, removed or put elsewhere.
    Verify(verify::VerifyArgs),
    /// Write the ledger out as JSON lines, with its head in the last one.
    Export(export::ExportArgs),
    /// Keep a damaged ledger under another name, and begin a new one.
    SetAside(set_aside::SetAsideArgs),
}

/// Carries out `ledger`.
pub(crate) fn run(args: &LedgerArgs) -> Exit {
    let repository = args.repository.as_deref();
    Fault::end(match &args.command {
        Command::Show(args) => show::run(args, repository),
        Command::Verify(args) => verify::run(args, repository),
        Command::Export(args) => export::run(args, repository),
        Command::SetAside(args) => set_aside::run(args, repository),
    })
}

pub(crate) use show::{about, entries_text};
