//! What no job of a sandbox sees: the secrets of whoever runs Lineclear, and the doors to the machine's daemons.

use std::fs;
use std::path::{Path, PathBuf};

/// In the user's home.
const IN_HOME: [&str; 40] = [
    ".ssh",
    ".gnupg",
    ".docker",
    ".aws",
    ".azure",
    ".kube",
    ".netrc",
    ".git-credentials",
    ".npmrc",
    ".yarnrc.yml",
    ".pypirc",
    ".vault-token",
    ".password-store",
    ".terraform.d/credentials.tfrc.json",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".gem/credentials",
    ".m2/settings-security.xml",
    ".config/gh",
    ".config/glab-cli",
    ".config/gcloud",
    ".config/containers",
    ".config/git/credentials",
    ".config/hub",
    ".config/lineclear",
    ".config/sops",
    ".config/age",
    ".config/rclone",
    ".config/google-chrome",
    ".config/chromium",
    ".config/Signal",
    ".mozilla",
    ".thunderbird",
    ".local/share/keyrings",
    ".bash_history",
    ".zsh_history",
    ".python_history",
    ".node_repl_history",
    ".psql_history",
    ".mysql_history",
];

/// On the machine.
const ON_MACHINE: [&str; 9] = [
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/sudoers.d",
    "/etc/kubernetes",
    "/etc/docker/key.json",
    "/var/lib/docker",
    "/var/lib/containers",
];

/// Everything of it that is there, for a user with this home.
pub(crate) fn places(home: Option<&Path>) -> Vec<PathBuf> {
    let of_home = home.into_iter().flat_map(|home| IN_HOME.iter().map(|name| home.join(name)));
    let all = of_home.chain(ON_MACHINE.iter().map(PathBuf::from)).chain(host_keys()).chain(sockets());
    all.filter(|path| fs::symlink_metadata(path).is_ok()).collect()
}

fn host_keys() -> impl Iterator<Item = PathBuf> {
    let items = fs::read_dir("/etc/ssh").into_iter().flatten().flatten();
    items.map(|item| item.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("ssh_host_") && name.ends_with("_key")
    })
}

/// Sockets of the machine's processes that have a path. A read-only system does not keep anyone from connecting to them.
/// Those in `/run` are gone with it.
fn sockets() -> Vec<PathBuf> {
    let text = fs::read("/proc/net/unix").unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut found: Vec<PathBuf> = text
        .lines()
        .filter_map(|line| line.split_whitespace().nth(7))
        .filter(|path| path.starts_with('/'))
        .map(PathBuf::from)
        .filter(|path| !path.starts_with("/run") && !path.starts_with("/var/run") && !path.starts_with("/tmp"))
        .collect();
    found.sort();
    found.dedup();
    found
}
