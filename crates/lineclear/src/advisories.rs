//! The database of vulnerabilities of this machine: where it lies, how it is filled from what databases publish, and how it is opened.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use lineclear_vulnerability::{Builder, Database, Imported, read_record};
use serde_json::Value;

use crate::settings;

/// Its name in the folder of Lineclear.
const NAME: &str = "vulnerabilities.db";
/// Bytes of one record. The largest that are published have a few.
const LARGEST_RECORD: u64 = 64 << 20;
/// Bytes of all records of one archive, unpacked.
const LARGEST_ARCHIVE: u64 = 32 << 30;
/// How many refused records are named.
const NAMED: usize = 5;

/// Records that were read, and those that could not be.
#[derive(Debug, Default)]
pub(crate) struct ReadRecords {
    pub(crate) builder: Builder,
    pub(crate) refused: u64,
    /// The first of them, each with its reason.
    pub(crate) why: Vec<String>,
}

/// Where the database lies.
///
/// # Errors
/// A sentence, when there is no folder for it.
pub(crate) fn path() -> Result<PathBuf, String> {
    settings::home().map(|home| home.join(NAME))
}

/// The database of this machine; `None` if nothing was imported yet.
///
/// # Errors
/// A sentence: it is there, and cannot be read or is damaged.
pub(crate) fn open() -> Result<Option<Database>, String> {
    let path = path()?;
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot read `{}`: {error}", path.display())),
    };
    Database::open(bytes).map(Some).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// What `paths` have, without keeping it: for a repository that brings its own records.
///
/// # Errors
/// As of [`read`].
pub(crate) fn of_files(paths: &[PathBuf], now: &str) -> Result<Database, String> {
    let found = read(paths)?;
    if let Some(first) = found.why.first() {
        return Err(format!("a record cannot be read: {first}"));
    }
    let bytes = found.builder.finish(now).map_err(|error| format!("the records cannot be packed: {error}"))?;
    Database::open(bytes).map_err(|error| error.to_string())
}

/// Takes `found` into the database: of the ecosystems that it has, everything is replaced; the others stay. Whoever scans meanwhile sees
/// the old file or the new one.
///
/// # Errors
/// A sentence; the old database is then as it was.
pub(crate) fn keep(found: Builder, now: &str) -> Result<Imported, String> {
    let path = path()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let fault = |error: std::io::Error| format!("cannot write `{}`: {error}", path.display());
    std::fs::create_dir_all(folder).map_err(fault)?;
    // Two who import at once take turns: neither loses what the other has.
    let lock = File::create(path.with_extension("lock")).map_err(fault)?;
    lock.lock().map_err(fault)?;
    let count = found.read();
    let bases = found.bases();
    let mut all = match open() {
        Ok(Some(old)) => Builder::keeping(&old, &|base| bases.contains(base)).map_err(|error| error.to_string())?,
        Ok(None) => Builder::default(),
        Err(error) => return Err(format!("{error}. Remove the file, then import everything again")),
    };
    all.merge(found);
    let bytes = all.finish(now).map_err(fault)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fault)?;
    file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(fault)?;
    file.persist(&path).map_err(|error| fault(error.error))?;
    Ok(count)
}

/// Reads records in the OSV format: zip archives and folders with a record a file, lines of JSON, or a file with one record, a list, or an
/// object with a list in `vulns`.
///
/// # Errors
/// A sentence about a file that cannot be opened, or an archive that is none or not whole. A single record that makes no sense is counted
/// and told.
pub(crate) fn read(paths: &[PathBuf]) -> Result<ReadRecords, String> {
    let mut found = ReadRecords::default();
    for path in paths {
        let before = found.builder.read().records + found.refused;
        found.file(path)?;
        if found.builder.read().records + found.refused == before {
            return Err(format!("`{}` has no records in the OSV format", path.display()));
        }
    }
    Ok(found)
}

