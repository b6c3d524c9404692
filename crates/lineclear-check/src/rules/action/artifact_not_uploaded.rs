//! `artifact-not-uploaded`: an artifact that nothing uploads.

use lineclear_source::Severity;
use lineclear_source::suggest;

use super::artifact::{Name, may_come_from_elsewhere};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, UseSite, page};

/// Manual and tests: `docs/rules/artifact-not-uploaded.md`.
#[derive(Debug)]
pub(super) struct ArtifactNotUploaded;

static META: RuleMeta = RuleMeta {
    id: "artifact-not-uploaded",
    summary: "an artifact is downloaded that nothing in the workflow uploads",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("artifact-not-uploaded"),
};

impl Rule for ArtifactNotUploaded {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let is_wanted = |site: &&UseSite<'_>| site.is("actions/download-artifact") && site.literal("name").is_some();
        if !file.uses().iter().any(|site| is_wanted(&site)) || may_come_from_elsewhere(file) {
            return;
        }
        let uploads: Vec<Name<'_>> = file.uses().iter().filter_map(Name::of).collect();
        for site in file.uses().iter().filter(is_wanted) {
            let from_another_run = ["run-id", "repository", "github-token", "artifact-ids"];
            if !site.has_all_inputs() || from_another_run.iter().any(|input| site.input(input).is_some()) {
                continue;
            }
            let (Some(name), Some(value)) = (site.literal("name"), site.input("name")) else { continue };
            if name.is_empty() || uploads.iter().any(|upload| upload.may_be(name)) {
                continue;
            }
            let finding =
                report.at(value.span(), format!("no step of this workflow uploads an artifact called `{name}`"));
            if let Some(meant) = suggest(name, uploads.iter().filter_map(Name::whole)) {
                finding.help(format!("did you mean `{meant}`?"));
            }
        }
    }
}
