//! The file's format: lines of text, so that a store in a repository has a history that can be read.
//!
//! ```text
//! lineclear-secrets 1
//! {"how":"key","check":"…"}
//! {"id":"…","kind":"secret","repository":"octo/app","name":"TOKEN","revision":1,…,"key":"…","value":"…"}
//! seal …
//! ```
//! The last line is a tag over all bytes before it. A record keeps its line until its value changes.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::error::SecretsError;
use crate::key::{How, KeySources, Master, PassphraseCost};
use crate::name::Name;
use crate::record::{Contents, Entry, Kind, Sealed};
use crate::scope::{RepositoryName, Scope};
use crate::seal::Key;
use crate::text::SecretText;

const WORD: &str = "lineclear-secrets";
const VERSION: u32 = 1;

/// The second line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    how: HowWritten,
    /// Opens with the right key only.
    check: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum HowWritten {
    Key,
    Passphrase { salt: String, memory_kib: u32, passes: u32, lanes: u32 },
}

/// One line of the rest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    kind: KindWritten,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    name: String,
    revision: u64,
    created: i64,
    updated: i64,
    key: String,
    value: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindWritten {
    Secret,
    Variable,
}

/// A file that was opened: its key, and the second line as it is.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) master: Master,
    pub(crate) check: Vec<u8>,
    pub(crate) contents: Contents,
}

/// The parts of a file that can be told without a key.
struct Outline<'a> {
    how: How,
    check: Vec<u8>,
    records: Vec<&'a str>,
    /// All before the last line.
    sealed: &'a str,
    seal: Vec<u8>,
}

/// How the file at `path` says that its key is found.
pub(crate) fn how_of(bytes: &[u8], path: &Path) -> Result<How, SecretsError> {
    outline(bytes, path).map(|outline| outline.how)
}

/// Reads a whole file. Everything in it is authenticated before any of it is believed.
pub(crate) fn read(bytes: &[u8], path: &Path, keys: &KeySources) -> Result<Opened, SecretsError> {
    let outline = outline(bytes, path)?;
    let (candidates, from) = keys.candidates(&outline.how, path)?;
    let fits = |key: &Key| key.open(&outline.check, &about_check(&outline.how)).is_some();
    let wrong_key = || SecretsError::WrongKey { path: path.to_owned(), from };
    let key = candidates.into_iter().find(fits).ok_or_else(wrong_key)?;
    if key.open(&outline.seal, &about_seal(outline.sealed)).is_none() {
        return Err(damaged(path, "its seal does not fit what it holds"));
    }
    let mut contents = Contents::default();
    for (at, line) in outline.records.iter().enumerate() {
        let line_number = at + 3;
        let entry = entry(line, &key).map_err(|why| damaged(path, &format!("line {line_number}: {why}")))?;
        if contents.get(entry.kind, &entry.scope, &entry.name).is_some() {
            return Err(damaged(path, &format!("line {line_number} sets {} a second time", entry.name)));
        }
        contents.entries.push(entry);
    }
    Ok(Opened { master: Master { key, how: outline.how }, check: outline.check, contents })
}

/// The bytes of a file with these contents. Entries that are not sealed yet become so.
pub(crate) fn write(opened: &mut Opened) -> Result<Vec<u8>, SecretsError> {
    let Opened { master, check, contents } = opened;
    if check.is_empty() {
        *check = master.key.seal(b"", &about_check(&master.how))?;
    }
    let how = match &master.how {
        How::Key => HowWritten::Key,
        How::Passphrase { salt, cost } => HowWritten::Passphrase {
            salt: STANDARD.encode(salt),
            memory_kib: cost.memory_kib,
            passes: cost.passes,
            lanes: cost.lanes,
        },
    };
    let mut text = format!("{WORD} {VERSION}\n");
    push(&mut text, &Header { how, check: STANDARD.encode(&*check) })?;
    for entry in &mut contents.entries {
        let sealed = match entry.sealed.take() {
            Some(sealed) => sealed,
            None => seal(entry, &master.key)?,
        };
        push(&mut text, &line(entry, &sealed))?;
        entry.sealed = Some(sealed);
    }
    let seal = master.key.seal(b"", &about_seal(&text))?;
    text.push_str(&format!("seal {}\n", STANDARD.encode(seal)));
    Ok(text.into_bytes())
}

fn push(text: &mut String, line: &impl Serialize) -> Result<(), SecretsError> {
    // Maps with text keys and numbers can always be written.
    text.push_str(&serde_json::to_string(line).map_err(|_| SecretsError::Cipher)?);
    text.push('\n');
    Ok(())
}

