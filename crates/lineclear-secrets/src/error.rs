//! What can be wrong with a store of secrets.

use std::path::PathBuf;

use crate::name::{LARGEST_VALUE, NameError};
use crate::scope::ScopeError;

/// Why a store cannot be read or changed. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The text is no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The text is no scope.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// Larger than GitHub takes.
    #[error(
        "the value has {size} bytes; at most {LARGEST_VALUE} are possible: keep a longer one encrypted in a file, and its key here"
    )]
    TooLarge {
        /// In bytes.
        size: usize,
    },
    /// An empty value is what a missing one gives anyway; most often a command before `|` failed.
    #[error("the value is empty; a secret or variable that is not set is empty too, so there is nothing to keep")]
    EmptyValue,
    /// The system refused.
    #[error("cannot {doing} `{path}`")]
    Io {
        /// What was tried: "read", "write".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// More than is possible.
    #[error(
        "`{path}` has {size} bytes, which is more than a store of secrets can have: it is something else, or damaged"
    )]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// In bytes.
        size: u64,
    },
    /// Not of this format at all.
    #[error(
        "`{path}` is no store of secrets: it does not begin with `lineclear-secrets`; name another file, or restore it from a backup"
    )]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// Written by a later version.
    #[error(
        "`{path}` has version {version} of the format, this program knows {known}: use the newer Lineclear that wrote it"
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// As the file says.
        version: String,
        /// The newest that is understood.
        known: u32,
    },
    /// It does not end as a whole file does.
    #[error("`{path}` is cut off: its last line is not the seal; restore it from a backup")]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// Two versions of it were merged line by line.
    #[error("`{path}` holds conflict marks of a merge: take one side whole, then set the other side's values again")]
    MergeConflict {
        /// The file.
        path: PathBuf,
    },
    /// Not what was written.
    #[error("`{path}` is damaged: {why}; restore it from a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// Another key, or the lines that tell of the key are damaged.
    #[error(
        "the key in {from} does not open `{path}`: the file was written with another key, or its first lines are damaged"
    )]
    WrongKey {
        /// The file.
        path: PathBuf,
        /// Where the key came from.
        from: String,
    },
    /// The file is encrypted with a passphrase, and there is none.
    #[error("`{path}` is encrypted with a passphrase: give it in LINECLEAR_SECRETS_PASSPHRASE")]
    NoPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The file is encrypted with a key, and there is none.
    #[error(
        "the key of `{path}` is not here: give it in LINECLEAR_SECRETS_KEY, or put the key file back as `{key_file}`"
    )]
    NoKey {
        /// The store.
        path: PathBuf,
        /// Where the key would be.
        key_file: PathBuf,
    },
    /// The variable's value is no key.
    #[error("{from} is no key: expected 32 bytes in base64, as `openssl rand -base64 32` prints them")]
    MalformedKey {
        /// Which variable or file.
        from: String,
    },
    /// Too little to keep anything secret.
    #[error("a passphrase needs at least {fewest} characters")]
    ShortPassphrase {
        /// How many.
        fewest: usize,
    },
    /// Others can read the key file.
    #[error(
        "the key file `{path}` can be read by others (mode {mode:03o}): run `chmod 600 {path}`; if others may have read it, run `lineclear secret rekey` after that"
    )]
    ExposedKeyFile {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The key file is somebody else's.
    #[error("the key file `{path}` belongs to another user: whoever owns it could read all secrets")]
    ForeignKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// The cost named in the file is beyond what a program should do for a file.
    #[error(
        "`{path}` asks for more work to open it than is reasonable ({memory_kib} KiB, {passes} passes, {lanes} lanes): it is damaged, or a trap"
    )]
    UnreasonableCost {
        /// The file.
        path: PathBuf,
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    NoRandomness(String),
    /// A limit of the cipher that no value here can reach.
    #[error("the cipher refused")]
    Cipher,
}

impl SecretsError {
    /// Whether the file's content is at fault, rather than its key or its place.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::FileTooLarge { .. }
            | Self::NotAStore { .. }
            | Self::Truncated { .. }
            | Self::MergeConflict { .. }
            | Self::Damaged { .. }
            | Self::UnreasonableCost { .. } => true,
            Self::Name(_)
            | Self::Scope(_)
            | Self::TooLarge { .. }
            | Self::EmptyValue
            | Self::Io { .. }
            | Self::NewerVersion { .. }
            | Self::WrongKey { .. }
            | Self::NoPassphrase { .. }
            | Self::NoKey { .. }
            | Self::MalformedKey { .. }
            | Self::ShortPassphrase { .. }
            | Self::ExposedKeyFile { .. }
            | Self::ForeignKeyFile { .. }
            | Self::NoRandomness(_)
            | Self::Cipher => false,
        }
    }
}
