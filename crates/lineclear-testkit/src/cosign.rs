//! The real cosign, offline: with keys, without a transparency log.

use std::path::Path;
use std::process::{Command, Stdio};

/// The passphrase of keys that tests make.
pub const PASSPHRASE: &str = "not-a-secret-of-anyone";

/// What cosign said.
#[derive(Debug)]
pub struct Said {
    pub success: bool,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs cosign in a folder, with [`PASSPHRASE`] for its keys and a home of the folder's own.
///
/// A test without cosign fails and says what to do: it is never skipped.
pub fn cosign(folder: &Path, args: &[&str]) -> Said {
    let output = Command::new("cosign")
        .args(args)
        .current_dir(folder)
        .env("HOME", folder)
        .env("COSIGN_PASSWORD", PASSPHRASE)
        .env("COSIGN_YES", "true")
        .env_remove("DOCKER_CONFIG")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("there is no `cosign` ({error}): `cargo xtask components` installs it"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { success: output.status.success(), out: text(&output.stdout), err: text(&output.stderr) }
}

impl Said {
    /// Demands that it succeeded.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert!(self.success, "cosign failed: {}\n{}", self.err, self.out);
        self
    }
}
