//! `leaked-checkout-token`: the token that the checkout left is uploaded with the workspace.

use lineclear_source::Severity;
use lineclear_workflow::{ActionRef, StepKind};

use super::checkout_token::{checkouts, is_older_than};
use crate::uses::{input, is_commit, is_of_repository};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/leaked-checkout-token.md`.
#[derive(Debug)]
pub(super) struct LeakedCheckoutToken;

static META: RuleMeta = RuleMeta {
    id: "leaked-checkout-token",
    summary: "the token that the checkout left is uploaded with the workspace",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("leaked-checkout-token"),
};

impl Rule for LeakedCheckoutToken {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for checkout in checkouts(file).filter(|checkout| checkout.is_in_workspace) {
            let StepKind::Uses { uses: fetched, with } = &checkout.site.step.kind else { continue };
            let folder =
                input(with, "path").map_or("", |path| path.raw().trim().trim_start_matches("./").trim_end_matches('/'));
            for later in file.steps().iter().skip(checkout.index + 1) {
                if later.job.map(|job| job.id.span) != checkout.site.job.map(|job| job.id.span) {
                    break;
                }
                let StepKind::Uses { uses, with } = &later.step.kind else { continue };
                let (Some(path), true) =
                    (input(with, "path"), is_of_repository(&uses.value, "actions/upload-artifact"))
                else {
                    continue;
                };
                let ActionRef::Remote { reference, .. } = &uses.value else { continue };
                let takes_hidden = is_older_than(reference, 4) && !is_commit(reference)
                    || input(with, "include-hidden-files").is_some_and(|set| set.raw() == "true");
                let Some(at) = path.raw().split('\n').position(|line| holds(line, folder)) else { continue };
                let names_git = path.raw().split('\n').any(|line| line.trim().trim_end_matches('/').ends_with(".git"));
                if !takes_hidden && !names_git {
                    continue;
                }
                let start: usize = path.raw().split('\n').take(at).map(|line| line.len() + 1).sum();
                let length = path.raw().split('\n').nth(at).map_or(0, |line| line.trim_end().len());
                report
                    .at(
                        path.scalar.span_of(start..start + length),
                        "the artifact holds `.git/config` with the job's token: whoever downloads it while the job runs can push with it",
                    )
                    .label(fetched.span, "leaves the token there")
                    .help("add `persist-credentials: false` to the checkout, and upload only what is needed");
            }
        }
    }
}

/// Whether a line of `path` takes the folder of the checkout with all that is in it.
fn holds(line: &str, folder: &str) -> bool {
    let line = line.trim();
    if line.is_empty() {
        return false;
    }
    let line = ["${{ github.workspace }}", "${{github.workspace}}", "$GITHUB_WORKSPACE"]
        .iter()
        .find_map(|root| line.strip_prefix(root))
        .unwrap_or(line);
    let line = line.trim_start_matches("./").trim_start_matches('/').trim_end_matches(['/', '*']);
    let line = line.trim_end_matches('/');
    matches!(line, "" | ".")
        || line == folder
        || line == ".git" && folder.is_empty()
        || line.strip_suffix("/.git") == Some(folder)
}
