//! npm packages that tests talk to us with, installed once for all tests: the official clients of artifacts, caches and the forge, and an
//! editor's side of the language server.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A folder with `node_modules` that has the clients, each at several major versions: `artifact2`, `cache6` and so on, as
/// `crates/lineclear-services/tests/clients/package.json` names them. The first test that asks installs them.
pub fn official_clients() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| installed("../lineclear-services/tests/clients", "services-clients"))
}

/// A folder with a client of the Language Server Protocol, `client.cjs`. The first test that asks installs it.
pub fn language_client() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| installed("../lineclear/tests/lsp", "language-client"))
}

/// A copy below the build folder of the scripts in a folder of the source, with the npm packages that they name.
fn installed(scripts: &str, name: &str) -> PathBuf {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join(scripts);
    let target = crate::binary().parent().and_then(Path::parent).expect("a build folder").to_owned();
    let folder = target.join("tmp").join(name);
    fs::create_dir_all(&folder).expect("a folder below the build folder");
    // One test process installs; others wait for it.
    let lock = File::create(folder.join("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    let wanted = fs::read_to_string(scripts.join("package-lock.json")).expect("the lock file of the packages");
    let is_there = fs::read_to_string(folder.join("installed")).is_ok_and(|known| known == wanted);
    for entry in fs::read_dir(&scripts).expect("the scripts").map(|entry| entry.expect("an entry").path()) {
        if entry.is_file() {
            fs::copy(&entry, folder.join(entry.file_name().expect("a name"))).expect("a copy");
        }
    }
    if !is_there {
        let output = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&folder)
            .output()
            .expect("npm is installed");
        assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
        fs::write(folder.join("installed"), wanted).expect("a note of what is installed");
    }
    folder
}