fn outline<'a>(bytes: &'a [u8], path: &Path) -> Result<Outline<'a>, SecretsError> {
    let truncated = || SecretsError::Truncated { path: path.to_owned() };
    let text = match std::str::from_utf8(bytes) {
        Ok("") => return Err(truncated()),
        Ok(text) => text,
        Err(_) if !bytes.starts_with(WORD.as_bytes()) => return Err(SecretsError::NotAStore { path: path.to_owned() }),
        Err(_) => return Err(damaged(path, "it is not text")),
    };
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let version = first.strip_prefix(WORD).ok_or_else(|| SecretsError::NotAStore { path: path.to_owned() })?;
    let version = version.strip_prefix(' ').ok_or_else(|| damaged(path, "its first line names no version"))?;
    match version.parse::<u32>() {
        Ok(VERSION) if version.len() == 1 => {}
        Ok(newer) if newer > VERSION => {
            let version = version.to_owned();
            return Err(SecretsError::NewerVersion { path: path.to_owned(), version, known: VERSION });
        }
        Ok(_) | Err(_) => return Err(damaged(path, "its first line names no version that ever was")),
    }
    if text.lines().any(|line| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>")) {
        return Err(SecretsError::MergeConflict { path: path.to_owned() });
    }
    let without_end = text.strip_suffix('\n').ok_or_else(truncated)?;
    let last = without_end.rfind('\n').map(|at| at + 1).ok_or_else(truncated)?;
    let seal = without_end[last..].strip_prefix("seal ").ok_or_else(truncated)?;
    let seal = decode(seal).ok_or_else(|| damaged(path, "its last line is no seal"))?;
    let mut records = rest.get(..last - first.len() - 1).unwrap_or_default().lines();
    let header: Header = records
        .next()
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| damaged(path, "line 2 does not say how its key is found"))?;
    let malformed = || damaged(path, "line 2 is not well formed");
    let check = decode(&header.check).ok_or_else(malformed)?;
    let how = match header.how {
        HowWritten::Key => How::Key,
        HowWritten::Passphrase { salt, memory_kib, passes, lanes } => {
            let cost = PassphraseCost { memory_kib, passes, lanes };
            if !cost.is_reasonable() {
                return Err(SecretsError::UnreasonableCost { path: path.to_owned(), memory_kib, passes, lanes });
            }
            let salt = decode(&salt).filter(|salt| (8..=64).contains(&salt.len())).ok_or_else(malformed)?;
            How::Passphrase { salt, cost }
        }
    };
    Ok(Outline { how, check, records: records.collect(), sealed: &text[..last], seal })
}

fn entry(line: &str, master: &Key) -> Result<Entry, String> {
    let line: Line = serde_json::from_str(line).map_err(|_| "it is no record".to_owned())?;
    let repository =
        line.repository.as_deref().map(RepositoryName::new).transpose().map_err(|error| error.to_string())?;
    let scope = match (repository, line.environment) {
        (None, None) => Scope::Machine,
        (Some(repository), None) => Scope::Repository(repository),
        (Some(repository), Some(environment)) => {
            Scope::environment(repository, &environment).map_err(|error| error.to_string())?
        }
        (None, Some(_)) => return Err("an environment without a repository".to_owned()),
    };
    let boxes = decode(&line.key).zip(decode(&line.value)).ok_or("its value is not base64")?;
    let sealed = Sealed { key: boxes.0, value: boxes.1 };
    let mut entry = Entry {
        id: line.id,
        kind: match line.kind {
            KindWritten::Secret => Kind::Secret,
            KindWritten::Variable => Kind::Variable,
        },
        scope,
        name: Name::new(&line.name).map_err(|error| error.to_string())?,
        revision: line.revision,
        created: line.created,
        updated: line.updated,
        value: SecretText::new(String::new()),
        sealed: None,
    };
    let closed = "its value does not open with what the line says of it";
    let data_key = master.open(&sealed.key, &about(&entry, "key")).ok_or(closed)?;
    let data_key = Key::from_bytes(&data_key).ok_or(closed)?;
    let mut value = data_key.open(&sealed.value, &about(&entry, "value")).ok_or(closed)?;
    // The bytes are moved, not copied: nothing is left behind that would have to be wiped.
    let value = String::from_utf8(std::mem::take(&mut *value)).map_err(|_| "its value is not text")?;
    entry.value = SecretText::new(value);
    entry.sealed = Some(sealed);
    Ok(entry)
}

fn seal(entry: &Entry, master: &Key) -> Result<Sealed, SecretsError> {
    let data_key = Key::random()?;
    Ok(Sealed {
        key: master.seal(data_key.bytes(), &about(entry, "key"))?,
        value: data_key.seal(entry.value.expose().as_bytes(), &about(entry, "value"))?,
    })
}

fn line(entry: &Entry, sealed: &Sealed) -> Line {
    Line {
        id: entry.id.clone(),
        kind: match entry.kind {
            Kind::Secret => KindWritten::Secret,
            Kind::Variable => KindWritten::Variable,
        },
        repository: entry.scope.repository().map(|repository| repository.as_str().to_owned()),
        environment: entry.scope.environment_name().map(str::to_owned),
        name: entry.name.as_str().to_owned(),
        revision: entry.revision,
        created: entry.created,
        updated: entry.updated,
        key: STANDARD.encode(&sealed.key),
        value: STANDARD.encode(&sealed.value),
    }
}

/// What a box belongs to: each part with its length, so that no two records say the same.
fn about(entry: &Entry, purpose: &str) -> Vec<u8> {
    let numbers = [entry.revision.to_string(), entry.created.to_string(), entry.updated.to_string()];
    parts(&[
        "record",
        purpose,
        &entry.id,
        entry.kind.as_str(),
        entry.scope.repository().map_or("", RepositoryName::as_str),
        entry.scope.environment_name().unwrap_or_default(),
        entry.name.as_str(),
        &numbers[0],
        &numbers[1],
        &numbers[2],
    ])
}

fn about_check(how: &How) -> Vec<u8> {
    match how {
        How::Key => parts(&["check", "key"]),
        How::Passphrase { salt, cost } => {
            let PassphraseCost { memory_kib, passes, lanes } = cost;
            parts(&["check", "passphrase", &STANDARD.encode(salt), &format!("{memory_kib} {passes} {lanes}")])
        }
    }
}

fn about_seal(text: &str) -> Vec<u8> {
    parts(&["seal", text])
}

fn parts(parts: &[&str]) -> Vec<u8> {
    let mut bytes = format!("{WORD} {VERSION}").into_bytes();
    for part in parts {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

fn damaged(path: &Path, why: &str) -> SecretsError {
    SecretsError::Damaged { path: path.to_owned(), why: why.to_owned() }
}
