//! Removing a folder with everything in it, whatever a job did there.

use std::ffi::{CStr, CString, OsStr};
use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, chmodat, fchmod, openat, openat2, renameat, unlinkat,
};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

/// Below this depth a folder is moved up to the top before it is emptied, so that neither open files nor the length of
/// paths set a limit to the depth.
const DEEPEST: usize = 64;

/// Something that could not be removed.
#[derive(Debug)]
pub(crate) struct Left {
    /// How many things are left.
    pub(crate) count: usize,
    /// The first of them, and why.
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot remove `{}`: {}", self.path.display(), self.source)?;
        if self.count > 1 { write!(f, " (and {} more)", self.count - 1) } else { Ok(()) }
    }
}

/// Removes the folder `path`. It follows no symbolic link and enters no file system that a job mounted there: that is
/// unmounted where this user may, and left alone otherwise. A folder that does not exist is no error.
///
/// Folders without write permission are given it first. What cannot be removed is passed over, and told at the end.
pub(crate) fn tree(path: &Path) -> Result<(), Left> {
    let name = CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
    let mut removal = Removal { top: path, count: 0, first: None, moved: 0 };
    removal.folder(CWD, &name);
    match removal.first {
        None => Ok(()),
        Some((path, errno)) => Err(Left { count: removal.count, path, source: errno.into() }),
    }
}

struct Removal<'a> {
    top: &'a Path,
    count: usize,
    first: Option<(PathBuf, Errno)>,
    /// Folders moved up to the top, for their names.
    moved: usize,
}

/// A folder that is being emptied.
struct Level {
    folder: Dir,
    name: CString,
    /// A file in it could not be removed for lack of permission, and the folder was given it.
    made_writable: bool,
}

impl Removal<'_> {
    /// Removes the folder `top` of `parent`.
    fn folder(&mut self, parent: BorrowedFd<'_>, top: &CStr) {
        let mut levels: Vec<Level> = Vec::new();
        match self.enter(parent, top, &levels) {
            Ok(folder) => levels.push(Level { folder, name: top.to_owned(), made_writable: false }),
            Err(Errno::NOENT) => return,
            // A symbolic link, or no folder at all.
            Err(Errno::NOTDIR | Errno::LOOP) => {
                if let Err(error) = unlinkat(parent, top, AtFlags::empty()) {
                    self.keep(&levels, top, error);
                }
                return;
            }
            Err(error) => return self.keep(&levels, top, error),
        }
        // A second round empties what was moved up; a file system may also pass over entries while others are removed.
        let mut rounds = 0;
        while let Some(level) = levels.last_mut() {
            if let Some(Ok(item)) = level.folder.read() {
                let name = item.file_name();
                if name != c"." && name != c".." {
                    let (name, kind) = (name.to_owned(), item.file_type());
                    self.item(&mut levels, &name, kind);
                }
                continue;
            }
            let Some(level) = levels.pop() else { return };
            let outer = levels.last().and_then(|outer| outer.folder.fd().ok());
            let result = unlinkat(outer.unwrap_or(parent), &level.name, AtFlags::REMOVEDIR);
            match result {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::NOTEMPTY | Errno::EXIST) if levels.is_empty() && rounds < 1000 && self.moved > rounds => {
                    rounds = self.moved;
                    if let Ok(folder) = self.enter(parent, top, &levels) {
                        levels.push(Level { folder, name: top.to_owned(), made_writable: false });
                    }
                }
                // Its content was told already.
                Err(Errno::NOTEMPTY | Errno::EXIST) if self.count > 0 => {}
                Err(Errno::BUSY) if self.unmount(&levels, &level.name) => {
                    let again = unlinkat(outer.unwrap_or(parent), &level.name, AtFlags::REMOVEDIR);
                    if let Err(error) = again {
                        self.keep(&levels, &level.name, error);
                    }
                }
                Err(Errno::ACCESS | Errno::PERM) => {
                    let outer = outer.unwrap_or(parent);
                    let again = if levels.is_empty() {
                        result
                    } else {
                        let _ = fchmod(outer, Mode::RWXU); // Refused: the next line says so.
                        unlinkat(outer, &level.name, AtFlags::REMOVEDIR)
                    };
                    if let Err(error) = again {
                        self.keep(&levels, &level.name, error);
                    }
                }
                Err(error) => self.keep(&levels, &level.name, error),
            }
        }
    }

    /// Removes one entry of the innermost folder, or enters it.
    fn item(&mut self, levels: &mut Vec<Level>, name: &CStr, kind: FileType) {
        if kind != FileType::Directory {
            match self.file(levels, name) {
                Ok(()) | Err(Errno::NOENT) => return,
                // The kind was not known, and it is a folder.
                Err(Errno::ISDIR | Errno::PERM) if kind == FileType::Unknown => {}
                Err(error) => return self.keep(levels, name, error),
            }
        }
        let Some(Ok(outer)) = levels.last().map(|level| level.folder.fd()) else { return };
        if levels.len() > DEEPEST
            && let Some(Ok(top)) = levels.first().map(|level| level.folder.fd())
        {
            let up = CString::new(format!(".removed-{}", self.moved)).unwrap_or_default();
            if renameat(outer, name, top, &up).is_ok() {
                self.moved += 1;
                return;
            }
        }
        match self.enter(outer, name, levels) {
            Ok(folder) => levels.push(Level { folder, name: name.to_owned(), made_writable: false }),
            Err(Errno::NOENT) => {}
            Err(error) => self.keep(levels, name, error),
        }
    }

    /// Removes a file, or whatever is no folder.
    fn file(&self, levels: &mut [Level], name: &CStr) -> Result<(), Errno> {
        let Some(level) = levels.last_mut() else { return Ok(()) };
        let folder = level.folder.fd()?;
        let result = unlinkat(folder, name, AtFlags::empty());
        match result {
            Err(Errno::ACCESS | Errno::PERM) if !level.made_writable => {
                level.made_writable = true;
                fchmod(folder, Mode::RWXU)?;
                unlinkat(folder, name, AtFlags::empty())
            }
            Err(Errno::BUSY) if self.unmount(levels, name) => {
                let Some(level) = levels.last() else { return Ok(()) };
                unlinkat(level.folder.fd()?, name, AtFlags::empty())
            }
            result => result,
        }
    }

    /// Opens a folder, giving itself the permission where it is lacking.
    fn enter(&self, outer: BorrowedFd<'_>, name: &CStr, levels: &[Level]) -> Result<Dir, Errno> {
        let opened = match open_folder(outer, name) {
            Err(Errno::ACCESS) => {
                chmodat(outer, name, Mode::RWXU, AtFlags::empty())?;
                open_folder(outer, name)
            }
            Err(Errno::XDEV) if self.unmount(levels, name) => open_folder(outer, name),
            result => result,
        };
        Dir::new(opened?)
    }

    /// Takes away what was mounted at `name` in the innermost folder.
    fn unmount(&self, levels: &[Level], name: &CStr) -> bool {
        !levels.is_empty() && unmount(self.path(levels, name), UnmountFlags::DETACH | UnmountFlags::NOFOLLOW).is_ok()
    }

    fn path(&self, levels: &[Level], name: &CStr) -> PathBuf {
        let mut path = self.top.to_owned();
        path.extend(levels.iter().skip(1).map(|level| OsStr::from_bytes(level.name.to_bytes())));
        if !levels.is_empty() {
            path.push(OsStr::from_bytes(name.to_bytes()));
        }
        path
    }

    fn keep(&mut self, levels: &[Level], name: &CStr, error: Errno) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some((self.path(levels, name), error));
        }
    }
}

