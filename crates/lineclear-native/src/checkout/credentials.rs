//! What git needs to be let in, and that nothing of it is left behind.
//!
//! The token is never part of a command or of the repository's own settings: it is in a file of the job's temporary folder,
//! which the repository's settings include.
//!
//! # Source
//! `src/git-auth-helper` of `actions/checkout`: the header, where it is kept, the options of ssh.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use lineclear_runner::native::{Call, NativeError};

use super::git::Git;
use super::git_dir::add_config;
use super::settings::{Settings, Ssh};
use super::{CREDENTIALS, REPOSITORY};

/// What tokens begin with that Lineclear made for a run itself. No server would take one, and one that is sent and not taken
/// is worse than none: public repositories could not be fetched either.
const OWN_TOKEN: &str = "lct_";

/// GitHub's key, known without being told.
///
/// # Source
/// GitHub's documentation, "GitHub's SSH key fingerprints".
const GITHUB_KEY: &str = "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/// Not to wait for ever, and for nobody's answer.
const PATIENT_SSH: &str = "-o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=4";

/// Credentials for one checkout, in files of the job.
#[derive(Debug)]
pub(super) struct Credentials {
    /// Name and value of the setting that carries the token.
    header: Option<(String, String)>,
    ssh_command: Option<String>,
    /// Whether the user's own way to use ssh is left as it is.
    has_own_ssh: bool,
    files: Vec<PathBuf>,
}

impl Credentials {
    /// # Errors
    /// The files cannot be written.
    pub(super) fn make(call: &mut Call<'_>, settings: &Settings) -> Result<Self, NativeError> {
        let has_own_ssh = call.env.contains_key("GIT_SSH_COMMAND") || call.env.contains_key("GIT_SSH");
        let mut credentials = Self { header: None, ssh_command: None, has_own_ssh, files: Vec::new() };
        let is_own_token = settings.token == call.token && settings.token.starts_with(OWN_TOKEN);
        if !settings.token.is_empty() && !is_own_token && settings.server.starts_with("http") {
            let basic = base64(format!("x-access-token:{}", settings.token).as_bytes());
            call.effects.add_mask(&basic);
            let name = format!("http.{}/.extraheader", origin(&settings.server));
            credentials.header = Some((name, format!("AUTHORIZATION: basic {basic}")));
        }
        if let Some(ssh) = &settings.ssh {
            let made = credentials.make_ssh(call, ssh);
            made.map_err(|error| NativeError(format!("cannot keep the ssh key for this job: {error}")))?;
        }
        Ok(credentials)
    }

    fn make_ssh(&mut self, call: &Call<'_>, ssh: &Ssh) -> io::Result<()> {
        let temp = &call.room.layout().temp;
        let key = self.write(temp, "ssh-key-", &format!("{}\n", ssh.key.trim()))?;
        let home = call.env.get("HOME").map(|home| Path::new(home).join(".ssh/known_hosts"));
        let of_user = home.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let known = format!("{of_user}\n{}\n{GITHUB_KEY}\n", ssh.known_hosts);
        let known = self.write(temp, "ssh-known-hosts-", &known)?;
        let strict = if ssh.is_strict { " -o StrictHostKeyChecking=yes -o CheckHostIP=no" } else { "" };
        let (key, known) = (key.display(), known.display());
        self.ssh_command = Some(format!("ssh -i \"{key}\"{strict} -o \"UserKnownHostsFile={known}\" {PATIENT_SSH}"));
        Ok(())
    }

