//! What a job's token may do.
//!
//! Start at [`effective_permissions`].

use std::collections::BTreeMap;
use std::fmt;

use lineclear_workflow::{Access, Permissions};

/// Every scope with the most it can be given and whether it can be given `read`.
///
/// # Source
/// The `permissions` part of GitHub's workflow schema.
const SCOPES: &[(&str, Access, bool)] = &[
    ("actions", Access::Write, true),
    ("artifact-metadata", Access::Write, true),
    ("attestations", Access::Write, true),
    ("checks", Access::Write, true),
    ("code-quality", Access::Write, true),
    ("contents", Access::Write, true),
    ("copilot-requests", Access::Write, false),
    ("deployments", Access::Write, true),
    ("discussions", Access::Write, true),
    ("drives", Access::Write, true),
    ("id-token", Access::Write, false),
    ("issues", Access::Write, true),
    ("models", Access::Read, true),
    ("packages", Access::Write, true),
    ("pages", Access::Write, true),
    ("pull-requests", Access::Write, true),
    ("repository-projects", Access::Write, true),
    ("security-events", Access::Write, true),
    ("statuses", Access::Write, true),
    ("vulnerability-alerts", Access::Read, true),
];

/// Who asks where a workflow's own `permissions` go too far.
pub(crate) const WHOLE_WORKFLOW: &str = "the called workflow";

/// Most scopes that a message names.
const MAX_NAMED: usize = 5;

/// The scopes of a token. A scope that is not named has no access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenPermissions(BTreeMap<String, Access>);

/// A called workflow asks for more than the calling job may give: the whole run fails at its start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{who} asks for `{asked}`, but the calling job allows only `{allowed}`")]
pub struct PermissionError {
    /// `the called workflow` or ``the called job `x` ``.
    pub who: String,
    /// `contents: write, issues: read`.
    pub asked: String,
    /// The same scopes as the caller has them.
    pub allowed: String,
}

impl TokenPermissions {
    /// What a token may do where no `permissions` are written: everything but an identity token.
    ///
    /// GitHub's other setting, read access to contents and packages, is narrower; what runs under it runs under this.
    pub fn unrestricted() -> Self {
        let mut this = Self::all(Access::Write);
        this.0.remove("id-token");
        this.0.remove("copilot-requests");
        this
    }

    /// Every scope at `access` or, where it has no such level, at the next lower one.
    fn all(access: Access) -> Self {
        let level = |&(scope, most, can_read): &(&str, Access, bool)| match access.min(most) {
            Access::Read if !can_read => None,
            Access::None => None,
            level => Some((scope.to_owned(), level)),
        };
        Self(SCOPES.iter().filter_map(level).collect())
    }

    /// What a `permissions:` key gives.
    pub fn declared(permissions: &Permissions) -> Self {
        match permissions {
            Permissions::ReadAll(_) => Self::all(Access::Read),
            Permissions::WriteAll(_) => Self::all(Access::Write),
            Permissions::Scopes(scopes) => {
                let named = scopes.iter().filter(|(_, access)| access.value != Access::None);
                Self(named.map(|(scope, access)| (scope.value.clone(), access.value)).collect())
            }
        }
    }

    pub fn access(&self, scope: &str) -> Access {
        self.0.get(scope).copied().unwrap_or(Access::None)
    }

    /// For a pull request from a fork: nothing may be written, and there is no identity token.
    #[must_use]
    pub fn read_only(&self) -> Self {
        let can_read = |scope: &str| SCOPES.iter().any(|&(name, _, can_read)| name == scope && can_read);
        Self(self.0.keys().filter(|scope| can_read(scope)).map(|scope| (scope.clone(), Access::Read)).collect())
    }

    /// The scopes as a job's specification has them: `contents` → `read`. Reading metadata is always allowed.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        let metadata = ("metadata".to_owned(), word(Access::Read).to_owned());
        let scopes = self.0.iter().map(|(scope, &access)| (scope.clone(), word(access).to_owned()));
        scopes.chain([metadata]).collect()
    }

    fn check(&self, asked: &Self, who: impl fmt::Display) -> Result<(), PermissionError> {
        let beyond: Vec<_> =
            asked.0.iter().filter(|(scope, access)| **access > self.access(scope)).map(|(scope, _)| scope).collect();
        if beyond.is_empty() {
            return Ok(());
        }
        let levels = |of: &Self| {
            let levels = beyond.iter().take(MAX_NAMED).map(|scope| format!("{scope}: {}", word(of.access(scope))));
            let mut levels: Vec<_> = levels.collect();
            if beyond.len() > MAX_NAMED {
                levels.push(format!("and {} more", beyond.len() - MAX_NAMED));
            }
            levels.join(", ")
        };
        Err(PermissionError { who: who.to_string(), asked: levels(asked), allowed: levels(self) })
    }
}

