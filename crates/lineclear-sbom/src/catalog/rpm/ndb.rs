//! RPM's own database: slots that say where in the file each header is.
//!
//! # Source
//! `lib/backend/ndb/rpmpkg.c` of RPM: the layout of `Packages.db`.

use super::{Blobs, MAX_HEADER, little};

const SLOT: usize = 16;
const SLOTS_OF_PAGE: usize = 256;

pub(super) fn blobs(file: &[u8]) -> Result<Blobs, String> {
    let broken = || "it is no package database of RPM (ndb), or a broken one".to_owned();
    if !file.starts_with(b"RpmP") {
        return Err(broken());
    }
    let version = little(file, 4).ok_or_else(broken)?;
    if version != 0 {
        return Err(format!("it is a package database of RPM (ndb) of the unknown version {version}"));
    }
    let pages = little(file, 12).ok_or_else(broken)? as usize;
    let end = pages.saturating_mul(SLOTS_OF_PAGE * SLOT).min(file.len());
    let mut blobs = Blobs::default();
    let mut total = 0_usize;
    // The first two are the header.
    for slot in file.get(2 * SLOT..end).ok_or_else(broken)?.chunks_exact(SLOT) {
        if !slot.starts_with(b"Slot") {
            return Err(broken());
        }
        let (Some(package), Some(offset)) = (little(slot, 4), little(slot, 8)) else { return Err(broken()) };
        if package == 0 {
            continue;
        }
        let at = (offset as usize).saturating_mul(SLOT);
        let blob = file.get(at..).filter(|blob| blob.starts_with(b"BlbS"));
        let header = blob.and_then(|blob| {
            let length = little(blob, 12)? as usize;
            blob.get(16..16_usize.checked_add(length)?).filter(|header| header.len() <= MAX_HEADER)
        });
        match header {
            Some(header) => {
                // Slots do not share headers: more than the file has is a trap.
                total += header.len();
                if total > file.len() {
                    return Err(broken());
                }
                blobs.take(header);
            }
            None => blobs.broken += 1,
        }
    }
    Ok(blobs)
}
