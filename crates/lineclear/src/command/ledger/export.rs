//! `lineclear ledger export`.

use std::fs::OpenOptions;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use clap::Args;
use lineclear_ledger::LedgerError;

use crate::exit::Exit;
use crate::gates::{Fault, Place};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  lineclear ledger export -o ledger.jsonl
                                         for an archive, and for whoever has to believe it
  lineclear ledger export -R acme/shop | gzip > shop.jsonl.gz
  lineclear ledger verify ledger.jsonl   whether it is whole, on any machine

Exit codes: 0 written, 2 wrong input, 3 Lineclear itself failed, or the ledger is damaged. More: docs/ledger.md";

/// Arguments of `ledger export`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// Write to this file, which must not be there yet. [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &ExportArgs, repository: Option<&str>) -> Result<Exit, Fault> {
    let place = Place::open(repository)?;
    let Some(path) = &args.output else {
        let mut out = BufWriter::new(std::io::stdout().lock());
        return match place.ledger.export(&mut out) {
            Ok(exported) => {
                note_if_empty(&place, exported.head.entries);
                Ok(Exit::Success)
            }
            // A reader that went away has what it wanted.
            Err(LedgerError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Success),
            Err(error) => Err(error.into()),
        };
    };
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let file = file.map_err(|error| Fault::Input(format!("cannot write `{}`: {error}", path.display())))?;
    let mut out = BufWriter::new(file);
    let exported = place.ledger.export(&mut out).and_then(|exported| {
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(LedgerError::Write)?;
        Ok(exported)
    });
    match exported {
        Ok(exported) => {
            note_if_empty(&place, exported.head.entries);
            output::complain(&format!("{} entries written; head {}", exported.head.entries, exported.head));
            Ok(Exit::Success)
        }
        Err(error) => {
            // Half a ledger must not pass for the whole.
            let _the_error_is_what_counts = std::fs::remove_file(path);
            Err(error.into())
        }
    }
}

fn note_if_empty(place: &Place, entries: u64) {
    if entries == 0 {
        let repository = place.ledger.repository();
        output::complain(&format!("note: `{repository}` has no ledger yet: no run has proven anything of it here"));
    }
}
