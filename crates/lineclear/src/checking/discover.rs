//! Which files are meant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lineclear_check::FileKind;
use lineclear_workflow::FilterPattern;

use super::files::listed;

/// One file to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What messages call it: its path from the repository's root, or as it was named.
    pub(crate) shown: String,
    pub(crate) kind: FileKind,
    /// The root of the repository that it belongs to, from the root of this one; empty for this one.
    pub(crate) repository: String,
}

/// All files that are meant.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) inputs: Vec<Input>,
    /// Whether folders were meant, so that what several files say together can be judged.
    pub(crate) is_whole: bool,
    /// Files that were named and of which nothing is known.
    pub(crate) unknown: Vec<String>,
}

/// The files that `paths` name: files, folders, and patterns such as `services/**/Dockerfile`; without any, those of the repository.
///
/// # Errors
/// A sentence: a path that is not there, a folder that cannot be read, a pattern that fits nothing.
pub(crate) fn discover(root: &Path, here: &Path, paths: &[PathBuf]) -> Result<Named, String> {
    let mut named = Named::default();
    let mut seen = BTreeSet::new();
    if paths.is_empty() {
        named.is_whole = true;
        folder(root, root, &mut seen, &mut named);
    }
    for path in paths {
        let place = here.join(path);
        if place.is_dir() {
            named.is_whole = true;
            folder(root, &place, &mut seen, &mut named);
        } else if place.exists() {
            if !place.is_file() {
                return Err(format!("`{}` is neither a file nor a folder", path.display()));
            }
            // What is named is meant, whatever it is called.
            let shown = shown(root, &place);
            match FileKind::of(&shown).or_else(|| by_content(&place, &shown)) {
                Some(kind) => {
                    named.is_whole |= kind == FileKind::Policy;
                    add(place, shown, kind, &mut seen, &mut named);
                }
                None => named.unknown.push(shown),
            }
        } else {
            pattern(root, here, path, &mut seen, &mut named)?;
        }
    }
    Ok(named)
}

fn add(path: PathBuf, shown: String, kind: FileKind, seen: &mut BTreeSet<String>, named: &mut Named) {
    if seen.insert(shown.clone()) {
        let repository = repository_of(&shown).to_owned();
        named.inputs.push(Input { path, shown, kind, repository });
    }
}

fn folder(root: &Path, place: &Path, seen: &mut BTreeSet<String>, named: &mut Named) {
    for name in listed(place) {
        if let Some(kind) = FileKind::of(&name).or_else(|| within_workflows(place, &name)) {
            let path = place.join(&name);
            let shown = shown(root, &path);
            add(path, shown, kind, seen, named);
        }
    }
}

/// A folder that is itself one of workflows has files whose own names do not tell.
fn within_workflows(place: &Path, name: &str) -> Option<FileKind> {
    let whole = place.join(name);
    FileKind::of(&whole.to_string_lossy().replace('\\', "/")).filter(|kind| *kind == FileKind::Workflow)
}

fn pattern(
    root: &Path,
    here: &Path,
    path: &Path,
    seen: &mut BTreeSet<String>,
    named: &mut Named,
) -> Result<(), String> {
    let text = path.to_string_lossy().replace('\\', "/");
    let text = text.trim_start_matches("./");
    let missing = || format!("there is no file or folder `{}`", path.display());
    if !text.contains(['*', '?', '[']) {
        return Err(missing());
    }
    let pattern = FilterPattern::parse(text).map_err(|error| format!("`{text}` is no pattern: {error}"))?;
    let before = named.inputs.len();
    for name in listed(here).into_iter().filter(|name| pattern.matches(name)) {
        let place = here.join(&name);
        let shown = shown(root, &place);
        if let Some(kind) = FileKind::of(&shown).or_else(|| by_content(&place, &shown)) {
            add(place, shown, kind, seen, named);
        }
    }
    if named.inputs.len() == before { Err(format!("no file fits `{text}`")) } else { Ok(()) }
}

fn is_yaml(name: &str) -> bool {
    name.ends_with(".yml") || name.ends_with(".yaml")
}

/// A file whose name says nothing, by its keys. A YAML file without any is a workflow, unless it lies among a forge's other files.
fn by_content(path: &Path, shown: &str) -> Option<FileKind> {
    let text = std::fs::read(path).unwrap_or_default();
    let has_line = |key: &[u8]| {
        text.starts_with(key) || text.windows(key.len() + 1).any(|part| part[0] == b'\n' && &part[1..] == key)
    };
    let of_forge =
        [".github/", ".gitea/", ".forgejo/"].iter().any(|folder| format!("/{shown}").contains(&format!("/{folder}")));
    match () {
        () if !is_yaml(shown) => has_line(b"FROM ").then_some(FileKind::Dockerfile),
        () if has_line(b"jobs:") => Some(FileKind::Workflow),
        () if has_line(b"runs:") => Some(FileKind::Action),
        () if has_line(b"services:") => Some(FileKind::Compose),
        () => (!of_forge).then_some(FileKind::Workflow),
    }
}

/// The path from the root, with forward slashes; a file outside keeps the path it was named by.
fn shown(root: &Path, path: &Path) -> String {
    let name = match path.strip_prefix(root) {
        Ok(name) => name.to_path_buf(),
        Err(_) => {
            let absolute = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
            absolute(path).strip_prefix(absolute(root)).map_or_else(|_| path.to_path_buf(), Path::to_path_buf)
        }
    };
    let mut parts: Vec<String> = Vec::new();
    for part in name.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if parts.last().is_some_and(|last| last != "..") => drop(parts.pop()),
            std::path::Component::RootDir => parts.push(String::new()),
            other => parts.push(other.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

/// The root of the repository that a file belongs to: what is before its forge's folder.
fn repository_of(shown: &str) -> &str {
    let before = [".github/", ".gitea/", ".forgejo/"].iter().filter_map(|folder| shown.rfind(folder));
    let at = before.filter(|&at| at == 0 || shown.as_bytes()[at - 1] == b'/').max().unwrap_or(0);
    shown[..at].trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_the_repository_around_its_forges_folder() {
        assert_eq!(repository_of(".github/workflows/a.yml"), "");
        assert_eq!(repository_of("one/two/.github/workflows/a.yml"), "one/two");
        assert_eq!(repository_of("one/.gitea/workflows/a.yml"), "one");
        assert_eq!(repository_of("one/Dockerfile"), "");
        assert_eq!(repository_of("x.github/workflows/a.yml"), "");
    }

    #[test]
    fn paths_are_shown_from_the_root() {
        let root = Path::new("/repo");
        assert_eq!(shown(root, Path::new("/repo/./a/../b/c.yml")), "b/c.yml");
        assert_eq!(shown(root, Path::new("/elsewhere/c.yml")), "/elsewhere/c.yml");
    }
}
