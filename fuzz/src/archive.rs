//! Any bytes are unpacked as a zip archive, or refused: without a panic, without bounds being passed, and without a file outside
//! of the folder.
#![no_main]

use std::fs;
use std::path::Path;

use lineclear_store::zip::{UnpackLimits, unpack};
use lineclear_store::{ReadAt, StoreError};

const LIMITS: UnpackLimits =
    UnpackLimits { entries: 100, directory_bytes: 1 << 16, bytes: 1 << 18, ratio: 50, unchecked_bytes: 1 << 12 };

struct Bytes<'a>(&'a [u8]);

impl ReadAt for Bytes<'_> {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// Bytes of all files; links would be a way out.
fn size(folder: &Path) -> u64 {
    let each = |entry: fs::DirEntry| {
        let known = entry.metadata().expect("it is there");
        assert!(known.is_dir() || known.is_file(), "only files and folders come out of an archive");
        if known.is_dir() { size(&entry.path()) } else { known.len() }
    };
    fs::read_dir(folder).into_iter().flatten().flatten().map(each).sum()
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let scratch = std::env::temp_dir().join(format!("lineclear-fuzz-archive-{}", std::process::id()));
    let _first_time = fs::remove_dir_all(&scratch);
    fs::create_dir_all(scratch.join("to")).expect("the scratch folder can be made");
    fs::write(scratch.join("outside"), "untouched").expect("the scratch folder can be written to");
    for link in ["a", "b"] {
        std::os::unix::fs::symlink("..", scratch.join("to").join(link)).expect("a link can be made");
    }
    let outcome = unpack(&mut Bytes(data), data.len() as u64, &scratch.join("to"), &LIMITS);
    assert_eq!(fs::read(scratch.join("outside")).expect("it is there"), b"untouched");
    assert_eq!(fs::read_dir(&scratch).expect("it is there").count(), 2, "something was written outside");
    for link in ["a", "b"] {
        let link = scratch.join("to").join(link);
        if link.is_symlink() {
            fs::remove_file(link).expect("it can be removed");
        }
    }
    let written = size(&scratch.join("to"));
    assert!(written <= LIMITS.bytes, "{written} bytes are written");
    if let Ok(unpacked) = outcome {
        assert_eq!(unpacked.bytes, written);
    }
    fs::remove_dir_all(&scratch).expect("it can be removed");
});
