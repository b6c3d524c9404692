//! What the job's folders are called where a process runs that is not on this machine, and what a path from there means here.
//!
//! # Source
//! Sections 1.9 and 1.10 of the protocol notes, after `ContainerInfo.cs` of `actions/runner`.

use std::path::{Path, PathBuf};

use lineclear_backend::Layout;

/// The files that a container has as its home, below the job's temporary folder.
pub(crate) const HOME: &str = "_github_home";
/// The event, below the job's temporary folder.
pub(crate) const WORKFLOW: &str = "_github_workflow";

/// The folders of a job with their names inside of a container.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// On this machine, inside. The longest come first on either side of a search.
    folders: Vec<(PathBuf, PathBuf)>,
}

impl Seen {
    pub(crate) fn of(layout: &Layout, seen: impl Fn(&Path) -> PathBuf) -> Self {
        let mut folders = vec![
            layout.workspace.clone(),
            layout.temp.join(HOME),
            layout.temp.join(WORKFLOW),
            layout.temp.clone(),
            layout.scratch.clone(),
            layout.actions.clone(),
            layout.tool_cache.clone(),
        ];
        folders.extend(layout.workspace.parent().map(Path::to_owned));
        let folders = folders.into_iter().map(|here| (seen(&here), here));
        Self { folders: folders.filter(|(inside, here)| inside != here).map(|(inside, here)| (here, inside)).collect() }
    }

    /// What `path` of this machine is called inside; `None` where it is called the same, or is not there at all.
    pub(crate) fn inside(&self, path: &Path) -> Option<PathBuf> {
        longest(self.folders.iter().map(|(here, inside)| (here, inside)), path)
    }

    /// What a path from inside is called on this machine.
    pub(crate) fn here(&self, path: &Path) -> Option<PathBuf> {
        longest(self.folders.iter().map(|(here, inside)| (inside, here)), path)
    }
}

/// `path` moved from the deepest folder that holds it to that folder's other name.
fn longest<'f>(folders: impl Iterator<Item = (&'f PathBuf, &'f PathBuf)>, path: &Path) -> Option<PathBuf> {
    let (from, to) =
        folders.filter(|(from, _)| path.starts_with(from)).max_by_key(|(from, _)| from.as_os_str().len())?;
    let rest = path.strip_prefix(from).ok()?;
    Some(if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) })
}

/// Each line of `text` that is a path, perhaps behind the `!` of a pattern, under its other name.
pub(crate) fn lines(text: &str, other: impl Fn(&Path) -> Option<PathBuf>) -> Option<String> {
    let mut changed = false;
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let path = line.trim_start().trim_start_matches('!');
            let before = &line[..line.len() - path.len()];
            let named = path.starts_with('/').then(|| other(Path::new(path))).flatten();
            match named {
                Some(named) => {
                    changed = true;
                    // A slash at the end is lost in a path and means something in a pattern.
                    let slash = if path.len() > 1 && path.ends_with('/') { "/" } else { "" };
                    format!("{before}{}{slash}", named.display())
                }
                None => line.to_owned(),
            }
        })
        .collect();
    changed.then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        let layout = Layout {
            workspace: "/w/job/Repo/Repo".into(),
            temp: "/w/job/_temp".into(),
            scratch: "/dev/shm/x".into(),
            actions: "/w/job/_actions".into(),
            tool_cache: "/tools".into(),
        };
        Seen::of(&layout, |path| {
            let text = path.to_string_lossy();
            let home = text.replace("/w/job/_temp/_github_home", "/github/home");
            home.replace("/w/job", "/__w").replace("/dev/shm/x", "/__w/_temp/_runner").replace("/tools", "/__t").into()
        })
    }

    #[test]
    fn a_path_of_the_jobs_folders_has_two_names_and_others_have_one() {
        let seen = seen();
        for (here, inside) in [
            ("/w/job/Repo/Repo", "/__w/Repo/Repo"),
            ("/w/job/Repo/Repo/src/a b.rs", "/__w/Repo/Repo/src/a b.rs"),
            ("/w/job/Repo/other", "/__w/Repo/other"),
            ("/w/job/_temp/_github_home/.npmrc", "/github/home/.npmrc"),
            ("/dev/shm/x/env_1", "/__w/_temp/_runner/env_1"),
            ("/tools/Python", "/__t/Python"),
        ] {
            assert_eq!(seen.inside(Path::new(here)).as_deref(), Some(Path::new(inside)));
            assert_eq!(seen.here(Path::new(inside)).as_deref(), Some(Path::new(here)));
        }
        for path in ["/w/job2/x", "/usr/bin", "src/a", "/toolsmith"] {
            assert_eq!(seen.inside(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn lines_that_are_paths_are_renamed_and_others_stay() {
        let seen = seen();
        let here = |text: &str| lines(text, |path| seen.here(path));
        assert_eq!(
            here("/__w/Repo/Repo/dist/\n!/__w/Repo/Repo/*.map\nsrc/").as_deref(),
            Some("/w/job/Repo/Repo/dist/\n!/w/job/Repo/Repo/*.map\nsrc/")
        );
        assert_eq!(here("plain\n/usr/lib"), None);
    }
}
