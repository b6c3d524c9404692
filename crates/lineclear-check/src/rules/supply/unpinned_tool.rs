//! `unpinned-tool`: an action installs whatever version is the newest.

use lineclear_source::Severity;
use lineclear_workflow::StepKind;

use super::reference::of_step;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unpinned-tool.md`.
#[derive(Debug)]
pub(super) struct UnpinnedTool;

static META: RuleMeta = RuleMeta {
    id: "unpinned-tool",
    summary: "an action installs whatever version is the newest",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("unpinned-tool"),
};

impl Rule for UnpinnedTool {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for &site in file.steps() {
            let Some(remote) = of_step(site) else { continue };
            let StepKind::Uses { with, .. } = &site.step.kind else { continue };
            let (owner, repo) = (remote.owner.to_ascii_lowercase(), remote.repo.to_ascii_lowercase());
            let Some((_, input, tool)) = TOOLS.iter().find(|(action, ..)| *action == (owner.as_str(), repo.as_str()))
            else {
                continue;
            };
            let given = with.iter().find(|(name, _)| name.value.eq_ignore_ascii_case(input));
            let help = format!("write the version that was tried: `{input}: 1.2.3`");
            match given {
                Some((_, version)) if version.raw().trim().eq_ignore_ascii_case("latest") => {
                    report.at(version.span(), format!("{tool} is another version with every release")).help(help);
                }
                None if FLOATING.contains(&(owner.as_str(), repo.as_str())) => {
                    report
                        .at(
                            remote.span,
                            format!(
                                "without `{input}` this installs the newest {tool}: another version with every release"
                            ),
                        )
                        .help(help);
                }
                _ => {}
            }
        }
    }
}

type Action = (&'static str, &'static str);

/// Actions that install a tool, the input with its version, and the tool.
const TOOLS: &[(Action, &str, &str)] = &[
    (("1password", "load-secrets-action"), "version", "1Password"),
    (("anchore", "scan-action"), "grype-version", "Grype"),
    (("aquasecurity", "setup-trivy"), "version", "Trivy"),
    (("aquasecurity", "trivy-action"), "version", "Trivy"),
    (("aws-actions", "setup-sam"), "version", "SAM"),
    (("azure", "setup-helm"), "version", "Helm"),
    (("azure", "setup-kubectl"), "version", "kubectl"),
    (("bufbuild", "buf-setup-action"), "version", "Buf"),
    (("google-github-actions", "setup-gcloud"), "version", "gcloud"),
    (("golangci", "golangci-lint-action"), "version", "golangci-lint"),
    (("goreleaser", "goreleaser-action"), "version", "GoReleaser"),
    (("hashicorp", "setup-terraform"), "terraform_version", "Terraform"),
    (("opentofu", "setup-opentofu"), "tofu_version", "OpenTofu"),
    (("oven-sh", "setup-bun"), "bun-version", "Bun"),
    (("pulumi", "actions"), "pulumi-version", "Pulumi"),
    (("sigstore", "cosign-installer"), "cosign-release", "cosign"),
    (("snyk", "actions"), "snyk-version", "Snyk"),
];

/// Those that take the newest version without being asked to, and have no file of the repository to look it up in.
const FLOATING: &[Action] = &[
    ("1password", "load-secrets-action"),
    ("aquasecurity", "setup-trivy"),
    ("azure", "setup-helm"),
    ("azure", "setup-kubectl"),
    ("google-github-actions", "setup-gcloud"),
    ("hashicorp", "setup-terraform"),
];
