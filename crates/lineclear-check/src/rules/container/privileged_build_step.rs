//! `privileged-build-step`: a step of a build that is let out of its box.

use lineclear_dockerfile::InstructionKind;
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/privileged-build-step.md`.
#[derive(Debug)]
pub(super) struct PrivilegedBuildStep;

static META: RuleMeta = RuleMeta {
    id: "privileged-build-step",
    summary: "a step of a build that is let out of its box",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("privileged-build-step"),
};

impl Rule for PrivilegedBuildStep {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for instruction in dockerfile.stages.iter().flat_map(|stage| &stage.instructions) {
            if !matches!(instruction.kind, InstructionKind::Run(_)) {
                continue;
            }
            for flag in &instruction.flags {
                let message = match (flag.name.raw(), flag.value.as_ref().map(|value| value.raw())) {
                    ("security", Some("insecure")) => "this step runs with all rights of the machine's root",
                    ("network", Some("host")) => {
                        "this step reaches everything that listens on the machine which builds"
                    }
                    _ => continue,
                };
                report.at(flag.span, message).help("leave it out: nothing that is built should need it");
            }
        }
    }
}
