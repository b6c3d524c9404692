//! Filters on names and on changed paths.

use lineclear_event::Changed;
use lineclear_workflow::{PatternSet, Patterns};

use super::{Happened, MAX_FILES, Why};

/// Most patterns that a reason lists.
const MAX_LISTED: usize = 4;

/// Whether a filter lets `name` pass; `what` says what the name is: `branch`, `tag`, `base branch`.
pub(super) fn name(patterns: &Patterns, what: &str, name: &str) -> Why {
    let (set, _) = PatternSet::new(patterns);
    let decided = set.decide(name);
    let pattern = decided.and_then(|(_, index)| patterns.list.get(index)).map(|pattern| pattern.value.as_str());
    match (patterns.ignore, decided, pattern) {
        (false, Some((true, _)), Some(pattern)) => Ok(format!("{what} `{name}` matches `{pattern}`")),
        (false, Some((false, _)), Some(pattern)) => Err(format!("{what} `{name}` is excluded by `{pattern}`")),
        (true, Some((true, _)), Some(pattern)) => Err(format!("{what} `{name}` is ignored by `{pattern}`")),
        (true, ..) => Ok(format!("{what} `{name}` is not ignored by {}", list(patterns))),
        (false, ..) => Err(format!("{what} `{name}` does not match {}", list(patterns))),
    }
}

/// Whether a filter lets any of the changed files pass.
pub(super) fn paths(patterns: &Patterns, happened: &Happened<'_>) -> Why {
    let (paths, compared_with) = match &happened.event.changed {
        Changed::Files { paths, compared_with } => (paths, compared_with),
        Changed::Unknown { reason } => {
            return Ok(format!("paths: what changed is not known ({reason}), so path filters let it through"));
        }
    };
    let (set, _) = PatternSet::new(patterns);
    let key = if patterns.ignore { "paths-ignore" } else { "paths" };
    let changed = match paths.len() {
        0 => return Err(format!("{key}: no file changed {compared_with}")),
        count if count > MAX_FILES => {
            format!("{} changed {compared_with}, of which the first {MAX_FILES} count, as on GitHub", count_of(count))
        }
        count => format!("{} changed {compared_with}", count_of(count)),
    };
    let Some(first) = set.first_included(&happened.names) else {
        return Err(match patterns.ignore {
            true => format!("{key}: everything that changed is ignored by {} ({changed})", list(patterns)),
            false => format!("{key}: nothing under {} changed ({changed})", list(patterns)),
        });
    };
    let pattern = set.decide(first).and_then(|(_, index)| patterns.list.get(index));
    Ok(match pattern {
        Some(pattern) if !patterns.ignore => format!("{key}: `{first}` matches `{}` ({changed})", pattern.value),
        _ => format!("{key}: `{first}` is not ignored ({changed})"),
    })
}

fn list(patterns: &Patterns) -> String {
    let mut text: Vec<_> = patterns.list.iter().take(MAX_LISTED).map(|one| format!("`{}`", one.value)).collect();
    if patterns.list.len() > MAX_LISTED {
        text.push(format!("{} more", patterns.list.len() - MAX_LISTED));
    }
    text.join(", ")
}

/// `1 file`, `3 files`.
pub(crate) fn count_of(files: usize) -> String {
    if files == 1 { "1 file".into() } else { format!("{files} files") }
}
