//! Finding memory for the small files of steps: creating one on a slow disk may cost as much as starting a shell.

use std::env;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statfs, statvfs};
use rustix::process::getuid;

/// What `statfs` calls a file system in memory.
///
/// # Source
/// `linux/magic.h`, `TMPFS_MAGIC`.
const TMPFS: u64 = 0x0102_1994;

/// Less free space than this is not worth having: summaries of steps are up to 1 MiB each.
const LEAST_FREE: u64 = 64 << 20;

/// A folder in memory for this user's scratch folders, made if it is not there. `None` where there is none to be had.
pub(crate) fn base() -> Option<PathBuf> {
    bases().into_iter().find(|base| is_roomy_memory(base.parent().unwrap_or(base)) && is_own(base))
}

/// Where scratch folders may be.
pub(crate) fn bases() -> Vec<PathBuf> {
    let of_session = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let places = of_session.into_iter().chain([PathBuf::from("/dev/shm")]);
    // Everyone may write to /dev/shm, so each user has a folder there.
    places.map(|place| place.join(format!("lineclear-{}", getuid().as_raw()))).collect()
}

fn is_roomy_memory(place: &Path) -> bool {
    let in_memory = statfs(place).is_ok_and(|fs| u64::try_from(fs.f_type).is_ok_and(|kind| kind == TMPFS));
    in_memory
        && statvfs(place).is_ok_and(|fs| {
            fs.f_bavail.saturating_mul(fs.f_frsize) >= LEAST_FREE && !fs.f_flag.contains(StatVfsMountFlags::RDONLY)
        })
}

/// Makes the folder, or checks that nobody else made it: scripts with secrets are written there.
fn is_own(base: &Path) -> bool {
    let made = DirBuilder::new().mode(0o700).create(base);
    made.is_ok()
        || fs::symlink_metadata(base).is_ok_and(|metadata| {
            metadata.is_dir() && metadata.uid() == getuid().as_raw() && metadata.mode() & 0o077 == 0
        })
}
