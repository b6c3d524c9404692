//! Where the master key comes from: the key file, a variable, or a passphrase.

use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::SecretsError;
use crate::file::{self, Lock};
use crate::seal::{self, Key};
use crate::text::SecretText;

/// A line of the key file: this word and the key in base64.
const KEY_LINE: &str = "lineclear-key-1 ";
/// A key file has a line for each time the key was changed.
const LARGEST_KEY_FILE: u64 = 64 * 1024;
/// Fewest characters of a passphrase.
const SHORTEST_PASSPHRASE: usize = 8;

/// What a store is encrypted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// 256 random bits: of the key file, or of LINECLEAR_SECRETS_KEY.
    Key,
    /// A passphrase.
    Passphrase,
}

/// How much work it is to turn a passphrase into a key (argon2id).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PassphraseCost {
    /// The second recommendation of RFC 9106: 64 MiB, three passes, four lanes.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 }
    }
}

impl PassphraseCost {
    /// Whether a file may ask for this: a hostile one could otherwise take the machine's memory.
    pub(crate) fn is_reasonable(self) -> bool {
        self.memory_kib >= 8 * self.lanes.max(1)
            && self.memory_kib <= 1024 * 1024
            && (1..=32).contains(&self.passes)
            && (1..=16).contains(&self.lanes)
    }
}

/// Everything that a master key may come from. A file says itself whether it wants a key or a passphrase.
#[derive(Clone, Debug)]
pub struct KeySources {
    /// `LINECLEAR_SECRETS_KEY`: 32 bytes in base64. Counts instead of the key file.
    pub key: Option<SecretText>,
    /// `LINECLEAR_SECRETS_PASSPHRASE`.
    pub passphrase: Option<SecretText>,
    /// The key file. It is made, readable by its owner alone, when a store is made and nothing else is given.
    pub key_file: PathBuf,
    /// For new passphrases.
    pub cost: PassphraseCost,
}

/// What a store is to be encrypted with from now on.
#[derive(Clone, Debug)]
pub enum NewKey {
    /// A new key, added to the key file. Older ones stay there: other stores and backups may need them.
    KeyFile,
    /// 32 bytes in base64.
    Key(SecretText),
    /// A passphrase.
    Passphrase(SecretText),
}

/// A master key, with what the file has to say of it.
#[derive(Clone, Debug)]
pub(crate) struct Master {
    pub(crate) key: Key,
    pub(crate) how: How,
}

/// How a file says that its key is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Key,
    Passphrase { salt: Vec<u8>, cost: PassphraseCost },
}

impl How {
    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            Self::Key => KeyKind::Key,
            Self::Passphrase { .. } => KeyKind::Passphrase,
        }
    }
}

impl KeySources {
    /// The keys that may open the file at `path`, the most likely first, and where they are from.
    pub(crate) fn candidates(&self, how: &How, path: &Path) -> Result<(Vec<Key>, String), SecretsError> {
        match how {
            How::Passphrase { salt, cost } => {
                let missing = || SecretsError::NoPassphrase { path: path.to_owned() };
                let passphrase = self.passphrase.as_ref().ok_or_else(missing)?;
                let key = Key::of_passphrase(passphrase.expose(), salt, *cost)?;
                Ok((vec![key], "LINECLEAR_SECRETS_PASSPHRASE".to_owned()))
            }
            How::Key => {
                if let Some(text) = &self.key {
                    return Ok((vec![decode(text.expose(), VARIABLE)?], VARIABLE.to_owned()));
                }
                let mut keys = read_key_file(&self.key_file)?;
                if keys.is_empty() {
                    return Err(SecretsError::NoKey { path: path.to_owned(), key_file: self.key_file.clone() });
                }
                keys.reverse();
                Ok((keys, format!("`{}`", self.key_file.display())))
            }
        }
    }

