//! Logins for registries.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};

/// A login for one registry, as the engine passes it on. `Debug` shows no password.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RegistryLogin {
    /// The user's name; empty with an identity token.
    pub username: String,
    /// The password, or a token that stands for it.
    pub password: String,
    /// In place of both.
    pub identity_token: String,
    /// `ghcr.io`
    pub server: String,
}

impl fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryLogin")
            .field("username", &self.username)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl RegistryLogin {
    /// In the form of `X-Registry-Auth`.
    pub(crate) fn header(&self) -> String {
        URL_SAFE.encode(self.json().to_string())
    }

    pub(crate) fn json(&self) -> Value {
        if self.username.is_empty() && self.identity_token.is_empty() {
            return json!({});
        }
        json!({
            "username": self.username,
            "password": self.password,
            "identitytoken": self.identity_token,
            "serveraddress": self.server,
        })
    }
}

/// The logins of Docker's command line: `config.json` with its credential helpers.
#[derive(Clone, Debug, Default)]
pub struct LoginFile {
    config: Value,
}

impl LoginFile {
    /// Reads `config.json` of this folder. One that is not there has no logins.
    pub fn read(folder: &Path) -> Self {
        let config = fs::read(folder.join("config.json")).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { config: config.unwrap_or_default() }
    }

    /// The login for a registry such as `ghcr.io`, if there is one.
    pub fn login(&self, registry: &str) -> Option<RegistryLogin> {
        // Docker's own registry goes by its old address.
        let key = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
        let helper = self.config.get("credHelpers").and_then(|helpers| helpers.get(key)?.as_str());
        let helper = helper.or_else(|| self.config.get("credsStore")?.as_str()).filter(|helper| !helper.is_empty());
        if let Some(login) = helper.and_then(|helper| ask_helper(helper, key)) {
            return Some(login);
        }
        let auths = self.config.get("auths")?.as_object()?;
        let bare = |key: &str| {
            let key = key.trim_start_matches("https://").trim_start_matches("http://");
            key.split('/').next().unwrap_or_default().to_owned()
        };
        let entry = auths.get(key).or_else(|| Some(auths.iter().find(|(name, _)| bare(name) == registry)?.1))?;
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (mut username, mut password) = (text("username"), text("password"));
        if let Ok(plain) = STANDARD.decode(text("auth"))
            && let Some((user, secret)) = String::from_utf8_lossy(&plain).split_once(':')
        {
            (username, password) = (user.into(), secret.trim_end_matches('\0').into());
        }
        let identity_token = text("identitytoken");
        let is_empty = username.is_empty() && identity_token.is_empty();
        (!is_empty).then(|| RegistryLogin { username, password, identity_token, server: key.into() })
    }
}

/// Asks a credential helper; one that is missing or knows nothing has no login.
fn ask_helper(helper: &str, server: &str) -> Option<RegistryLogin> {
    if !helper.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return None;
    }
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // Dropped at the end of the statement, so that the helper sees the end of its input.
    let asked = child.stdin.take().map(|mut input| input.write_all(server.as_bytes()));
    let output = child.wait_with_output().ok()?;
    if !output.status.success() || !matches!(asked, Some(Ok(()))) {
        return None;
    }
    let said: Value = serde_json::from_slice(&output.stdout).ok()?;
    let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (username, secret) = (text("Username"), text("Secret"));
    Some(match username == "<token>" {
        true => RegistryLogin { identity_token: secret, server: server.into(), ..RegistryLogin::default() },
        false => RegistryLogin { username, password: secret, identity_token: String::new(), server: server.into() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_found_by_registry() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = json!({ "auths": {
            "https://index.docker.io/v1/": { "auth": STANDARD.encode("me:secret:with:colons") },
            "https://ghcr.io/v2/": { "username": "you", "password": "p" },
            "token.example": { "identitytoken": "t" },
            "empty.example": {},
        }});
        fs::write(folder.path().join("config.json"), text.to_string()).expect("a file");
        let file = LoginFile::read(folder.path());
        let hub = file.login("docker.io").expect("a login");
        assert_eq!((hub.username.as_str(), hub.password.as_str()), ("me", "secret:with:colons"));
        assert_eq!(file.login("ghcr.io").expect("a login").username, "you");
        assert_eq!(file.login("token.example").expect("a login").identity_token, "t");
        assert_eq!(file.login("empty.example"), None);
        assert_eq!(file.login("elsewhere.example"), None);
        assert!(!format!("{hub:?}").contains("secret"));
        assert_eq!(LoginFile::read(Path::new("/nowhere")).login("ghcr.io"), None);
    }
}
