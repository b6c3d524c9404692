//! `lineclear prune`: removes old runs, expired artifacts, unused caches and images without a tag.

use clap::Args;
use lineclear_store::{Limits, StoreError, Upkeep, Usage};
use lineclear_store_folder::FolderStore;

use super::history::Shape;
use crate::exit::Exit;
use crate::history::words::size;
use crate::output;
use crate::session::registry::untagged_days;
use crate::settings::{self, now};

const EXAMPLES: &str = "\
Examples:
  lineclear prune --dry-run              what would go, and what is kept
  lineclear prune                        what is older than the limits goes
  lineclear prune --older-than 14 --keep-runs 200 --unused-caches 3

Also goes what expired: artifacts by their own retention, uploads that nobody ended within a day, and contents that nothing refers to
any more. A run that is going on stays whole, and ledgers stay for ever.";

/// Arguments of `prune`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PruneArgs {
    /// Remove runs that are older than this many days.
    #[arg(long, value_name = "DAYS", default_value_t = Limits::default().run_days)]
    older_than: u32,

    /// Keep at most this many runs of each repository, the newest.
    #[arg(long, value_name = "N", default_value_t = Limits::default().runs_per_repository)]
    keep_runs: usize,

    /// Remove caches that no run has used for this many days.
    #[arg(long, value_name = "DAYS", default_value_t = Limits::default().cache_unused_days)]
    unused_caches: u32,

    /// Remove images that no tag has led to for this many days. [default: `untagged-days` of lineclear.toml, or 30]
    #[arg(long, value_name = "DAYS")]
    untagged_images: Option<u32>,

    /// Only say what would be removed, and what is kept now.
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Carries out `prune`.
pub(crate) fn run(args: &PruneArgs) -> Exit {
    let home = match settings::home() {
        Ok(home) => home,
        Err(message) => {
            output::complain(&format!("error: {message}"));
            return Exit::BadInput;
        }
    };
    let untagged = match untagged_days(args.untagged_images) {
        Ok(days) => days,
        Err(exit) => return exit,
    };
    match FolderStore::open(home).and_then(|store| prune(&store, args, untagged)) {
        Ok(text) => {
            output::print(&text);
            Exit::Success
        }
        Err(error) => {
            output::complain_of(&error);
            Exit::EngineFault
        }
    }
}

fn prune(store: &FolderStore, args: &PruneArgs, untagged: u32) -> Result<String, StoreError> {
    let limits = Limits {
        run_days: args.older_than,
        runs_per_repository: args.keep_runs,
        cache_unused_days: args.unused_caches,
        untagged_image_days: untagged,
        ..Limits::default()
    };
    let report = if args.dry_run { store.foresee(now(), &limits)? } else { store.prune(now(), &limits)? };
    let usage = store.usage()?;
    if args.format == Shape::Json {
        let document = serde_json::json!({ "dry_run": args.dry_run, "removed": report, "kept": usage });
        // Plain data always has a JSON form.
        return Ok(serde_json::to_string_pretty(&document).unwrap_or_default() + "\n");
    }
    let uploads = match report.uploads {
        0 => String::new(),
        uploads => format!(" and {}", number(uploads, "upload that nobody ended", "uploads that nobody ended")),
    };
    let images = match report.images {
        0 => String::new(),
        images => format!(", {}", number(images, "image", "images")),
    };
    let mut text = format!(
        "{} {}, {}, {}{images}{uploads}: {} {}\n",
        if args.dry_run { "would remove" } else { "removed" },
        number(report.runs, "run", "runs"),
        number(report.artifacts, "artifact", "artifacts"),
        number(report.caches, "cache", "caches"),
        size(report.freed),
        if args.dry_run { "would be freed" } else { "freed" },
    );
    if report.busy {
        text.push_str("their contents go with the next prune: a run is using the store now\n");
    }
    text.push_str(&format!("kept in {}: {}\n", store.root().display(), in_words(&usage)));
    Ok(text)
}

fn number(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn in_words(usage: &Usage) -> String {
    let uploads = match usage.uploads {
        0 => String::new(),
        uploads => format!(", {} ({})", number(uploads, "upload", "uploads"), size(usage.upload_bytes)),
    };
    let images = match usage.images {
        0 => String::new(),
        images => format!(", {} ({})", number(images, "image", "images"), size(usage.image_bytes)),
    };
    let ledgers = match usage.ledgers {
        0 => String::new(),
        ledgers => format!(", {} ({})", number(ledgers, "ledger", "ledgers"), size(usage.ledger_bytes)),
    };
    format!(
        "{} ({}), {} ({}), {} ({}){images}{uploads}{ledgers}; contents take {} on the disk",
        number(usage.runs, "run", "runs"),
        size(usage.run_bytes),
        number(usage.artifacts, "artifact", "artifacts"),
        size(usage.artifact_bytes),
        number(usage.caches, "cache", "caches"),
        size(usage.cache_bytes),
        size(usage.stored_bytes)
    )
}
