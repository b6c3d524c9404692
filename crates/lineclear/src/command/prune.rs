//! `lineclear prune`: removes old runs, expired artifacts and unused caches.

use clap::Args;
use lineclear_store::{Limits, StoreError, Upkeep, Usage};
use lineclear_store_folder::FolderStore;

use crate::exit::Exit;
use crate::output;
use crate::settings::{self, now};

/// Arguments of `prune`.
#[derive(Debug, Args)]
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

    /// Only say what is kept now.
    #[arg(long)]
    dry_run: bool,
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
    match FolderStore::open(home).and_then(|store| prune(&store, args)) {
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

fn prune(store: &FolderStore, args: &PruneArgs) -> Result<String, StoreError> {
    if args.dry_run {
        return Ok(format!("kept in {}: {}\n", store.root().display(), in_words(&store.usage()?)));
    }
    let limits = Limits {
        run_days: args.older_than,
        runs_per_repository: args.keep_runs,
        cache_unused_days: args.unused_caches,
        ..Limits::default()
    };
    let report = store.prune(now(), &limits)?;
    let mut text = format!(
        "removed {} runs, {} artifacts and {} caches, {} freed\n",
        report.runs,
        report.artifacts,
        report.caches,
        size(report.freed)
    );
    if report.busy {
        text.push_str("their contents go with the next prune: a run is using the store now\n");
    }
    text.push_str(&format!("kept in {}: {}\n", store.root().display(), in_words(&store.usage()?)));
    Ok(text)
}

fn in_words(usage: &Usage) -> String {
    format!(
        "{} runs ({}), {} artifacts ({}), {} caches ({}); contents take {} on the disk",
        usage.runs,
        size(usage.run_bytes),
        usage.artifacts,
        size(usage.artifact_bytes),
        usage.caches,
        size(usage.cache_bytes),
        size(usage.stored_bytes)
    )
}

/// `512 B`, `1.4 KiB`, `3.0 GiB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Shown with one decimal: what a double cannot hold exactly is far behind it.
    #[expect(clippy::cast_precision_loss, reason = "only one decimal is shown")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let shown: Vec<String> = [0, 1023, 1024, 1_500_000, 3 << 30].into_iter().map(size).collect();
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.4 MiB", "3.0 GiB"]);
    }
}
