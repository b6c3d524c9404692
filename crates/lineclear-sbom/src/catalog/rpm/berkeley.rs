//! As much of Berkeley DB's hash files as it takes to read every value once.
//!
//! # Source
//! Berkeley DB's `dbinc/db_page.h`: metadata, hash pages (types 2 and 13), overflow pages (type 7).

use super::{Blobs, MAX_HEADER};

const HASH_MAGIC: u32 = 0x0006_1561;
/// The head of every page but the first.
const HEAD: usize = 26;
const UNSORTED: u8 = 2;
const SORTED: u8 = 13;
const INLINE: u8 = 1;
const ELSEWHERE: u8 = 3;

pub(super) fn blobs(file: &[u8]) -> Result<Blobs, String> {
    read(file).ok_or_else(|| "it is no hash of Berkeley DB, or a broken one".to_owned())
}

fn read(file: &[u8]) -> Option<Blobs> {
    let magic: [u8; 4] = file.get(12..16)?.try_into().ok()?;
    let is_big = u32::from_be_bytes(magic) == HASH_MAGIC;
    if !is_big && u32::from_le_bytes(magic) != HASH_MAGIC {
        return None;
    }
    let file = File { bytes: file, is_big, page: 0 };
    let page = usize::try_from(file.number(20)?).ok().filter(|page| (512..=65536).contains(page))?;
    // An encrypted file cannot be read.
    if *file.bytes.get(24)? != 0 {
        return None;
    }
    let file = File { page, ..file };
    let pages = file.bytes.len() / page;
    // Every page belongs to one value: more are a circle.
    let mut budget = pages.saturating_mul(2);
    let mut blobs = Blobs::default();
    for at in (1..pages).map(|number| number * page) {
        if !matches!(file.bytes.get(at + 25), Some(&UNSORTED | &SORTED)) {
            continue;
        }
        let entries = usize::from(file.short(at + 20)?);
        // Keys and values take turns.
        for entry in (1..entries).step_by(2) {
            let place = HEAD + 2 * entry;
            if place + 2 > page {
                return None;
            }
            let start = usize::from(file.short(at + place)?);
            let end = usize::from(file.short(at + place - 2)?);
            match *file.bytes.get(at + start)? {
                INLINE => {
                    // A value begins where the one before it ends: they are laid from the page's end.
                    let value = file.bytes.get(at + start + 1..at + end.min(page))?;
                    // The counter of packages has the key 0, and four bytes.
                    if value.len() > 16 {
                        blobs.take(value);
                    }
                }
                ELSEWHERE => {
                    let (first, length) = (file.number(at + start + 4)?, file.number(at + start + 8)? as usize);
                    match file.chain(first, length, &mut budget) {
                        Some(value) => blobs.take(&value),
                        None => blobs.broken += 1,
                    }
                }
                _ => blobs.broken += 1,
            }
        }
    }
    Some(blobs)
}

#[derive(Clone, Copy)]
struct File<'a> {
    bytes: &'a [u8],
    is_big: bool,
    page: usize,
}

impl File<'_> {
    fn number(&self, at: usize) -> Option<u32> {
        let bytes: [u8; 4] = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes: [u8; 2] = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    /// A value that lies in a chain of pages.
    fn chain(&self, first: u32, length: usize, budget: &mut usize) -> Option<Vec<u8>> {
        if length > MAX_HEADER {
            return None;
        }
        let mut value = Vec::new();
        let mut next = first;
        while value.len() < length {
            *budget = budget.checked_sub(1)?;
            let at = (next as usize).checked_mul(self.page).filter(|at| *at > 0)?;
            let page = self.bytes.get(at..at.checked_add(self.page)?)?;
            let here = usize::from(self.short(at + 22)?).min(length - value.len());
            if here == 0 {
                return None;
            }
            value.extend_from_slice(page.get(HEAD..HEAD + here)?);
            next = self.number(at + 16)?;
        }
        Some(value)
    }
}