fn open_folder(outer: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if name.to_bytes().contains(&b'/') {
        // The top, named by its whole path: what lies above it is nobody's business here.
        return openat(outer, name, flags, Mode::empty());
    }
    match openat2(outer, name, flags, Mode::empty(), ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS) {
        // A kernel, or a sandbox, without this call cannot tell what is mounted.
        Err(Errno::NOSYS | Errno::PERM) => openat(outer, name, flags, Mode::empty()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_folder_without_permissions_is_removed_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path().join("top");
        fs::create_dir_all(top.join("locked/inner")).expect("folders");
        fs::write(top.join("locked/inner/file"), "x").expect("a file");
        fs::write(top.join("locked/file"), "x").expect("a file");
        for path in ["locked/inner", "locked"] {
            fs::set_permissions(top.join(path), fs::Permissions::from_mode(0o000)).expect("permissions");
        }
        tree(&top).expect("all is removed");
        assert!(!top.exists());
    }

    #[test]
    fn links_are_removed_and_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (top, outside) = (folder.path().join("top"), folder.path().join("outside"));
        fs::create_dir_all(&top).expect("a folder");
        fs::create_dir_all(&outside).expect("a folder");
        fs::write(outside.join("precious"), "x").expect("a file");
        symlink(&outside, top.join("link")).expect("a link");
        symlink("/nowhere", top.join("dangling")).expect("a link");
        tree(&top).expect("all is removed");
        assert!(!top.exists());
        assert!(outside.join("precious").exists());

        symlink(&outside, &top).expect("a link");
        tree(&top).expect("the link is removed");
        assert!(top.symlink_metadata().is_err());
        assert!(outside.join("precious").exists());
    }

    #[test]
    fn a_very_deep_tree_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path().join("top");
        fs::create_dir(&top).expect("a folder");
        let mut at = openat(CWD, &top, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).expect("the folder");
        for _ in 0..3000 {
            rustix::fs::mkdirat(&at, "deeper", Mode::RWXU).expect("a folder");
            at = openat(&at, "deeper", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).expect("the folder");
        }
        tree(&top).expect("all is removed");
        assert!(!top.exists());
    }

    #[test]
    fn what_is_not_there_is_no_error() {
        let folder = tempfile::tempdir().expect("a folder");
        tree(&folder.path().join("absent")).expect("nothing to do");
    }

    #[test]
    fn what_is_mounted_inside_keeps_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let (top, outside) = (folder.path().join("top"), folder.path().join("outside"));
        fs::create_dir_all(top.join("mounted")).expect("a folder");
        fs::create_dir_all(&outside).expect("a folder");
        fs::write(outside.join("precious"), "x").expect("a file");
        if rustix::mount::mount_bind(&outside, top.join("mounted")).is_err() {
            assert!(!rustix::process::getuid().is_root(), "root can mount");
            return;
        }
        tree(&top).expect("unmounted and removed");
        assert!(!top.exists());
        assert!(outside.join("precious").exists());
    }
}
