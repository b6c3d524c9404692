//! `--forge`: whether calls of the forge's API stay here or go on to a real one.

use std::str::FromStr;

use lineclear_forge_remote::{ForgeKind, Limits, RemoteForge, Settings, Token};

/// The secret, or variable of the environment, that holds the token for a real forge.
pub(crate) const TOKEN: &str = "LINECLEAR_FORGE_TOKEN";

/// Which forge was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ForgeAsked {
    /// The embedded one: nothing leaves this machine.
    #[default]
    Local,
    Remote {
        kind: ForgeKind,
        api: String,
    },
}

impl FromStr for ForgeAsked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let remote = |kind, api: &str| Ok(Self::Remote { kind, api: api.trim_end_matches('/').to_owned() });
        match text {
            "local" => return Ok(Self::Local),
            "github" => return remote(ForgeKind::GitHub, "https://api.github.com"),
            _ => {}
        }
        let (kind, address) = match text.split_once('=') {
            Some(("github", address)) => (ForgeKind::GitHub, address),
            Some(("gitea" | "forgejo", address)) => (ForgeKind::Gitea, address),
            _ => {
                return Err(
                    "expected local, github, github=URL (an API's base, such as https://ghe.example.org/api/v3), \
                            gitea=URL or forgejo=URL (such as https://git.example.org/api/v1)"
                        .into(),
                );
            }
        };
        if !(address.starts_with("https://") || address.starts_with("http://")) {
            return Err(format!("`{address}` is no address: it has to begin with https:// or http://"));
        }
        remote(kind, address)
    }
}

/// Which forge stands behind the jobs of a command.
#[derive(Clone, Default)]
pub(crate) struct ForgeChoice {
    pub(crate) asked: ForgeAsked,
    /// What the real forge is called with: never shown to a job.
    pub(crate) token: Option<String>,
}

impl ForgeChoice {
    /// The real forge, if one was asked for; jobs are answered as if it stood at `base`.
    ///
    /// # Errors
    /// A sentence, when there is no token or the forge cannot be used.
    pub(crate) fn remote(&self, base: &str) -> Result<Option<RemoteForge>, String> {
        let ForgeAsked::Remote { kind, api } = &self.asked else { return Ok(None) };
        let token = self.token.as_deref().ok_or_else(|| {
            format!(
                "--forge {api} needs a token: set {TOKEN} in the environment, or give the secret GITHUB_TOKEN; calls are made \
                 with it as far as each job's `permissions:` allow"
            )
        })?;
        let settings = || {
            let token = Some(Token::new(token)?);
            let (url, local_base) = (api.clone(), base.to_owned());
            RemoteForge::new(Settings { url, kind: *kind, token, local_base, limits: Limits::default() })
        };
        settings().map(Some).map_err(|error| lineclear_event::with_causes(&error))
    }
}

impl std::fmt::Debug for ForgeChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForgeChoice").field("asked", &self.asked).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forges_are_named_by_word_or_address() {
        let asked = |text: &str| text.parse::<ForgeAsked>();
        assert_eq!(asked("local"), Ok(ForgeAsked::Local));
        let gitea = ForgeAsked::Remote { kind: ForgeKind::Gitea, api: "https://g.example.org/api/v1".into() };
        assert_eq!(asked("gitea=https://g.example.org/api/v1/"), Ok(gitea.clone()));
        assert_eq!(asked("forgejo=https://g.example.org/api/v1"), Ok(gitea));
        assert!(asked("https://g.example.org").is_err_and(|why| why.contains("expected local, github")));
        assert!(asked("gitea=g.example.org").is_err_and(|why| why.contains("no address")));
    }

    #[test]
    fn a_real_forge_needs_a_token() {
        let asked = "github".parse().expect("a known forge");
        let why = ForgeChoice { asked, token: None }.remote("http://127.0.0.1:1").expect_err("there is no token");
        assert!(why.contains(TOKEN), "{why}");
    }
}
