//! How far built-in actions go in a job whose steps are kept from the machine.
//!
//! A built-in action is part of Lineclear and sees the machine as Lineclear does. Where the steps of its job see a read-only system of
//! their own, it may touch no more than they may: the job's folders and the tool cache, after every symbolic link on the way is followed.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use lineclear_backend::{IsolationPart, Room};

/// As many links as the kernel follows in one path.
const MOST_LINKS: usize = 40;

/// Where built-in actions of one job may read and write. Everywhere, unless the job's system is enforced to be read-only.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    limits: Option<Limits>,
}

#[derive(Clone, Debug)]
struct Limits {
    folders: Vec<Folder>,
    /// The user's, without links.
    home: Option<PathBuf>,
}

#[derive(Clone, Debug)]
struct Folder {
    /// What the user knows it as; empty for folders that are of no interest to users.
    name: &'static str,
    given: PathBuf,
    /// Without links, as it was before the first step: a step may put a link in its place.
    real: PathBuf,
}

/// A path that a built-in action may not touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfReach {
    path: PathBuf,
    /// Where links lead to; `None` if there are too many.
    real: Option<PathBuf>,
    why: Why,
    allowed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Machine,
    Home,
    Temporary,
}

impl Reach {
    /// Everything that Lineclear itself may touch: no isolation.
    pub fn everywhere() -> Self {
        Self::default()
    }

    /// What the steps in `room` may touch. Asked before the first step: later, a step may have replaced a folder.
    pub(crate) fn of(room: &dyn Room) -> Self {
        let is_read_only =
            |part: &lineclear_backend::Enforcement| part.what == IsolationPart::ReadOnlySystem && part.how.is_ok();
        if !room.enforcement().iter().any(is_read_only) {
            return Self::everywhere();
        }
        let layout = room.layout();
        let folders = [
            ("the workspace", &layout.workspace),
            ("`RUNNER_TEMP`", &layout.temp),
            ("the tool cache", &layout.tool_cache),
            ("", &layout.scratch),
            ("", &layout.actions),
        ];
        let folders = folders
            .into_iter()
            .filter_map(|(name, given)| Some(Folder { name, given: given.clone(), real: without_links(given)? }))
            .collect();
        let home = room.base_env().iter().find(|(name, _)| name == "HOME").map(|(_, home)| PathBuf::from(home));
        let home = home.filter(|home| home.is_absolute()).and_then(|home| without_links(&home));
        Self { limits: Some(Limits { folders, home }) }
    }

    /// Whether there is anything that is out of reach.
    pub fn is_limited(&self) -> bool {
        self.limits.is_some()
    }

    /// Whether `path`, which is absolute and need not exist, may be touched: it lies below one of the folders when all links on the way
    /// are followed, also those that lead to nothing.
    ///
    /// # Errors
    /// It does not.
    pub fn check(&self, path: &Path) -> Result<(), OutOfReach> {
        let Some(limits) = &self.limits else { return Ok(()) };
        let real = without_links(path);
        let is_allowed = |real: &PathBuf| limits.folders.iter().any(|folder| real.starts_with(&folder.real));
        if real.as_ref().is_some_and(is_allowed) {
            return Ok(());
        }
        let is_below = |folder: &Path| real.as_ref().is_some_and(|real| real.starts_with(folder));
        let why = if limits.home.as_deref().is_some_and(is_below) {
            Why::Home
        } else if ["/tmp", "/var/tmp"].iter().any(|folder| is_below(Path::new(folder))) {
            Why::Temporary
        } else {
            Why::Machine
        };
        let shown = |folder: &Folder| format!("{} (`{}`)", folder.name, folder.given.display());
        let allowed: Vec<String> = limits.folders.iter().filter(|folder| !folder.name.is_empty()).map(shown).collect();
        let real = real.filter(|real| real != path);
        Err(OutOfReach { path: path.to_owned(), real, why, allowed: allowed.join(", ") })
    }

    /// Whether the job's own folders are still where they were: what Lineclear writes there by itself goes nowhere else.
    ///
    /// # Errors
    /// A step has put a link in the place of one.
    pub(crate) fn check_own_folders(&self) -> Result<(), OutOfReach> {
        let folders = self.limits.iter().flat_map(|limits| &limits.folders);
        folders.map(|folder| &folder.given).try_for_each(|folder| self.check(folder))
    }
}

