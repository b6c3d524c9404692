//! Where Lineclear keeps its things, and what the environment says.

use std::path::PathBuf;

/// The folder for runs, caches, artifacts and job folders: `LINECLEAR_HOME`, or `lineclear` in the user's data folder.
///
/// # Errors
/// A sentence, when neither `LINECLEAR_HOME`, `XDG_DATA_HOME` nor `HOME` is set.
pub(crate) fn home() -> Result<PathBuf, String> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(home) = variable("LINECLEAR_HOME") {
        return std::path::absolute(&home).map_err(|error| format!("LINECLEAR_HOME is not usable: {error}"));
    }
    variable("XDG_DATA_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        .map(|folder| folder.join("lineclear"))
        .ok_or_else(|| "set LINECLEAR_HOME to a folder for runs and caches: neither it nor HOME is set".to_owned())
}

/// The time now.
pub(crate) fn now() -> lineclear_event::Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // A clock before 1970 counts as 1970: times are for people, nothing is decided by them.
    lineclear_event::Timestamp(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}
