//! Programs that say what they were built from: Go's build information, and the list that cargo-auditable puts into Rust programs.
//!
//! Where in the file they are stands in tables at the file's end, but a layer cannot be read backwards. Both begin with bytes that nothing
//! else begins with, so the file is looked through once, in pieces, at the speed of a search.
//!
//! # Source
//! Go: `debug/buildinfo` and `runtime/debug`, functions `Read` and `ParseBuildInfo`; the marks are those of `cmd/go`'s `modload`.
//! Rust: `PARSING.md` of cargo-auditable: JSON packed with zlib in the section `.dep-v0`.

use std::io::{self, Read};

use serde::Deserialize;

use super::{Found, package};
use crate::{Package, PackageType, Purl};

const GO_BEGIN: &[u8; 16] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const GO_END: &[u8; 16] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
/// Most bytes of a list of modules, and of a list of crates unpacked.
const MAX_LIST: usize = 8 << 20;
const PIECE: usize = 256 << 10;
/// What stays of a piece for the next: something that began in it, and what stood before that.
const OVERLAP: usize = 1 << 10;
/// How much of a packed list is unpacked to see whether it is one.
const LOOK: usize = 512;

/// How often something in one file may look like a list and be none. A real program of a gigabyte has some ten thousand places that look
/// packed.
const MAX_TRIES: usize = 200_000;
/// The same for lists of modules, whose beginning nothing else has by chance.
const MAX_MARKS: usize = 64;
/// What may stand before a list that belongs to it.
const BEFORE: usize = 64;

/// What the program says it was built from.
///
/// # Errors
/// Those of the stream.
pub(crate) fn read(path: &str, bytes: &mut dyn Read) -> io::Result<Found> {
    let mut window = Window { bytes, held: Vec::with_capacity(PIECE + OVERLAP), is_over: false };
    let mut go = Go::default();
    let mut rust = Rust::default();
    loop {
        window.grow(PIECE)?;
        // Not beyond this: the rest is looked at with the next piece.
        let sure = if window.is_over { window.held.len() } else { window.held.len().saturating_sub(LOOK) };
        go.look(&mut window, sure)?;
        rust.look(&mut window, sure)?;
        if window.is_over && sure == window.held.len() || (go.is_done() && rust.is_done()) {
            break;
        }
        window.forget(sure.saturating_sub(BEFORE));
    }
    let mut found = Found::default();
    if let Some(list) = &go.list {
        found.packages.extend(modules(path, list, go.version.as_deref()));
    }
    match rust.list.map(|list| crates(path, &list)) {
        Some(Ok(packages)) => found.packages.extend(packages),
        Some(Err(why)) => found.unread.push(why),
        None if rust.tries > MAX_TRIES => found.unread.push("too much in it looks like a list of crates".to_owned()),
        None => {}
    }
    Ok(found)
}

/// A part of the file.
struct Window<'a> {
    bytes: &'a mut dyn Read,
    held: Vec<u8>,
    is_over: bool,
}

impl Window<'_> {
    /// Reads `more` bytes, or to the end.
    fn grow(&mut self, more: usize) -> io::Result<()> {
        let read = (&mut *self.bytes).take(more as u64).read_to_end(&mut self.held)?;
        self.is_over |= read < more;
        Ok(())
    }

    /// The bytes from a place on: as many as a list may have, or to the end of the file.
    fn from(&mut self, at: usize) -> io::Result<&[u8]> {
        let have = self.held.len().saturating_sub(at);
        if !self.is_over {
            self.grow(MAX_LIST.saturating_sub(have))?;
        }
        let end = self.held.len().min(at.saturating_add(MAX_LIST));
        Ok(&self.held[at.min(end)..end])
    }

    /// Lets go of what was looked at.
    fn forget(&mut self, looked_at: usize) {
        self.held.drain(..looked_at.min(self.held.len()));
        self.held.shrink_to(PIECE + OVERLAP);
    }
}

/// What is known of a program of Go. The list stands in it twice: once alone, and once behind the version.
#[derive(Default)]
struct Go {
    list: Option<String>,
    version: Option<String>,
    marks: usize,
}

impl Go {
    fn is_done(&self) -> bool {
        (self.list.is_some() && self.version.is_some()) || self.marks > MAX_MARKS
    }