impl OutOfReach {
    /// Whether it lies in the user's home folder, of which steps see a layer of their own.
    pub fn is_in_home(&self) -> bool {
        self.why == Why::Home
    }
}

impl fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.path.display())?;
        if let Some(real) = &self.real {
            write!(f, "leads to `{}`, which ", real.display())?;
        }
        write!(f, "is out of reach in this isolated job: built-in actions touch only {}", self.allowed)?;
        f.write_str(match self.why {
            Why::Machine => "",
            Why::Home => {
                "; of your home folder the steps see a layer of their own, and a built-in action would see the real one"
            }
            Why::Temporary => {
                "; the temporary folder of the steps is their own, and a built-in action would see the machine's"
            }
        })?;
        f.write_str(". Use a path in one of these, or `--no-native-actions`, which runs the real action inside of the isolation")
    }
}

impl std::error::Error for OutOfReach {}

/// An absolute path with every link on the way followed; names that are not there stay. `None` for too many links.
fn without_links(path: &Path) -> Option<PathBuf> {
    let mut real = PathBuf::from("/");
    let mut left: VecDeque<OsString> = names(path).collect();
    let mut links = 0;
    while let Some(name) = left.pop_front() {
        if name == ".." {
            real.pop();
            continue;
        }
        real.push(name);
        let Ok(target) = fs::read_link(&real) else { continue };
        links += 1;
        if links > MOST_LINKS {
            return None;
        }
        real.pop();
        if target.is_absolute() {
            real = PathBuf::from("/");
        }
        for name in names(&target).rev() {
            left.push_front(name);
        }
    }
    Some(real)
}

/// The names of a path in turn, `..` among them.
fn names(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn reach(folder: &Path) -> Reach {
        let real = folder.canonicalize().expect("it is there");
        let workspace = Folder { name: "the workspace", given: folder.join("w"), real: real.join("w") };
        fs::create_dir_all(folder.join("w/sub")).expect("folders");
        Reach { limits: Some(Limits { folders: vec![workspace], home: Some(real.join("home")) }) }
    }

    #[test]
    fn what_leads_out_of_the_folders_is_out_of_reach() {
        let folder = tempfile::tempdir().expect("a folder");
        let reach = reach(folder.path());
        let at = |name: &str| folder.path().join("w").join(name);
        symlink("/etc/passwd", at("file")).expect("links");
        symlink("/etc", at("folder")).expect("links");
        symlink("../not-there", at("dangling")).expect("links");
        symlink("file", at("second")).expect("links");
        symlink("circle", at("circle")).expect("links");
        symlink("../sub", at("sub/round")).expect("links");
        for inside in [".", "new/deep", "sub/round", "sub/round/../new", "sub/../new", "folder/../w/../.."] {
            let path = at(inside);
            let is_inside = !inside.starts_with("folder");
            assert_eq!(reach.check(&path).is_ok(), is_inside, "{inside}");
        }
        for outside in
            ["/etc/passwd", "file", "folder/passwd", "dangling", "second", "circle", "..", "../w2", "sub/../.."]
        {
            assert!(reach.check(&at(outside)).is_err(), "{outside}");
        }
        assert!(Reach::everywhere().check(Path::new("/etc/passwd")).is_ok());
    }

    #[test]
    fn the_refusal_says_where_links_lead_and_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let reach = reach(folder.path());
        symlink("/etc/passwd", folder.path().join("w/file")).expect("links");
        let refused = reach.check(&folder.path().join("w/file")).expect_err("it leads out").to_string();
        assert!(refused.contains("w/file` leads to `/etc/passwd`"), "{refused}");
        assert!(refused.contains("--no-native-actions") && refused.contains("the workspace"), "{refused}");
        let home = reach.check(&folder.path().join("home/x")).expect_err("it is outside");
        assert!(home.is_in_home() && home.to_string().contains("home folder"), "{home}");
    }

    #[test]
    fn a_folder_of_the_job_that_was_replaced_by_a_link_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let reach = reach(folder.path());
        assert!(reach.check_own_folders().is_ok());
        fs::rename(folder.path().join("w"), folder.path().join("old")).expect("moves");
        symlink("/etc", folder.path().join("w")).expect("links");
        assert!(reach.check_own_folders().is_err() && reach.check(&folder.path().join("w/passwd")).is_err());
    }
}