    /// The key for a store that is not there yet: the variable, the passphrase, or the key file, which is made if need be.
    pub(crate) fn for_new_store(&self, held: &Lock) -> Result<Master, SecretsError> {
        if let Some(text) = &self.key {
            return Ok(Master { key: decode(text.expose(), VARIABLE)?, how: How::Key });
        }
        if let Some(passphrase) = &self.passphrase {
            return of_passphrase(passphrase, self.cost);
        }
        if let Some(key) = read_key_file(&self.key_file)?.pop() {
            return Ok(Master { key, how: How::Key });
        }
        add_to_key_file(&self.key_file, held)
    }

    /// The key that a store is changed to.
    pub(crate) fn changed_to(&self, new: &NewKey, held: &Lock) -> Result<Master, SecretsError> {
        match new {
            NewKey::KeyFile => add_to_key_file(&self.key_file, held),
            NewKey::Key(text) => Ok(Master { key: decode(text.expose(), "the new key")?, how: How::Key }),
            NewKey::Passphrase(passphrase) => of_passphrase(passphrase, self.cost),
        }
    }
}

const VARIABLE: &str = "LINECLEAR_SECRETS_KEY";

fn of_passphrase(passphrase: &SecretText, cost: PassphraseCost) -> Result<Master, SecretsError> {
    if passphrase.expose().chars().count() < SHORTEST_PASSPHRASE {
        return Err(SecretsError::ShortPassphrase { fewest: SHORTEST_PASSPHRASE });
    }
    let mut salt = vec![0; 16];
    seal::fill(&mut salt)?;
    let key = Key::of_passphrase(passphrase.expose(), &salt, cost)?;
    Ok(Master { key, how: How::Passphrase { salt, cost } })
}

fn decode(text: &str, from: &str) -> Result<Key, SecretsError> {
    let malformed = || SecretsError::MalformedKey { from: from.to_owned() };
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| malformed())?);
    Key::from_bytes(&bytes).ok_or_else(malformed)
}

/// The keys of the key file, oldest first; none if there is no such file.
fn read_key_file(path: &Path) -> Result<Vec<Key>, SecretsError> {
    let Some(text) = read_private(path)? else { return Ok(Vec::new()) };
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let malformed = || SecretsError::MalformedKey { from: format!("a line of `{}`", path.display()) };
        let key = line.strip_prefix(KEY_LINE).ok_or_else(malformed)?;
        keys.push(decode(key, &format!("a line of `{}`", path.display()))?);
    }
    Ok(keys)
}

/// The text of a file that nobody else can read; `None` if there is no such file.
fn read_private(path: &Path) -> Result<Option<Zeroizing<String>>, SecretsError> {
    let io = |source| SecretsError::Io { doing: "read", path: path.to_owned(), source };
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut file = match std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let facts = file.metadata().map_err(io)?;
    let mode = facts.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretsError::ExposedKeyFile { path: path.to_owned(), mode });
    }
    let me = rustix::process::geteuid().as_raw();
    if facts.uid() != me && me != 0 {
        return Err(SecretsError::ForeignKeyFile { path: path.to_owned() });
    }
    if facts.len() > LARGEST_KEY_FILE {
        return Err(SecretsError::FileTooLarge { path: path.to_owned(), size: facts.len() });
    }
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LARGEST_KEY_FILE).unwrap_or_default()));
    file.by_ref().take(LARGEST_KEY_FILE).read_to_string(&mut text).map_err(io)?;
    Ok(Some(text))
}

/// A new key as the last line of the key file. `held` is the lock of the store that wants it.
fn add_to_key_file(path: &Path, held: &Lock) -> Result<Master, SecretsError> {
    let folder = file::folder_of(path);
    file::make_private_folder(folder)?;
    // The stores have their folders' locks; two of them may share the key file.
    let _lock = if held.is_of(folder) { None } else { Some(file::lock(folder)?) };
    let mut text = match read_private(path)? {
        Some(text) => text,
        None => Zeroizing::new(
            "# The keys of Lineclear's secrets, the last is the current one. Keep a copy apart from the secrets' files.\n"
                .to_owned(),
        ),
    };
    let key = Key::random()?;
    let encoded = Zeroizing::new(STANDARD.encode(key.bytes()));
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(KEY_LINE);
    text.push_str(&encoded);
    text.push('\n');
    file::replace(path, text.as_bytes())?;
    Ok(Master { key, how: How::Key })
}
