//! Finding a tool among all the places where this machine may have it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lineclear_event::{Fact, UsedKind};
use lineclear_runner::native::{Call, NativeError, RunOptions};
use semver::Version;

use super::version::{Prereleases, Wanted, read_version};

/// One installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installation {
    pub(crate) version: Version,
    /// The program itself.
    pub(crate) program: PathBuf,
    /// Where it was found, for people: "tool cache", "PATH", "pyenv".
    pub(crate) source: &'static str,
}

/// A place that holds a folder for each version.
#[derive(Clone, Debug)]
pub(crate) struct VersionsFolder {
    pub(crate) source: &'static str,
    pub(crate) folder: PathBuf,
    /// The program, from the folder of a version.
    pub(crate) program: &'static str,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// How messages call it: "Python".
    pub(crate) tool: &'static str,
    pub(crate) folders: Vec<VersionsFolder>,
    /// A file in the folder of a version that tells the version better than the folder's name, and what stands before it there.
    pub(crate) version_file: Option<(&'static str, &'static str)>,
    /// Programs to be found on the PATH and asked for their version, if no folder has one that fits.
    pub(crate) on_path: Vec<String>,
    /// The argument that makes the program print its version.
    pub(crate) version_argument: &'static str,
    /// How to get a version that is missing.
    pub(crate) how_to_get: String,
}

/// Finds the newest installation that fits: one in a folder of versions, or else one on the PATH.
///
/// # Errors
/// None fits: the message lists what there is, and says how to get what is missing.
pub(crate) fn find(
    call: &mut Call<'_>,
    search: &Search,
    wanted: &Wanted,
    prereleases: Prereleases,
) -> Result<Installation, NativeError> {
    let mut found = in_folders(search);
    if let Some(best) = best(&found, wanted, prereleases) {
        return Ok(best);
    }
    found.extend(on_path_of(call, search));
    best(&found, wanted, prereleases).ok_or_else(|| {
        let tool = search.tool;
        let mut there: BTreeMap<&Version, &'static str> = BTreeMap::new();
        for one in &found {
            there.entry(&one.version).or_insert(one.source);
        }
        let there: Vec<String> = there.iter().map(|(version, source)| format!("{version} ({source})")).collect();
        let there = match there.as_slice() {
            [] => format!("this machine has no {tool} at all"),
            some => format!("this machine has {}", some.join(", ")),
        };
        NativeError(format!("There is no {tool} that fits `{wanted}`: {there}. {}", search.how_to_get))
    })
}

fn best(found: &[Installation], wanted: &Wanted, prereleases: Prereleases) -> Option<Installation> {
    let newest = |fits: &dyn Fn(&Version) -> bool| {
        // Of equal versions the first place wins.
        found.iter().rev().filter(|one| fits(&one.version)).max_by(|a, b| a.version.cmp(&b.version)).cloned()
    };
    newest(&|version| wanted.matches(version))
        .or_else(|| newest(&|version| prereleases == Prereleases::IfNeeded && wanted.matches_before_release(version)))
}

/// The installations in folders of versions, in the order of the places.
pub(crate) fn in_folders(search: &Search) -> Vec<Installation> {
    let mut found = Vec::new();
    for place in &search.folders {
        let Ok(entries) = std::fs::read_dir(&place.folder) else { continue };
        for entry in entries.flatten() {
            let program = entry.path().join(place.program);
            if !program.is_file() {
                continue;
            }
            let told = search.version_file.and_then(|(file, before)| version_in(&entry.path().join(file), before));
            let named = || entry.file_name().to_str().and_then(read_version);
            if let Some(version) = told.or_else(named) {
                found.push(Installation { version, program, source: place.source });
            }
        }
    }
    found
}

fn version_in(file: &Path, before: &str) -> Option<Version> {
    let text = std::fs::read_to_string(file).ok()?;
    read_version(text.lines().find_map(|line| line.strip_prefix(before))?)
}

fn on_path_of(call: &mut Call<'_>, search: &Search) -> Vec<Installation> {
    let mut found: Vec<Installation> = Vec::new();
    let elsewhere = call.room.layout().temp.clone();
    for name in &search.on_path {
        let Some(program) = on_path(&call.env, name) else { continue };
        // Not in the workspace, and with what is there only: some tools choose or fetch a version by the folder they are in.
        let env = [("GOTOOLCHAIN", "local")];
        let options = RunOptions { quiet: true, folder: Some(&elsewhere), env: &env };
        let said = call.effects.capture(&program.to_string_lossy(), &[search.version_argument], options);
        if let Some(version) = said.ok().as_deref().and_then(read_version) {
            found.push(Installation { version, program, source: "PATH" });
        }
    }
    found
}

/// The program `name` on the PATH of the job. Shims are passed over: what is behind them is found in its own folder, and some
/// have nothing behind them.
pub(crate) fn on_path(env: &BTreeMap<String, String>, name: &str) -> Option<PathBuf> {
    let is_shim = |folder: &PathBuf| folder.file_name().is_some_and(|name| name == "shims");
    let folders = std::env::split_paths(env.get("PATH")?).filter(|folder| !is_shim(folder)).collect::<Vec<_>>();
    folders.into_iter().map(|folder| folder.join(name)).find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// A folder below the user's home, or where a variable says.
pub(crate) fn home_folder(call: &Call<'_>, variable: &str, default: &str) -> PathBuf {
    match call.env.get(variable) {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => PathBuf::from(call.env.get("HOME").map_or("/nonexistent", String::as_str)).join(default),
    }
}

/// Tells the run's record which version of a tool was chosen.
pub(crate) fn used(call: &mut Call<'_>, name: &str, version: &str) {
    let (name, version) = (name.to_owned(), version.to_owned());
    call.effects.fact(Fact::Used { kind: UsedKind::Tool, name, version });
}

/// The folder that holds a program.
pub(crate) fn folder_of(program: &Path) -> &Path {
    program.parent().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation(version: &str, source: &'static str) -> Installation {
        Installation { version: Version::parse(version).expect("a version"), program: PathBuf::new(), source }
    }

    #[test]
    fn the_newest_that_fits_wins_and_of_equals_the_first_place() {
        let found = [
            installation("3.12.1", "tool cache"),
            installation("3.12.1", "pyenv"),
            installation("3.13.0-rc.1", "pyenv"),
        ];
        let chosen = |text: &str, prereleases| {
            best(&found, &Wanted::parse(text).expect("a version"), prereleases)
                .map(|one| (one.version.to_string(), one.source))
        };
        assert_eq!(chosen("3.x", Prereleases::Never), Some(("3.12.1".into(), "tool cache")));
        assert_eq!(chosen("3.13", Prereleases::Never), None);
        assert_eq!(chosen("3.13", Prereleases::IfNeeded), Some(("3.13.0-rc.1".into(), "pyenv")));
        assert_eq!(chosen(">=3.12", Prereleases::IfNeeded), Some(("3.12.1".into(), "tool cache")));
    }
}
