//! As much of SQLite's file format as it takes to read one table from its first row to its last.
//!
//! A library that opens database files wants a file, and brings the whole of SQLite; RPM's table has two columns.
//!
//! # Source
//! SQLite's documentation, "Database File Format".

use super::{Blobs, MAX_HEADER, big};

/// B-trees of real files have six levels at most.
const MAX_DEPTH: usize = 20;

pub(super) fn blobs(file: &[u8]) -> Result<Blobs, String> {
    let database = Database::open(file).ok_or("it is no SQLite database, or a broken one")?;
    let broken = "the SQLite database is broken";
    let mut root = None;
    let mut budget = database.pages().saturating_mul(2) + 16;
    let schema = database.rows(1, 0, &mut budget, &mut |row| {
        if text(row, 0) == Some("table") && text(row, 1) == Some("Packages") {
            root = number(row, 3);
        }
    });
    schema.ok_or(broken)?;
    let root = root.ok_or("it has no table `Packages`")?;
    let mut blobs = Blobs::default();
    let read = database.rows(root, 0, &mut budget, &mut |row| match column(row, 1) {
        Some(Value::Bytes(blob)) => blobs.take(blob),
        _ => blobs.broken += 1,
    });
    read.ok_or(broken)?;
    Ok(blobs)
}

struct Database<'a> {
    file: &'a [u8],
    page: usize,
    /// Without what is reserved at each page's end.
    usable: usize,
}

impl<'a> Database<'a> {
    fn open(file: &'a [u8]) -> Option<Self> {
        if !file.starts_with(b"SQLite format 3\0") {
            return None;
        }
        let page = match u16::from_be_bytes([*file.get(16)?, *file.get(17)?]) {
            1 => 65536,
            size if size >= 512 && size.is_power_of_two() => usize::from(size),
            _ => return None,
        };
        let usable = page.checked_sub(usize::from(*file.get(20)?)).filter(|usable| *usable >= 480)?;
        Some(Self { file, page, usable })
    }

    fn pages(&self) -> usize {
        self.file.len() / self.page
    }

    /// A page by its number, the first is 1. Each that is looked at costs one of the budget: pages that name each other in a circle end.
    fn page(&self, number: u32, budget: &mut usize) -> Option<&'a [u8]> {
        *budget = budget.checked_sub(1)?;
        let at = (number as usize).checked_sub(1)?.checked_mul(self.page)?;
        self.file.get(at..at.checked_add(self.page)?)
    }

    /// Gives each row of the table whose tree begins at a page to `take`.
    fn rows(&self, root: u32, depth: usize, budget: &mut usize, take: &mut dyn FnMut(&[u8])) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        let page = self.page(root, budget)?;
        // The first page begins with the file's header.
        let head = if root == 1 { 100 } else { 0 };
        let cells = usize::from(u16::from_be_bytes([*page.get(head + 3)?, *page.get(head + 4)?]));
        let cell = |first: usize, at: usize| -> Option<usize> {
            let place = head + first + 2 * at;
            Some(usize::from(u16::from_be_bytes([*page.get(place)?, *page.get(place + 1)?])))
        };
        match page.get(head)? {
            0x0d => {
                for at in 0..cells {
                    let payload = self.payload(page, cell(8, at)?, budget)?;
                    take(&payload);
                }
                Some(())
            }
            0x05 => {
                for at in 0..cells {
                    self.rows(big(page, cell(12, at)?)?, depth + 1, budget, take)?;
                }
                self.rows(big(page, head + 8)?, depth + 1, budget, take)
            }
            _ => None,
        }
    }

    /// The bytes of a row: what is in the page, and what is in the chain of pages behind it.
    fn payload(&self, page: &[u8], cell: usize, budget: &mut usize) -> Option<Vec<u8>> {
        let (length, width) = varint(page.get(cell..)?)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_HEADER)?;
        let (_, row_width) = varint(page.get(cell + width..)?)?;
        let at = cell + width + row_width;
        let most = self.usable - 35;
        if length <= most {
            return Some(page.get(at..at + length)?.to_vec());
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let wanted = least + (length - least) % (self.usable - 4);
        let here = if wanted <= most { wanted } else { least };
        let mut bytes = page.get(at..at + here)?.to_vec();
        let mut next = big(page, at + here)?;
        while bytes.len() < length {
            let page = self.page(next, budget)?;
            next = big(page, 0)?;
            let piece = (length - bytes.len()).min(self.usable - 4);
            bytes.extend_from_slice(page.get(4..4 + piece)?);
        }
        Some(bytes)
    }
}

enum Value<'a> {
    Number(i64),
    Bytes(&'a [u8]),
    Other,
}

/// A column of a row, the first is 0.
fn column(row: &[u8], wanted: usize) -> Option<Value<'_>> {
    let (head, mut at) = varint(row)?;
    let head = usize::try_from(head).ok()?;
    let mut place = head;
    for column in 0.. {
        if at >= head {
            return None;
        }
        let (kind, width) = varint(row.get(at..head)?)?;
        at += width;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        if column == wanted {
            let bytes = row.get(place..place.checked_add(length)?)?;
            return Some(match kind {
                1..=6 => {
                    let first = if bytes.first().is_some_and(|first| first & 0x80 != 0) { -1 } else { 0 };
                    Value::Number(bytes.iter().fold(first, |number: i64, byte| (number << 8) | i64::from(*byte)))
                }
                8 => Value::Number(0),
                9 => Value::Number(1),
                12.. => Value::Bytes(bytes),
                _ => Value::Other,
            });
        }
        place = place.checked_add(length)?;
    }
    None
}

fn text(row: &[u8], at: usize) -> Option<&str> {
    match column(row, at)? {
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn number(row: &[u8], at: usize) -> Option<u32> {
    match column(row, at)? {
        Value::Number(number) => number.try_into().ok(),
        _ => None,
    }
}

/// A number of one to nine bytes, and how many.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().take(9).enumerate() {
        if at == 8 {
            return Some(((number << 8) | u64::from(*byte), 9));
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + 1));
        }
    }
    None
}