    /// A new file that nobody else may read.
    fn write(&mut self, folder: &Path, prefix: &str, text: &str) -> io::Result<PathBuf> {
        let file = tempfile::Builder::new().prefix(prefix).tempfile_in(folder)?;
        let (mut file, path) = file.keep().map_err(|error| error.error)?;
        self.files.push(path.clone());
        file.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// git with these credentials, for as long as the checkout lasts.
    pub(super) fn apply<'a>(&self, git: Git<'a>) -> Git<'a> {
        let git = match &self.header {
            Some((name, value)) => git.with_setting(name, value),
            None => git,
        };
        match &self.ssh_command {
            Some(command) => git.with_env("GIT_SSH_COMMAND", command),
            None if self.has_own_ssh => git,
            None => git.with_env("GIT_SSH_COMMAND", &format!("ssh {PATIENT_SSH}")),
        }
    }

    /// Leaves the credentials to the steps that follow, or removes them, as the inputs say.
    ///
    /// # Errors
    /// The files cannot be written.
    pub(super) fn finish(mut self, call: &mut Call<'_>, settings: &Settings) -> Result<(), NativeError> {
        if !settings.persist_credentials {
            self.discard();
            return Ok(());
        }
        self.persist(call, &settings.folder)
            .map_err(|error| NativeError(format!("cannot keep the credentials for this job: {error}")))?;
        if !self.files.is_empty() {
            let files: Vec<String> = self.files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
            call.state.insert(CREDENTIALS.into(), files.join("\n"));
            call.state.insert(REPOSITORY.into(), settings.folder.to_string_lossy().into_owned());
        }
        Ok(())
    }

    fn persist(&mut self, call: &Call<'_>, folder: &Path) -> io::Result<()> {
        if let Some((name, value)) = self.header.clone() {
            let section =
                name.strip_prefix("http.").and_then(|name| name.strip_suffix(".extraheader")).unwrap_or(&name);
            let text = format!("[http \"{section}\"]\n\textraheader = {value}\n");
            let file = self.write(&call.room.layout().temp, "git-credentials-", &text)?;
            let git_dir = folder.join(".git");
            let mut lines = String::new();
            for condition in [git_dir.display().to_string(), format!("{}/worktrees/*", git_dir.display())] {
                lines.push_str(&format!("[includeIf \"gitdir:{condition}\"]\n\tpath = \"{}\"\n", file.display()));
            }
            add_config(folder, &lines)?;
        }
        if let Some(command) = &self.ssh_command {
            let quoted = command.replace('\\', "\\\\").replace('"', "\\\"");
            add_config(folder, &format!("[core]\n\tsshCommand = \"{quoted}\"\n"))?;
        }
        Ok(())
    }

    /// Removes what is in files.
    pub(super) fn discard(self) {
        for file in self.files {
            // What stays goes with the job's temporary folder.
            let _ = fs::remove_file(file);
        }
    }
}

/// Takes the credentials that a checkout left out of the repository's settings, and removes their files.
pub(super) fn remove(call: &mut Call<'_>) {
    let files = call.state.get(CREDENTIALS).cloned().unwrap_or_default();
    let Some(folder) = call.state.get(REPOSITORY).map(PathBuf::from) else { return };
    let files: Vec<&str> = files.lines().collect();
    if files.is_empty() {
        return;
    }
    let path = folder.join(".git/config");
    // A step may have put a link there.
    if let Err(out) = call.reach.check(&path) {
        call.effects.log(&format!("[warning]the credentials stay: {out}"));
    } else if let Ok(text) = fs::read_to_string(&path) {
        let kept = without(&text, &files);
        if kept != text
            && OpenOptions::new()
                .write(true)
                .truncate(true)
                .mode(0o600)
                .open(&path)
                .and_then(|mut file| file.write_all(kept.as_bytes()))
                .is_err()
        {
            call.effects.log(&format!("[warning]cannot take the credentials out of `{}`", path.display()));
        }
    }
    for file in files {
        let _ = fs::remove_file(file);
    }
    call.effects.log("Removed the credentials");
}

/// The settings without the sections that name one of the files.
fn without(text: &str, files: &[&str]) -> String {
    let mut kept = String::new();
    let mut section = String::new();
    for line in text.lines().map(Some).chain([None]) {
        if line.is_none_or(|line| line.starts_with('[')) {
            if !files.iter().any(|file| section.contains(file)) {
                kept.push_str(&section);
            }
            section.clear();
        }
        if let Some(line) = line {
            section.push_str(line);
            section.push('\n');
        }
    }
    kept
}

/// Scheme, host and port of an address.
fn origin(server: &str) -> String {
    match server.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or(rest);
            format!("{scheme}://{}", host.rsplit_once('@').map_or(host, |(_, host)| host))
        }
        None => server.to_owned(),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[word >> (18 - 6 * place) & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_written_in_base64() {
        for (plain, expected) in [
            ("", ""),
            ("a", "YQ=="),
            ("ab", "YWI="),
            ("abc", "YWJj"),
            ("x-access-token:t\u{ff}", "eC1hY2Nlc3MtdG9rZW46dMO/"),
        ] {
            assert_eq!(base64(plain.as_bytes()), expected);
        }
    }

    #[test]
    fn only_the_sections_of_the_credentials_are_taken_out() {
        let text = "[core]\n\tbare = false\n[includeIf \"gitdir:/w/.git\"]\n\tpath = \"/t/git-credentials-1\"\n[core]\n\tsshCommand = \"ssh -i /t/key\"\n[user]\n\tname = x\n";
        assert_eq!(without(text, &["/t/git-credentials-1", "/t/key"]), "[core]\n\tbare = false\n[user]\n\tname = x\n");
    }

    #[test]
    fn a_header_belongs_to_the_server_alone() {
        assert_eq!(origin("https://github.com"), "https://github.com");
        assert_eq!(origin("https://host:8443/prefix"), "https://host:8443");
    }
}