impl ReadRecords {
    fn file(&mut self, path: &Path) -> Result<(), String> {
        let shown = path.display();
        let fault = |error: std::io::Error| format!("cannot read `{shown}`: {error}");
        if path.is_dir() {
            return self.folder(path);
        }
        let mut file = File::open(path).map_err(fault)?;
        let mut start = [0; 4];
        let length = file.read(&mut start).map_err(fault)?;
        let file = File::open(path).map_err(fault)?;
        if start[..length].starts_with(b"PK") {
            return self.archive(path, file);
        }
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if matches!(extension, "jsonl" | "ndjson") {
            return self.lines(path, file);
        }
        let mut bytes = Vec::new();
        file.take(LARGEST_ARCHIVE).read_to_end(&mut bytes).map_err(fault)?;
        self.document(&shown.to_string(), &bytes);
        Ok(())
    }

    /// All `.json` files below, in the order of their names; links are not followed.
    fn folder(&mut self, folder: &Path) -> Result<(), String> {
        let fault = |error: std::io::Error| format!("cannot read `{}`: {error}", folder.display());
        let mut entries: Vec<_> = std::fs::read_dir(folder).map_err(fault)?.collect::<Result<_, _>>().map_err(fault)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let kind = entry.file_type().map_err(fault)?;
            let path = entry.path();
            if kind.is_dir() {
                self.folder(&path)?;
            } else if kind.is_file()
                && path.extension().is_some_and(|extension| extension == "json" || extension == "zip")
            {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn archive(&mut self, path: &Path, file: File) -> Result<(), String> {
        let shown = path.display();
        let fault = |error: &dyn std::fmt::Display| format!("`{shown}` is no whole zip archive: {error}");
        let mut archive = zip::ZipArchive::new(file).map_err(|error| fault(&error))?;
        let mut left = LARGEST_ARCHIVE;
        let mut bytes = Vec::new();
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).map_err(|error| fault(&error))?;
            let name = entry.name().to_owned();
            if !entry.is_file() || !name.ends_with(".json") {
                continue;
            }
            bytes.clear();
            entry.by_ref().take(LARGEST_RECORD + 1).read_to_end(&mut bytes).map_err(|error| fault(&error))?;
            if bytes.len() as u64 > LARGEST_RECORD {
                self.refuse(format!("`{name}` in `{shown}` has more than {LARGEST_RECORD} bytes"));
                continue;
            }
            left = left
                .checked_sub(bytes.len() as u64)
                .ok_or_else(|| format!("`{shown}` unpacks to more than {LARGEST_ARCHIVE} bytes; import it in parts"))?;
            self.record(&name, &bytes);
        }
        Ok(())
    }

    fn lines(&mut self, path: &Path, file: File) -> Result<(), String> {
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let read = reader.by_ref().take(LARGEST_RECORD).read_until(b'\n', &mut line);
            let length = read.map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
            if length == 0 {
                break;
            }
            if !line.trim_ascii().is_empty() {
                self.record(&format!("{}:{number}", path.display()), &line);
            }
        }
        Ok(())
    }

    /// One record, a list of them, or an object with the list in `vulns`.
    fn document(&mut self, name: &str, bytes: &[u8]) {
        let records = match serde_json::from_slice::<Value>(bytes) {
            Ok(Value::Array(records)) => records,
            Ok(Value::Object(mut object)) if object.get("vulns").is_some_and(Value::is_array) => {
                match object.remove("vulns") {
                    Some(Value::Array(records)) => records,
                    _ => Vec::new(),
                }
            }
            Ok(_) => return self.record(name, bytes),
            Err(error) => return self.refuse(format!("`{name}`: it is no JSON: {error}")),
        };
        for record in records {
            self.record(name, record.to_string().as_bytes());
        }
    }

    fn record(&mut self, name: &str, bytes: &[u8]) {
        match read_record(bytes) {
            Ok((filed, modified)) => self.builder.add(filed, &modified),
            Err(error) => self.refuse(format!("`{name}`: {error}")),
        }
    }

    fn refuse(&mut self, why: String) {
        self.refused += 1;
        if self.why.len() < NAMED {
            self.why.push(why);
        }
    }
}
