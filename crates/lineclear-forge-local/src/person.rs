//! Users, as GitHub shows them.

use lineclear_forge::NodeKind;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::call::{Call, encoded, named_node};

/// Who writes what a job writes.
pub(crate) const BOT: &str = "github-actions[bot]";
/// The id that this bot has on GitHub: its mail address has it, too.
const BOT_ID: u64 = 41_898_282;
/// The id of the app behind it.
pub(crate) const APP_ID: u64 = 15_368;

/// A number that this text always has, and hardly any other: for users and workflows, which nobody registers here.
///
/// It stays below 2^48, so that every reader of JSON takes it exactly.
pub(crate) fn number_of(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(6).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Call<'_> {
    pub(crate) fn user(&self, login: &str) -> Value {
        let facts = self.facts();
        let is_owner = login.eq_ignore_ascii_case(&facts.owner);
        let (id, kind, node) = match login {
            BOT => (BOT_ID, "Bot", NodeKind::Bot),
            _ if login.ends_with("[bot]") => (number_of(login), "Bot", NodeKind::Bot),
            _ if is_owner && facts.owned_by_organization => (facts.owner_id, "Organization", NodeKind::Organization),
            _ if is_owner => (facts.owner_id, "User", NodeKind::User),
            _ => (number_of(login), "User", NodeKind::User),
        };
        let (api, server) = (&self.forge.addresses().api, &self.forge.addresses().server);
        let page = match login.strip_suffix("[bot]") {
            Some(app) => format!("{server}/apps/{}", encoded(app)),
            None => format!("{server}/{}", encoded(login)),
        };
        let url = format!("{api}/users/{}", encoded(login));
        json!({
            "login": login,
            "id": id,
            "node_id": named_node(node, login),
            "avatar_url": "",
            "gravatar_id": "",
            "url": url,
            "html_url": page,
            "followers_url": format!("{url}/followers"),
            "following_url": format!("{url}/following{{/other_user}}"),
            "gists_url": format!("{url}/gists{{/gist_id}}"),
            "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{url}/subscriptions"),
            "organizations_url": format!("{url}/orgs"),
            "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events{{/privacy}}"),
            "received_events_url": format!("{url}/received_events"),
            "type": kind,
            "user_view_type": "public",
            "site_admin": false,
        })
    }

    /// The app that checks belong to.
    pub(crate) fn app(&self) -> Value {
        json!({
            "id": APP_ID,
            "slug": "github-actions",
            "node_id": "MDM6QXBwMTUzNjg=",
            "owner": {"login": "github", "id": 9919, "type": "Organization"},
            "name": "GitHub Actions",
            "description": "Automate your workflow from idea to production",
            "external_url": "https://help.github.com/en/actions",
            "html_url": format!("{}/apps/github-actions", self.forge.addresses().server),
            "permissions": {},
            "events": [],
        })
    }

    /// How the bot's relation to the repository is called.
    pub(crate) fn association(&self, login: &str) -> &'static str {
        if login.eq_ignore_ascii_case(&self.facts().owner) {
            "OWNER"
        } else if login.ends_with("[bot]") {
            "NONE"
        } else {
            "CONTRIBUTOR"
        }
    }
}
