//! Files that are replaced in one step, and the lock that keeps two processes apart.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::error::SecretsError;

/// A store that is larger holds no secrets.
const LARGEST: u64 = 64 << 20;

/// Held while its value lives.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Whether it is `folder` that is locked: a second lock on it would wait for ever.
    pub(crate) fn is_of(&self, folder: &Path) -> bool {
        let place = |facts: fs::Metadata| (facts.dev(), facts.ino());
        match (self.0.metadata(), fs::metadata(folder)) {
            (Ok(own), Ok(other)) => place(own) == place(other),
            (Err(_), _) | (_, Err(_)) => false,
        }
    }
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a folder that only its owner can look into, with all above it. One that is there stays as it is.
pub(crate) fn make_private_folder(folder: &Path) -> Result<(), SecretsError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|source| SecretsError::Io {
        doing: "make the folder",
        path: folder.to_owned(),
        source,
    })
}

/// Waits until no other process writes in `folder`.
///
/// The folder itself is locked: a lock file of its own would lie about in somebody's repository.
pub(crate) fn lock(folder: &Path) -> Result<Lock, SecretsError> {
    let io = |source| SecretsError::Io { doing: "lock", path: folder.to_owned(), source };
    let file = File::open(folder).map_err(io)?;
    loop {
        match rustix::fs::flock(&file, FlockOperation::LockExclusive) {
            Ok(()) => return Ok(Lock(file)),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(io(error.into())),
        }
    }
}

/// The bytes of a file; `None` if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, SecretsError> {
    let io = |source| SecretsError::Io { doing: "read", path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io)?;
    let size = bytes.len() as u64;
    if size > LARGEST {
        return Err(SecretsError::FileTooLarge { path: path.to_owned(), size });
    }
    Ok(Some(bytes))
}

/// Puts `bytes` in the file's place: whoever reads sees the old file or the new one, also after a crash.
///
/// The caller holds the folder's lock. The new file can be read by its owner alone.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), SecretsError> {
    let new = beside(path);
    let result = write_new(&new, bytes).and_then(|()| fs::rename(&new, path)).and_then(|()| {
        // Without this a power failure could bring the old file back.
        File::open(folder_of(path))?.sync_all()
    });
    result.map_err(|source| {
        // What is half written is of no use to anybody; the next attempt removes it too.
        let _ = fs::remove_file(&new);
        SecretsError::Io { doing: "write", path: path.to_owned(), source }
    })
}

fn write_new(new: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Where the new content is made: one name for each file, so that a crash leaves at most one behind.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}
