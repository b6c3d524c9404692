//! Finding a tool among all the places where this machine may have it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lineclear_runner::native::{Call, NativeError, RunOptions};
use semver::Version;

use super::version::{Wanted, read_version};

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
    /// Programs to be found on the PATH and asked for their version.
    pub(crate) on_path: Vec<String>,
    /// The argument that makes the program print its version.
    pub(crate) version_argument: &'static str,
    /// How to get a version that is missing.
    pub(crate) how_to_get: String,
}

/// Finds the newest installation that fits.
///
/// # Errors
/// None fits: the message lists what there is, and says how to get what is missing.
pub(crate) fn find(call: &mut Call<'_>, search: &Search, wanted: &Wanted) -> Result<Installation, NativeError> {
    let found = installations(call, search);
    // Of equal versions the first place wins: the tool cache before the PATH.
    let best = found.iter().rev().filter(|one| wanted.matches(&one.version)).max_by(|a, b| a.version.cmp(&b.version));
    best.cloned().ok_or_else(|| {
        let tool = search.tool;
        let mut there: BTreeMap<&Version, &'static str> = BTreeMap::new();
        found.iter().for_each(|one| {
            there.entry(&one.version).or_insert(one.source);
        });
        let there: Vec<String> = there.iter().map(|(version, source)| format!("{version} ({source})")).collect();
        let there = match there.as_slice() {
            [] => format!("this machine has no {tool} at all"),
            some => format!("this machine has {}", some.join(", ")),
        };
        NativeError(format!("There is no {tool} that fits `{wanted}`: {there}. {}", search.how_to_get))
    })
}

fn installations(call: &mut Call<'_>, search: &Search) -> Vec<Installation> {
    let mut found = Vec::new();
    for place in &search.folders {
        let Ok(entries) = std::fs::read_dir(&place.folder) else { continue };
        for entry in entries.flatten() {
            let program = entry.path().join(place.program);
            let name = entry.file_name();
            let version = name.to_str().filter(|name| !name.contains("..")).and_then(read_version);
            if let (Some(version), true) = (version, program.is_file()) {
                found.push(Installation { version, program, source: place.source });
            }
        }
    }
    for name in &search.on_path {
        let Some(program) = on_path(&call.env, name) else { continue };
        let options = RunOptions { quiet: true, ..RunOptions::default() };
        // A program that cannot say its version, such as a shim without one behind it, is none.
        let Ok(said) = call.effects.capture(&program.to_string_lossy(), &[search.version_argument], options) else {
            continue;
        };
        if let Some(version) = read_version(&said) {
            found.push(Installation { version, program, source: "PATH" });
        }
    }
    found
}

/// The program `name` on the PATH of the job.
pub(crate) fn on_path(env: &BTreeMap<String, String>, name: &str) -> Option<PathBuf> {
    let path = env.get("PATH")?;
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// A folder below the user's home, or where a variable says.
pub(crate) fn home_folder(call: &Call<'_>, variable: &str, default: &str) -> PathBuf {
    match call.env.get(variable) {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => PathBuf::from(call.env.get("HOME").map_or("/nonexistent", String::as_str)).join(default),
    }
}

/// The version that a file of the repository asks for, such as `.python-version`, `.nvmrc`, `.tool-versions`, `go.mod`.
///
/// # Errors
/// The file is not there, or names no version of `tools`.
pub(crate) fn from_file(call: &Call<'_>, file: &str, tools: &[&str]) -> Result<String, NativeError> {
    let path = call.resolve(file);
    let wrong = |why: String| NativeError(format!("The specified version file `{file}` {why}"));
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '/']));
    let version = match name.as_str() {
        ".tool-versions" => lines().find_map(|line| {
            let (tool, version) = line.split_once(char::is_whitespace)?;
            tools.contains(&tool).then(|| version.split_whitespace().next().unwrap_or_default().to_owned())
        }),
        "go.mod" | "go.work" => ["toolchain go", "go "]
            .iter()
            .find_map(|start| lines().find_map(|line| line.strip_prefix(start)))
            .map(str::to_owned),
        "package.json" => from_package_json(&text, tools),
        _ if name.ends_with(".toml") => lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            let is_key = ["requires-python", "python", "python_version", "channel"].contains(&key.trim());
            is_key.then(|| value.trim().trim_matches(['"', '\'']).to_owned())
        }),
        _ => lines().next().map(|line| line.trim_start_matches("python-").to_owned()),
    };
    version
        .filter(|version| !version.is_empty())
        .ok_or_else(|| wrong(format!("names no version of {}", tools.join(" or "))))
}

fn from_package_json(text: &str, tools: &[&str]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    ["volta", "engines"]
        .iter()
        .find_map(|section| tools.iter().find_map(|tool| json[*section][*tool].as_str().map(str::to_owned)))
}

/// The folder that holds a program.
pub(crate) fn folder_of(program: &Path) -> &Path {
    program.parent().unwrap_or(program)
}
