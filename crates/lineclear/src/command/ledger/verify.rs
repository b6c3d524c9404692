//! `lineclear ledger verify`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;
use lineclear_event::with_causes;
use lineclear_ledger::{LedgerError, Verified, VerifyError, verify_lines};
use lineclear_store::LedgerHead;
use serde_json::json;

use crate::command::history::Shape;
use crate::exit::Exit;
use crate::gates::{Fault, Place};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  lineclear ledger verify                the repository's own
  lineclear ledger verify ledger.jsonl   an export, on any machine
  lineclear ledger verify --head 41:9c1e…
                                         and that nothing was cut off since this head was noted

Exit codes: 0 it is what was written, 1 it is not, and the first entry that is not is named, or it was cut off, 2 wrong input, or no ledger at all,
3 Lineclear itself failed. More: docs/ledger.md";

/// Arguments of `ledger verify`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// An exported ledger ("-": standard input). [default: the repository's own]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// A head that was noted before, as `verify` and `export` print it: without one, nobody can say whether the last entries were cut off.
    #[arg(long, value_name = "N:HASH")]
    head: Option<LedgerHead>,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

pub(super) fn run(args: &VerifyArgs, repository: Option<&str>) -> Result<Exit, Fault> {
    let head = args.head.as_ref();
    let verified = match &args.file {
        Some(file) => from_file(file, head)?,
        None => match Place::open(repository)?.ledger.verify(head) {
            Ok(verified) => Ok(verified),
            Err(LedgerError::Broken { source, .. }) => Err(source.to_string()),
            Err(LedgerError::Store { source: source @ lineclear_store::StoreError::Damaged { .. }, .. }) => {
                Err(with_causes(&source))
            }
            Err(other) => return Err(Fault::Ledger(other)),
        },
    };
    match (args.format, &verified) {
        (Shape::Json, Ok(verified)) => print_json(&json!({
            "whole": true,
            "repository": verified.repository,
            "head": verified.head.to_string(),
            "end_is_known": verified.end_is_known,
        })),
        (Shape::Json, Err(sentence)) => print_json(&json!({ "whole": false, "why": sentence })),
        (Shape::Text, Ok(verified)) => output::print(&in_words(verified)),
        (Shape::Text, Err(sentence)) => {
            output::print(&format!("{} {sentence}\n", output::stdout_style().red("✗")));
        }
    }
    Ok(if verified.is_ok() { Exit::Success } else { Exit::WorkFailed })
}

/// The outer error: it cannot be read; the inner one: it is not what was written.
fn from_file(file: &PathBuf, head: Option<&LedgerHead>) -> Result<Result<Verified, String>, Fault> {
    let cannot = |error: &std::io::Error| Fault::Input(format!("cannot read `{}`: {error}", file.display()));
    let verified = if file.as_os_str() == "-" {
        verify_lines(std::io::stdin().lock(), head)
    } else {
        verify_lines(BufReader::new(File::open(file).map_err(|error| cannot(&error))?), head)
    };
    match verified {
        Ok(verified) => Ok(Ok(verified)),
        Err(VerifyError::Broken(broken)) => Ok(Err(broken.to_string())),
        Err(error @ VerifyError::CutOff { .. }) => Ok(Err(error.to_string())),
        Err(error @ VerifyError::Nothing) => Err(Fault::Input(format!("`{}`: {error}", file.display()))),
        Err(VerifyError::Read(error)) => Err(cannot(&error)),
    }
}

fn in_words(verified: &Verified) -> String {
    let style = output::stdout_style();
    let of = verified.repository.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let mut text = format!(
        "{} the ledger{of} is what was written: {} {}\n  head {}\n",
        style.green("✓"),
        verified.head.entries,
        if verified.head.entries == 1 { "entry" } else { "entries" },
        verified.head
    );
    if !verified.end_is_known {
        text.push_str(
            &style.dim("  note this head elsewhere: with --head, a later look proves that nothing was cut off\n"),
        );
    }
    text
}

fn print_json(document: &serde_json::Value) {
    // Plain data always has a JSON form.
    output::print(&format!("{}\n", serde_json::to_string_pretty(document).unwrap_or_default()));
}
