//! The empty folders that a job begins with.
//!
//! Making and removing folders costs a disk more than a small step costs the machine, so those of a finished job are emptied
//! and given to the next one of the run, under its name.

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use lineclear_backend::OpenError;

use crate::instance::folder_error;
use crate::remove;

pub(crate) const TEMP: &str = "_temp";
pub(crate) const ACTIONS: &str = "_actions";
const PRIVATE: &str = "_private";

/// A folder that was filled stays large on some file systems, and slow.
const LARGEST: u64 = 64 << 10;

/// Which folders there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// With `<name>/<name>` for the workspace.
    WithWorkspace(String),
    /// The workspace is elsewhere.
    WithoutWorkspace,
}

/// A job's folder and the empty folders in it.
#[derive(Debug)]
pub(crate) struct Skeleton {
    path: PathBuf,
    pub(crate) shape: Shape,
    /// Mode and owner that the folders were made with.
    made: (u32, u32, u32),
}

impl Skeleton {
    pub(crate) fn make(path: &Path, shape: &Shape) -> Result<Self, OpenError> {
        let make = |path: &Path| DirBuilder::new().mode(0o755).create(path).map_err(|error| folder_error(path, error));
        make(path)?;
        let metadata = fs::symlink_metadata(path).map_err(|error| folder_error(path, error))?;
        let skeleton = Self { path: path.into(), shape: shape.clone(), made: traits(&metadata) };
        let made = skeleton.folders().iter().try_for_each(|folder| make(folder));
        made.inspect_err(|_| drop(remove::tree(path)))?;
        Ok(skeleton)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn temp(&self) -> PathBuf {
        self.path.join(TEMP)
    }

    pub(crate) fn actions(&self) -> PathBuf {
        self.path.join(ACTIONS)
    }

    /// For what stands in for shared folders where the job is isolated. Made when it is needed.
    pub(crate) fn private(&self) -> PathBuf {
        self.path.join(PRIVATE)
    }

    pub(crate) fn workspace(&self) -> Option<PathBuf> {
        match &self.shape {
            Shape::WithWorkspace(name) => Some(self.path.join(name).join(name)),
            Shape::WithoutWorkspace => None,
        }
    }

    /// The folders in it, outer before inner.
    fn folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.temp(), self.actions()];
        if let Some(workspace) = self.workspace() {
            folders.extend(workspace.parent().map(Path::to_owned));
            folders.push(workspace);
        }
        folders
    }

    pub(crate) fn move_to(self, path: &Path) -> Result<Self, OpenError> {
        fs::rename(&self.path, path).map_err(|error| folder_error(path, error))?;
        Ok(Self { path: path.into(), ..self })
    }

    /// Removes what a job left in the folders. `None` if they are not what they were, and cannot serve again.
    pub(crate) fn empty(self) -> Option<Self> {
        let folders = self.folders();
        let alike = |path: &Path| {
            fs::symlink_metadata(path)
                .is_ok_and(|metadata| metadata.is_dir() && traits(&metadata) == self.made && metadata.size() <= LARGEST)
        };
        if !alike(&self.path) || !folders.iter().all(|folder| alike(folder)) {
            return None;
        }
        let mut was_filled = false;
        // Whatever is not one of the folders goes; looked at from the outside in, each of them is seen in its parent.
        for parent in std::iter::once(&self.path).chain(&folders) {
            for item in fs::read_dir(parent).ok()? {
                let item = item.ok()?.path();
                if !folders.contains(&item) {
                    was_filled = true;
                    remove::tree(&item).ok()?;
                }
            }
        }
        // Many things in one folder make it large, and that shows only now.
        (!was_filled || folders.iter().all(|folder| alike(folder))).then_some(self)
    }
}

fn traits(metadata: &Metadata) -> (u32, u32, u32) {
    (metadata.mode(), metadata.uid(), metadata.gid())
}

/// Makes a folder that only this user may enter.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn make(folder: &Path) -> Skeleton {
        Skeleton::make(&folder.join("job"), &Shape::WithWorkspace("repo".into())).expect("the folders")
    }

    #[test]
    fn what_a_job_left_is_gone_and_the_folders_serve_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let skeleton = make(folder.path());
        let workspace = skeleton.workspace().expect("it has one");
        fs::create_dir_all(workspace.join("a/b")).expect("folders");
        fs::write(skeleton.temp().join("x"), "x").expect("a file");
        fs::write(folder.path().join("job/repo/beside"), "x").expect("a file");
        fs::write(folder.path().join("job/above"), "x").expect("a file");
        let again = skeleton.empty().expect("it serves again").move_to(&folder.path().join("next")).expect("moved");
        let mut left = Vec::new();
        for path in std::iter::once(again.path().to_owned()).chain(again.folders()) {
            left.extend(fs::read_dir(path).expect("a folder").map(|item| item.expect("an entry").path()));
        }
        left.sort();
        let mut expected = again.folders();
        expected.sort();
        assert_eq!(left, expected);
    }

    #[test]
    fn folders_that_a_job_changed_do_not_serve_again() {
        let changes: [fn(&Skeleton); 3] = [
            |skeleton| fs::set_permissions(skeleton.temp(), fs::Permissions::from_mode(0o777)).expect("permissions"),
            |skeleton| fs::remove_dir(skeleton.actions()).expect("removed"),
            |skeleton| {
                fs::remove_dir(skeleton.temp()).expect("removed");
                symlink("/", skeleton.temp()).expect("a link");
            },
        ];
        for change in changes {
            let folder = tempfile::tempdir().expect("a folder");
            let skeleton = make(folder.path());
            change(&skeleton);
            assert!(skeleton.empty().is_none());
        }
    }
}
