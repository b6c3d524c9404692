//! `lineclear vulnerabilities`: the database that scans look things up in.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use lineclear_event::Timestamp;
use lineclear_vulnerability::base;
use serde_json::json;

use super::history::Shape;
use crate::exit::Exit;
use crate::history::words::age;
use crate::{advisories, output, settings};

const IMPORT_EXAMPLES: &str = "\
Examples:
  lineclear vulnerabilities import Debian.zip PyPI.zip npm.zip
                                    what OSV publishes for each ecosystem, one archive each
  lineclear vulnerabilities import advisories/ records.jsonl
                                    a folder with a record a file, or one a line

Of each ecosystem in the files, everything is replaced; the others stay.
Exit codes: 0 done, 1 some records could not be read (the others are there), 2 wrong input. More: docs/scan.md";

const STATUS_EXAMPLES: &str = "\
Examples:
  lineclear vulnerabilities status
  lineclear vulnerabilities status --format json

Exit codes: 0 shown, 3 the database cannot be read. More: docs/scan.md";

const EXAMPLES: &str = "\
Examples:
  lineclear vulnerabilities import Debian.zip PyPI.zip npm.zip
                                    what OSV publishes for each ecosystem, one archive each
  lineclear vulnerabilities import advisories/ records.jsonl
                                    a folder with a record a file, or one a line
  lineclear vulnerabilities status  what is known, and how old it is

Scans look nothing up in a network: what is imported here is what they know. Of each ecosystem in the files, everything is replaced.
Exit codes: 0 done, 1 some records could not be read (the others are there), 2 wrong input, 3 Lineclear itself failed. More: docs/scan.md";

/// How old data may be before a scan and `status` speak of it.
pub(crate) const STALE_DAYS: i64 = 7;

/// Arguments of `vulnerabilities`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VulnerabilitiesArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take in records in the OSV format: zip archives, folders, lines of JSON.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        /// Archives, folders and files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Say what is known of which ecosystem, and how old it is.
    #[command(after_help = STATUS_EXAMPLES)]
    Status {
        /// For whom to print (JSON: docs/scan.md).
        #[arg(long, value_enum, default_value_t)]
        format: Shape,

        /// As `--format json`: what it was called before.
        #[arg(long, hide = true, conflicts_with = "format")]
        json: bool,
    },
}

/// Carries out `vulnerabilities`.
pub(crate) fn run(args: &VulnerabilitiesArgs) -> Exit {
    let (done, fault) = match &args.command {
        Command::Import { files } => (import(files), Exit::BadInput),
        Command::Status { format, json } => (status(*json || *format == Shape::Json), Exit::EngineFault),
    };
    match done {
        Ok(exit) => exit,
        Err(message) => {
            output::complain(&format!("error: {message}"));
            fault
        }
    }
}

fn import(files: &[PathBuf]) -> Result<Exit, String> {
    let found = advisories::read(files)?;
    for why in &found.why {
        output::complain(&format!("warning: not taken in: {why}"));
    }
    let unnamed = found.refused.saturating_sub(found.why.len() as u64);
    if unnamed > 0 {
        output::complain(&format!("warning: and {} that cannot be read", of(unnamed, "more record")));
    }
    if found.builder.read().records == 0 {
        return Err("no record could be read; the database is as it was".into());
    }
    let (refused, bases) = (found.refused, found.builder.bases());
    let read = advisories::keep(found.builder, &settings::now().to_string())?;
    let names: Vec<&str> = bases.iter().map(String::as_str).collect();
    let names = if names.is_empty() { "no ecosystem that is known here".to_owned() } else { names.join(", ") };
    let advisories =
        if read.advisories == 1 { "1 advisory".to_owned() } else { format!("{} advisories", read.advisories) };
    output::print(&format!("{}, {} for packages of {names}\n", of(read.records, "record"), advisories));
    Ok(if refused == 0 { Exit::Success } else { Exit::WorkFailed })
}

/// So many of what it names.
fn of(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// What is known of one ecosystem, all its releases together.
#[derive(Default)]
struct Known {
    releases: Vec<String>,
    advisories: u64,
    newest: String,
    imported: String,
}

fn status(as_json: bool) -> Result<Exit, String> {
    let Some(database) = advisories::open()? else {
        if as_json {
            output::print("{\"ecosystems\":[]}\n");
        } else {
            output::print(
                "Nothing is imported yet: `lineclear vulnerabilities import FILE…` (docs/scan.md says where to get the files)\n",
            );
        }
        return Ok(Exit::Success);
    };
    let mut all: BTreeMap<&str, Known> = BTreeMap::new();
    for (ecosystem, about) in database.ecosystems() {
        let known = all.entry(base(ecosystem)).or_default();
        known.releases.extend(ecosystem.split_once(':').map(|(_, release)| release.to_owned()));
        known.advisories += about.advisories;
        known.newest = known.newest.clone().max(about.newest.clone());
        known.imported = known.imported.clone().max(about.imported.clone());
    }
    if as_json {
        let list: Vec<_> = all
            .iter()
            .map(|(name, known)| {
                json!({ "ecosystem": name, "releases": known.releases, "advisories": known.advisories, "newest": known.newest, "imported": known.imported })
            })
            .collect();
        output::print(&format!("{:#}\n", json!({ "ecosystems": list })));
        return Ok(Exit::Success);
    }
    let now = settings::now();
    let mut text = format!("{:<14} {:>10}  {:<20} {:<16} releases\n", "ecosystem", "advisories", "newest", "imported");
    for (name, known) in &all {
        let _ = writeln!(
            text,
            "{name:<14} {:>10}  {:<20} {:<16} {}",
            known.advisories,
            known.newest.get(..19).unwrap_or(&known.newest),
            millis(&known.imported).map_or_else(|| known.imported.clone(), |at| age(at, now)),
            known.releases.join(", ")
        );
    }
    let oldest = all.values().filter_map(|known| millis(&known.imported)).min();
    if let Some(oldest) = oldest.filter(|oldest| is_stale(*oldest, now)) {
        let _ = writeln!(
            text,
            "\nThe oldest part was imported {}: newer vulnerabilities are not found. Import again.",
            age(oldest, now)
        );
    }
    output::print(&text);
    Ok(Exit::Success)
}

pub(crate) fn is_stale(imported: Timestamp, now: Timestamp) -> bool {
    now.millis_since(imported) > STALE_DAYS.unsigned_abs() * 86_400_000
}

/// A time that this program wrote.
pub(crate) fn millis(time: &str) -> Option<Timestamp> {
    time.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()))
}