/// What a job's token may do: the job's own `permissions`, or those of its workflow, or what it was `granted`.
///
/// `granted` is `None` in the run's own workflow, which may ask for anything, and the calling job's permissions in a
/// called one, which may only ask for less. `job` is the job's id, for the message.
///
/// # Errors
/// The called workflow or the job asks for more than was granted.
///
/// # Source
/// `PermissionsHelper.cs` of GitHub's runner.
pub fn effective_permissions(
    workflow: Option<&Permissions>,
    job: &str,
    job_permissions: Option<&Permissions>,
    granted: Option<&TokenPermissions>,
) -> Result<TokenPermissions, PermissionError> {
    let workflow = workflow.map(TokenPermissions::declared);
    let own = job_permissions.map(TokenPermissions::declared);
    if let Some(granted) = granted {
        // As on GitHub, also where the job's own permissions would replace those of its workflow.
        if let Some(workflow) = &workflow {
            granted.check(workflow, WHOLE_WORKFLOW)?;
        }
        if let Some(own) = &own {
            granted.check(own, format_args!("the called job `{job}`"))?;
        }
    }
    Ok(own.or(workflow).or_else(|| granted.cloned()).unwrap_or_else(TokenPermissions::unrestricted))
}

fn word(access: Access) -> &'static str {
    match access {
        Access::None => "none",
        Access::Read => "read",
        Access::Write => "write",
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::{Span, Spanned};

    use super::*;

    fn scopes(list: &[(&str, Access)]) -> Permissions {
        let spanned = |(scope, access): &(&str, Access)| {
            (Spanned::new((*scope).to_owned(), Span::default()), Spanned::new(*access, Span::default()))
        };
        Permissions::Scopes(Spanned::new(list.iter().map(spanned).collect(), Span::default()))
    }

    #[test]
    fn the_job_replaces_the_workflow_and_does_not_merge() {
        let workflow = scopes(&[("contents", Access::Write)]);
        let job = scopes(&[("issues", Access::Read)]);
        let effective =
            effective_permissions(Some(&workflow), "j", Some(&job), None).expect("a root may ask for anything");
        assert_eq!(
            effective.to_map().into_iter().collect::<Vec<_>>(),
            [("issues".to_owned(), "read".to_owned()), ("metadata".to_owned(), "read".to_owned()),]
        );
    }

    #[test]
    fn without_permissions_a_token_may_write_but_has_no_identity() {
        let effective = effective_permissions(None, "j", None, None).expect("nothing is asked for");
        assert_eq!(effective.access("contents"), Access::Write);
        assert_eq!(effective.access("models"), Access::Read);
        assert_eq!(effective.access("id-token"), Access::None);
        assert_eq!(
            TokenPermissions::declared(&Permissions::WriteAll(Span::default())).access("id-token"),
            Access::Write
        );
        assert_eq!(TokenPermissions::declared(&Permissions::ReadAll(Span::default())).access("id-token"), Access::None);
    }

    #[test]
    fn trap_64_a_called_workflow_that_asks_for_more_is_refused_by_name() {
        let granted = TokenPermissions::declared(&scopes(&[("contents", Access::Read)]));
        let more = scopes(&[("contents", Access::Write), ("issues", Access::Read)]);
        let error = effective_permissions(None, "publish", Some(&more), Some(&granted)).expect_err("too much");
        assert_eq!(
            error.to_string(),
            "the called job `publish` asks for `contents: write, issues: read`, but the calling job allows only \
             `contents: read, issues: none`"
        );
        let error = effective_permissions(Some(&more), "publish", None, Some(&granted)).expect_err("too much");
        assert_eq!(error.who, "the called workflow");
        let inherited = effective_permissions(None, "publish", None, Some(&granted)).expect("nothing is asked for");
        assert_eq!(inherited, granted);
    }

    #[test]
    fn a_fork_may_not_write() {
        let token = TokenPermissions::declared(&Permissions::WriteAll(Span::default())).read_only();
        assert_eq!(token.access("contents"), Access::Read);
        assert_eq!(token.access("id-token"), Access::None);
    }
}
