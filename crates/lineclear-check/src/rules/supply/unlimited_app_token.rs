//! `unlimited-app-token`: a token of an app may do all that the app may.

use lineclear_source::Severity;
use lineclear_workflow::StepKind;

use super::reference::of_step;

use crate::uses::entry;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unlimited-app-token.md`.
#[derive(Debug)]
pub(super) struct UnlimitedAppToken;

static META: RuleMeta = RuleMeta {
    id: "unlimited-app-token",
    summary: "a token of an app may do all that the app may",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("unlimited-app-token"),
};

impl Rule for UnlimitedAppToken {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for &site in file.steps() {
            let Some(remote) = of_step(site) else { continue };
            let StepKind::Uses { with, .. } = &site.step.kind else { continue };
            let input = |name: &str| entry(with, name);
            match (remote.owner, remote.repo) {
                ("actions", "create-github-app-token") => {
                    let mut permissions =
                        with.iter().filter(|(name, _)| name.value.starts_with("permission-")).peekable();
                    let has_none = permissions.peek().is_none();
                    let is_of_repositories = permissions.any(|(name, _)| {
                        !ORGANIZATION.iter().any(|scope| name.value.strip_prefix("permission-") == Some(*scope))
                    });
                    if has_none {
                        report
                            .at(
                                remote.span,
                                "this token has every permission of the app: nothing limits it to what the job needs",
                            )
                            .help("add the ones that are needed, each with its level: `permission-contents: write`");
                    }
                    if let Some((name, _)) =
                        input("owner").filter(|_| input("repositories").is_none() && (has_none || is_of_repositories))
                    {
                        report
                            .at(
                                name.span,
                                "this token holds for every repository of the owner that the app is installed in",
                            )
                            .help("add `repositories` with those that are needed");
                    }
                    let kept = input("skip-token-revoke")
                        .filter(|(_, value)| !value.raw().trim().eq_ignore_ascii_case("false"));
                    if let Some((_, value)) = kept {
                        report
                            .at(value.span(), "the token stays valid for an hour after the job")
                            .help("remove `skip-token-revoke`: the token is revoked when the job ends");
                    }
                }
                ("tibdex", "github-app-token") | ("peter-murray", "workflow-application-token-action")
                    if input("permissions").is_none() =>
                {
                    report
                        .at(
                            remote.span,
                            "this token has every permission of the app: nothing limits it to what the job needs",
                        )
                        .help("add `permissions` with those that are needed");
                }
                _ => {}
            }
        }
    }
}

/// Permissions that are not about repositories.
const ORGANIZATION: &[&str] = &[
    "members",
    "organization-administration",
    "organization-announcement-banners",
    "organization-copilot-seat-management",
    "organization-custom-org-roles",
    "organization-custom-properties",
    "organization-custom-roles",
    "organization-events",
    "organization-hooks",
    "organization-packages",
    "organization-personal-access-token-requests",
    "organization-personal-access-tokens",
    "organization-plan",
    "organization-projects",
    "organization-secrets",
    "organization-self-hosted-runners",
    "organization-user-blocking",
    "team-discussions",
];
