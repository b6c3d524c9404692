//! Submodules.

use std::path::Path;

use lineclear_runner::native::{Call, NativeError};

use super::files::{end_group, group, is_repository, make_empty};
use super::git::Git;
use super::settings::{Settings, Submodules};

/// How deep submodules may lie in submodules.
const DEEPEST: u32 = 32;

/// A submodule as `.gitmodules` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Submodule {
    name: String,
    path: String,
}

/// Makes the submodules of a copied working tree those that the inputs ask for: the copy brought what the user has of them.
///
/// # Errors
/// One that the user does not have cannot be fetched.
pub(super) fn complete(
    call: &mut Call<'_>,
    settings: &Settings,
    git: &Git<'_>,
    source: &Path,
) -> Result<(), NativeError> {
    walk(call, settings, git, Some(source), Keep::WhatIsThere, 0)
}

/// Checks the submodules out at the commits that the commit names.
///
/// # Errors
/// One of them cannot be fetched.
pub(super) fn check_out(
    call: &mut Call<'_>,
    settings: &Settings,
    git: &Git<'_>,
    source: Option<&Path>,
) -> Result<(), NativeError> {
    walk(call, settings, git, source, Keep::Nothing, 0)
}

/// What becomes of submodules that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// They stay as the user has them.
    WhatIsThere,
    /// They get the commit that is named.
    Nothing,
}

fn walk(
    call: &mut Call<'_>,
    settings: &Settings,
    git: &Git<'_>,
    source: Option<&Path>,
    keep: Keep,
    depth: u32,
) -> Result<(), NativeError> {
    let folder = git.folder();
    let all = list(call, git);
    let is_wanted = match settings.submodules {
        Submodules::No => false,
        Submodules::Direct => depth == 0,
        Submodules::Recursive => depth < DEEPEST,
    };
    if !is_wanted {
        // Empty folders, as without fetching them: a workflow that needs them and does not ask for them fails here too.
        for submodule in all.iter().filter(|submodule| is_repository(&folder.join(&submodule.path))) {
            make_empty(&folder.join(&submodule.path))?;
        }
        return Ok(());
    }
    let is_there = |submodule: &&Submodule| is_repository(&folder.join(&submodule.path));
    let new: Vec<&Submodule> = all.iter().filter(|submodule| keep == Keep::Nothing || !is_there(submodule)).collect();
    if !new.is_empty() {
        group(call, "Fetching submodules");
        fetch(call, settings, git, source, &new)?;
        end_group(call);
    }
    for submodule in &all {
        let (inner, inner_source) = (folder.join(&submodule.path), source.map(|source| source.join(&submodule.path)));
        if is_repository(&inner) {
            if keep == Keep::Nothing {
                git.in_folder(&inner).ask(call, &["clean", "-ffdxq"])?;
            }
            walk(call, settings, &git.in_folder(&inner), inner_source.as_deref(), keep, depth + 1)?;
        }
    }
    Ok(())
}

fn fetch(
    call: &mut Call<'_>,
    settings: &Settings,
    git: &Git<'_>,
    source: Option<&Path>,
    submodules: &[&Submodule],
) -> Result<(), NativeError> {
    let paths: Vec<&str> = submodules.iter().map(|submodule| submodule.path.as_str()).collect();
    let with_paths = |args: &[&'static str]| -> Vec<String> {
        args.iter().chain(&["--"]).chain(&paths).map(|arg| (*arg).to_owned()).collect()
    };
    let ask =
        |call: &mut Call<'_>, args: Vec<String>| git.ask(call, &args.iter().map(String::as_str).collect::<Vec<_>>());
    ask(call, with_paths(&["submodule", "--quiet", "init"]))?;
    for submodule in submodules {
        // What the user has on this machine need not come over the network.
        if let Some(place) = source.map(|source| source.join(&submodule.path)).filter(|place| is_repository(place)) {
            git.ask(call, &["config", &format!("submodule.{}.url", submodule.name), &place.to_string_lossy()])?;
        }
    }
    let local = git.clone().with_setting("protocol.file.allow", "always");
    let depth = settings.depth.map(|depth| format!("--depth={depth}"));
    let args: Vec<&str> = ["submodule", "update", "--init", "--force"]
        .into_iter()
        .chain(depth.as_deref())
        .chain(["--"])
        .chain(paths.iter().copied())
        .collect();
    let result = local.run(call, &args);
    // Addresses as `.gitmodules` has them, also in the submodules themselves.
    ask(call, with_paths(&["submodule", "--quiet", "sync"]))?;
    result
}

fn list(call: &mut Call<'_>, git: &Git<'_>) -> Vec<Submodule> {
    if !git.folder().join(".gitmodules").is_file() {
        return Vec::new();
    }
    let args = ["config", "--file", ".gitmodules", "--null", "--get-regexp", r"^submodule\..*\.path$"];
    parse(&git.ask(call, &args).unwrap_or_default())
}

/// Reads `submodule.<name>.path\n<path>\0`. Paths that lead out are left out: git refuses them too.
fn parse(listed: &str) -> Vec<Submodule> {
    let entries = listed.split('\0').filter_map(|entry| entry.split_once('\n'));
    let named = entries.filter_map(|(key, path)| {
        let name = key.strip_prefix("submodule.")?.strip_suffix(".path")?;
        let is_inside = !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"));
        is_inside.then(|| Submodule { name: name.to_owned(), path: path.to_owned() })
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submodules_are_listed_with_names_of_any_kind_and_paths_inside() {
        let listed = "submodule.a.b.path\nlib/a b\0submodule.x.path\n../x\0submodule.y.path\n/etc\0";
        assert_eq!(parse(listed), [Submodule { name: "a.b".into(), path: "lib/a b".into() }]);
    }
}
