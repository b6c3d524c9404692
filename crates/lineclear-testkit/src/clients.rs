//! The official npm clients of artifacts, caches and the forge, installed once for all tests.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A folder with `node_modules` that has the clients, each at several major versions: `artifact2`, `cache6` and so on, as
/// `crates/lineclear-services/tests/clients/package.json` names them. The first test that asks installs them.
pub fn official_clients() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lineclear-services/tests/clients");
        let target = crate::binary().parent().and_then(Path::parent).expect("a build folder").to_owned();
        let folder = target.join("tmp/services-clients");
        fs::create_dir_all(&folder).expect("a folder below the build folder");
        // One test process installs; others wait for it.
        let lock = File::create(folder.join("lock")).expect("a lock file");
        lock.lock().expect("the lock");
        let wanted = fs::read_to_string(scripts.join("package-lock.json")).expect("the lock file of the clients");
        let is_there = fs::read_to_string(folder.join("installed")).is_ok_and(|known| known == wanted);
        for entry in fs::read_dir(&scripts).expect("the scripts").map(|entry| entry.expect("an entry").path()) {
            fs::copy(&entry, folder.join(entry.file_name().expect("a name"))).expect("a copy");
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
    })
}
