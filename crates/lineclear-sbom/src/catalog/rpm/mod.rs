//! Packages of RPM, from the three forms of database that it has had.

mod berkeley;
mod header;
mod ndb;
mod sqlite;

use super::Found;
use crate::Package;

/// Most bytes of one package's header.
const MAX_HEADER: usize = 64 << 20;

/// `rpmdb.sqlite`: Fedora since 33, RHEL since 9.
pub(super) fn sqlite(path: &str, bytes: &[u8]) -> Found {
    found(path, sqlite::blobs(bytes))
}

/// `Packages.db`: SUSE.
pub(super) fn ndb(path: &str, bytes: &[u8]) -> Found {
    found(path, ndb::blobs(bytes))
}

/// `Packages`: a hash of Berkeley DB, RHEL to 8, Amazon Linux 2.
pub(super) fn berkeley(path: &str, bytes: &[u8]) -> Found {
    found(path, berkeley::blobs(bytes))
}

/// Headers that were had, and what kept others from being so.
#[derive(Debug, Default)]
struct Blobs {
    headers: Vec<Package>,
    broken: usize,
}

impl Blobs {
    fn take(&mut self, blob: &[u8]) {
        match header::package(blob) {
            Ok(package) => self.headers.extend(package),
            Err(header::NotAHeader) => self.broken += 1,
        }
    }
}

fn found(path: &str, blobs: Result<Blobs, String>) -> Found {
    let blobs = match blobs {
        Ok(blobs) => blobs,
        Err(why) => return Found::unread(why),
    };
    let mut found = Found::default();
    if blobs.broken > 0 {
        found.unread.push(format!("{} packages of the RPM database are broken", blobs.broken));
    }
    found.packages = blobs.headers;
    for package in &mut found.packages {
        path.clone_into(&mut package.path);
    }
    found
}

fn little(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
