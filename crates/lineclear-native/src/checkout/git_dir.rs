//! The `.git` of a checkout: history of the depth asked for, the refs that the real action leaves, the remote `origin`.
//!
//! Objects are read from where they are (`lineclear_backend_host::clone_git_dir`), so that no history is ever copied.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use lineclear_backend_host::{GitDirOptions, Refs, clone_git_dir};
use lineclear_event::with_causes;
use lineclear_runner::native::{Call, NativeError};

use super::git::Git;
use super::refs::{Kind, Target};
use super::settings::Settings;

/// Left in the `.git` of what a checkout of this job has made.
const MARK: &str = "lineclear-checkout";

/// Whether a checkout of this job has made what is in the folder.
pub(super) fn is_checked_out(folder: &Path) -> bool {
    folder.join(".git").join(MARK).exists()
}

/// Where the files that are in the folder come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// A copy of the source's working tree: its index fits.
    OfSource,
    /// Not there yet, or others.
    Others,
}

/// Makes the folder's `.git` anew after the repository in `source`.
///
/// # Errors
/// As of `clone_git_dir`.
pub(super) fn make(
    call: &mut Call<'_>,
    settings: &Settings,
    source: &Path,
    target: &Target,
    files: Files,
) -> Result<(), NativeError> {
    let folder = settings.folder.as_path();
    remove(folder)?;
    let has_all = settings.depth.is_none();
    let options = GitDirOptions {
        head: target.head(),
        refs: if has_all { Refs::All } else { Refs::Head },
        tags: has_all || settings.tags,
        depth: settings.depth,
        index: files == Files::OfSource,
    };
    clone_git_dir(source, folder, &options).map_err(|error| NativeError(with_causes(&error)))?;
    finish(folder, &settings.url(), target)?;
    let git = Git::new(folder);
    // The branch as the run has it, and the names that only a checkout gives.
    let name = match &target.kind {
        Kind::Branch(name) => has_all.then(|| format!("refs/remotes/origin/{name}")),
        Kind::Pull(name) => Some(format!("refs/remotes/pull/{name}")),
        Kind::Tag(name) => (!options.tags).then(|| format!("refs/tags/{name}")),
        Kind::Commit => None,
    };
    if let Some(name) = name {
        // An annotated tag is an object of its own.
        let object = match &target.kind {
            Kind::Tag(_) => Git::new(source).ask(call, &["rev-parse", "--verify", "--quiet", &name]).ok(),
            _ => None,
        };
        git.ask(call, &["update-ref", &name, object.as_deref().unwrap_or(&target.commit)])?;
    }
    if has_all {
        publish_branches(call, &git)?;
    }
    Ok(())
}

/// Branches that the user has and has not pushed yet are, for the run, branches of `origin`.
fn publish_branches(call: &mut Call<'_>, git: &Git<'_>) -> Result<(), NativeError> {
    let listed = git.ask(call, &["for-each-ref", "--format=%(refname)", "refs/heads/", "refs/remotes/origin/"])?;
    let has = |name: &str| listed.lines().any(|line| line == name);
    let new = listed.lines().filter_map(|name| name.strip_prefix("refs/heads/"));
    let specs: Vec<String> = new
        .filter(|name| !has(&format!("refs/remotes/origin/{name}")))
        .map(|name| format!("refs/heads/{name}:refs/remotes/origin/{name}"))
        .collect();
    if specs.is_empty() {
        return Ok(());
    }
    let args = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "."];
    let args: Vec<&str> = args.into_iter().chain(specs.iter().map(String::as_str)).collect();
    git.ask(call, &args).map(drop)
}

/// The settings of the remote and the branch, and the mark.
pub(super) fn finish(folder: &Path, url: &str, target: &Target) -> Result<(), NativeError> {
    let path = folder.join(".git/config");
    let wrong = |error: io::Error| NativeError(format!("cannot write `{}`: {error}", path.display()));
    let before = fs::read_to_string(&path).map_err(wrong)?;
    let branch = match &target.kind {
        Kind::Branch(name) => Some(name.as_str()),
        _ => None,
    };
    fs::write(&path, config(&before, url, branch)).map_err(wrong)?;
    fs::write(folder.join(".git").join(MARK), "").map_err(wrong)
}

/// The settings with `origin` and the branch as the real action leaves them. What else is said of `origin` stays, such as that
/// it fills in what a partial clone lacks.
fn config(before: &str, url: &str, branch: Option<&str>) -> String {
    const ORIGIN: &str = "[remote \"origin\"]";
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let branch_header = branch.map(|branch| format!("[branch \"{}\"]", quoted(branch)));
    let (mut text, mut of_origin) = (String::new(), String::new());
    let mut section = "";
    for line in before.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        if branch_header.as_deref() == Some(section) {
            continue;
        }
        if section != ORIGIN {
            text.push_str(line);
            text.push('\n');
        } else if line != ORIGIN && key != "url" && key != "fetch" {
            of_origin.push_str(line);
            of_origin.push('\n');
        }
    }
    text.push_str(&format!(
        "{ORIGIN}\n\turl = \"{}\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n{of_origin}",
        quoted(url)
    ));
    if let (Some(header), Some(branch)) = (branch_header, branch) {
        text.push_str(&format!("{header}\n\tremote = origin\n\tmerge = \"refs/heads/{}\"\n", quoted(branch)));
    }
    text
}

/// Adds a line or several to the folder's settings.
pub(super) fn add_config(folder: &Path, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().append(true).open(folder.join(".git/config"))?.write_all(text.as_bytes())
}

/// Removes the folder's `.git`, if there is one.
fn remove(folder: &Path) -> Result<(), NativeError> {
    let path = folder.join(".git");
    let removed = match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&path),
        Ok(_) => fs::remove_file(&path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(|error| NativeError(format!("cannot remove `{}`: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remote_and_the_branch_are_set_once() {
        let before = "[core]\n\tbare = \"false\"\n[remote \"origin\"]\n\turl = \"git@host:o/r\"\n\tpromisor = true\n[branch \"main\"]\n\tremote = \"up\"\n[branch \"x\"]\n\tremote = \"up\"\n";
        let expected = "[core]\n\tbare = \"false\"\n[branch \"x\"]\n\tremote = \"up\"\n[remote \"origin\"]\n\turl = \"https://h/o/r\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\tpromisor = true\n[branch \"main\"]\n\tremote = origin\n\tmerge = \"refs/heads/main\"\n";
        assert_eq!(config(before, "https://h/o/r", Some("main")), expected);
        assert_eq!(config(expected, "https://h/o/r", Some("main")), expected);
    }
}
