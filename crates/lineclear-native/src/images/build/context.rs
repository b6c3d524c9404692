//! Where a build's files are.

use std::path::{Path, PathBuf};

use lineclear_dockerfile::Dockerfile;
use lineclear_runner::native::{Call, NativeError, RunOptions};
use lineclear_source::Source;

use crate::caching::text;

/// Largest Dockerfile that is looked at.
const LARGEST: u64 = 4 << 20;

/// Where the build's files are, and its Dockerfile.
#[derive(Debug)]
pub(crate) struct Context {
    /// What the builder is given: a folder as the job sees it, or an address.
    pub(crate) given: String,
    /// What the builder is given as Dockerfile; `None`: that of the context.
    pub(crate) file: Option<String>,
    /// How people call the Dockerfile.
    pub(crate) file_name: String,
    /// What is in it, where it can be read here.
    pub(crate) dockerfile: Option<Dockerfile>,
}

/// Finds them.
///
/// The default context is the job's checkout. `temp` is where it is put where the job has none.
///
/// # Errors
/// A folder or Dockerfile that is not there.
pub(crate) fn find(call: &mut Call<'_>, context: &str, file: &str, temp: &Path) -> Result<Context, NativeError> {
    let context = context.trim();
    let (is_default, below) = match context.strip_prefix("{{defaultContext}}") {
        Some(rest) => (true, rest.trim_start_matches(['#', ':'])),
        None => (context.is_empty(), ""),
    };
    if !is_default && is_address(context) {
        let file_name = if file.is_empty() { "Dockerfile" } else { file };
        return Ok(Context {
            given: context.to_owned(),
            file: (!file.is_empty()).then(|| file.to_owned()),
            file_name: file_name.to_owned(),
            dockerfile: None,
        });
    }
    let folder = if is_default { default_folder(call, temp)?.join(below) } else { call.resolve("context", context)? };
    let folder = plain(&folder);
    if !folder.is_dir() {
        let help = if folder.starts_with(call.workspace()) { ": is actions/checkout run before?" } else { "" };
        return Err(NativeError(format!("the context `{context}` is no folder ({}){help}", folder.display())));
    }
    // Of the default context the Dockerfile is a part; of a folder it is a path like any other.
    let path = match file {
        "" => folder.join("Dockerfile"),
        file if is_default => folder.join(file),
        file => call.resolve("file", file)?,
    };
    let folder = call.reached("input `context`", folder)?;
    let path = call.reached("input `file`", plain(&path))?;
    let shown = path.strip_prefix(call.workspace()).unwrap_or(&path).to_string_lossy().into_owned();
    let dockerfile = read(&path).map_err(|error| {
        NativeError(format!(
            "cannot read the Dockerfile `{shown}` ({error}): `file` says where it is, from the workspace on"
        ))
    })?;
    let seen = |path: &Path| call.room.seen(path).to_string_lossy().into_owned();
    Ok(Context { given: seen(&folder), file: Some(seen(&path)), file_name: shown, dockerfile: Some(dockerfile) })
}

/// Without `.` in the middle.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

fn read(path: &Path) -> std::io::Result<Dockerfile> {
    if std::fs::metadata(path)?.len() > LARGEST {
        return Err(std::io::Error::other("it is larger than any Dockerfile"));
    }
    let text = std::fs::read(path)?;
    let source = Source::new("Dockerfile", String::from_utf8_lossy(&text).into_owned());
    Ok(Dockerfile::read(&source).0)
}

/// An address that the builder fetches by itself.
fn is_address(context: &str) -> bool {
    ["http://", "https://", "git://", "ssh://", "git@", "github.com/"].iter().any(|start| context.starts_with(start))
}

/// The job's checkout; without one, the files of the commit.
fn default_folder(call: &mut Call<'_>, temp: &Path) -> Result<PathBuf, NativeError> {
    let workspace = call.workspace().to_owned();
    let is_empty = std::fs::read_dir(&workspace).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        call.effects.log("Context: the job's checkout, with what earlier steps changed in it");
        return Ok(workspace);
    }
    let sha = text(&call.contexts.github, "sha").to_owned();
    let folder = temp.join("context");
    std::fs::create_dir_all(&folder)
        .map_err(|error| NativeError(format!("cannot make the folder `{}`: {error}", folder.display())))?;
    let (root, tree) = (call.repository_root.to_string_lossy().into_owned(), folder.to_string_lossy().into_owned());
    let index = temp.join("index").to_string_lossy().into_owned();
    let args = ["-C", &root, "--work-tree", &tree, "checkout", "--force", "--quiet", &sha, "--", ":/"];
    let env = [("GIT_INDEX_FILE", index.as_str())];
    call.effects.capture("git", &args, RunOptions { quiet: true, env: &env, ..RunOptions::default() })?;
    call.effects.log(&format!("Context: the files of the commit {sha}, as the job has no checkout"));
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_left_to_the_builder() {
        for context in ["https://example.org/a.git#main:sub", "git@example.org:a/b.git", "github.com/a/b"] {
            assert!(is_address(context), "{context}");
        }
        for context in [".", "./docker", "/abs", "githubber/x"] {
            assert!(!is_address(context), "{context}");
        }
    }
}