    fn look(&mut self, window: &mut Window<'_>, sure: usize) -> io::Result<()> {
        let mut from = 0;
        while !self.is_done()
            && let Some(at) = memchr::memmem::find(&window.held[from..sure], GO_BEGIN).map(|at| from + at)
        {
            self.marks += 1;
            from = at + GO_BEGIN.len();
            let version = go_version(&window.held[at.saturating_sub(BEFORE)..at]);
            let list = window.from(from)?;
            let Some(end) = memchr::memmem::find(list, GO_END) else { continue };
            let list = String::from_utf8_lossy(&list[..end]);
            if list.starts_with("path\t") || list.starts_with("mod\t") {
                self.version = self.version.take().or(version);
                self.list.get_or_insert_with(|| list.into_owned());
            }
        }
        Ok(())
    }
}

/// What is known of a program of Rust.
#[derive(Default)]
struct Rust {
    /// Packed.
    list: Option<Vec<u8>>,
    tries: usize,
}

impl Rust {
    fn is_done(&self) -> bool {
        self.list.is_some() || self.tries > MAX_TRIES
    }

    fn look(&mut self, window: &mut Window<'_>, sure: usize) -> io::Result<()> {
        if self.is_done() {
            return Ok(());
        }
        if let Some(at) = packed_list(&window.held, sure, &mut self.tries) {
            self.list = Some(window.from(at)?.to_vec());
        }
        Ok(())
    }
}

/// The version of Go that stands before the list of modules: its length, its text, the list's length.
fn go_version(before: &[u8]) -> Option<String> {
    let at = memchr::memmem::rfind(before, b"go1")?;
    let length = usize::from(*before.get(at.checked_sub(1)?)?);
    let text = std::str::from_utf8(before.get(at + 2..at + length)?).ok()?;
    let version = text.split([' ', '-']).next()?;
    version.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.').then(|| version.to_owned())
}

fn modules(path: &str, list: &str, go: Option<&str>) -> Vec<Package> {
    let mut modules: Vec<(String, String)> = Vec::new();
    for line in list.lines() {
        let mut words = line.split('\t');
        match (words.next(), words.next(), words.next()) {
            (Some("mod" | "dep"), Some(name), version) => {
                modules.push((name.to_owned(), version.unwrap_or_default().to_owned()))
            }
            // Built instead of the one before; a folder has no version, and the code is still of that module.
            (Some("=>"), Some(name), Some(version)) if !version.is_empty() => {
                modules.pop();
                modules.push((name.to_owned(), version.to_owned()));
            }
            _ => {}
        }
    }
    // The standard library is in every program of Go; that its version is not told is for the reader to know.
    modules.push(("stdlib".to_owned(), go.unwrap_or_default().to_owned()));
    let named = modules.into_iter().filter(|(name, _)| !name.is_empty() && name.len() < 1024);
    let each = named.map(|(name, version)| {
        let version = if version == "(devel)" { String::new() } else { version };
        let (namespace, short) = name.rsplit_once('/').unwrap_or(("", &name));
        package(PackageType::Go, &name, &version, Purl::new("golang", namespace, short, &version), path)
    });
    each.collect()
}

/// Where a list of crates begins, packed with zlib, before `sure`.
fn packed_list(held: &[u8], sure: usize, tries: &mut usize) -> Option<usize> {
    const BEGIN: &[u8] = br#"{"packages":["#;
    memchr::memchr_iter(b'x', &held[..sure]).find(|&at| {
        // A header of zlib, and a block that is packed; the whole test comes after the cheap one.
        let [_, 0x01 | 0x5e | 0x9c | 0xda, first, ..] = held[at..] else { return false };
        *tries += 1;
        if !matches!((first >> 1) & 3, 1 | 2) || *tries > MAX_TRIES {
            return false;
        }
        let mut unpacked = [0; BEGIN.len()];
        let packed = &held[at..(at + LOOK).min(held.len())];
        // An error after the first bytes is the cut.
        flate2::read::ZlibDecoder::new(packed).read_exact(&mut unpacked).is_ok() && unpacked == BEGIN
    })
}

#[derive(Deserialize)]
struct Crates {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    /// `build`: ran while the program was built, and is not in it.
    kind: Option<String>,
}

fn crates(path: &str, packed: &[u8]) -> Result<Vec<Package>, String> {
    let mut list = Vec::new();
    let limit = MAX_LIST as u64;
    let unpacked = flate2::read::ZlibDecoder::new(packed).take(limit).read_to_end(&mut list);
    unpacked.map_err(|_| "the list of its crates is broken".to_owned())?;
    let list: Crates =
        serde_json::from_slice(&list).map_err(|_| "the list of its crates is not of a known form".to_owned())?;
    let each = list.packages.iter().filter(|listed| listed.kind.as_deref() != Some("build")).map(|listed| {
        let (name, version) = (&listed.name, &listed.version);
        package(PackageType::Cargo, name, version, Purl::new("cargo", "", name, version), path)
    });
    Ok(each.collect())
}
