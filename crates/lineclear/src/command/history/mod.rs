//! The commands that look back at runs: what there was, what happened, why, and what changed. `docs/history.md` is their manual.

pub(crate) mod artifacts;
pub(crate) mod cache;
mod cache_why;
pub(crate) mod diff;
pub(crate) mod flakes;
mod heading;
pub(crate) mod logs;
mod page;
pub(crate) mod replay;
pub(crate) mod runs;
mod search;
pub(crate) mod why;

use clap::ValueEnum;
use lineclear_source::Style;
use serde::Serialize;

use crate::history::{History, Scope};
use crate::{output, settings};

/// For whom a command prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// For people.
    #[default]
    Text,
    /// For programs: documented keys.
    Json,
}

/// The last run of this repository on one line, if there was any. Makes no folder, and a store that cannot be read is no news here.
pub(crate) fn last_run(style: Style) -> Option<String> {
    settings::home().ok().filter(|home| home.is_dir())?;
    let history = History::open(&Scope::default()).ok()?;
    let run = history.runs(1).ok()?.pop()?;
    Some(heading::heading(&history, &run, style))
}

/// Prints one JSON document.
fn print_json(document: &impl Serialize) {
    // Plain data always has a JSON form.
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    output::print(&format!("{text}\n"));
}
