//! `maintainer-instruction`: `MAINTAINER`, which is a label today.

use lineclear_dockerfile::InstructionKind;
use lineclear_source::Severity;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/maintainer-instruction.md`.
#[derive(Debug)]
pub(super) struct MaintainerInstruction;

static META: RuleMeta = RuleMeta {
    id: "maintainer-instruction",
    summary: "`MAINTAINER`, which is a label today",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("maintainer-instruction"),
};

impl Rule for MaintainerInstruction {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for instruction in dockerfile.stages.iter().flat_map(|stage| &stage.instructions) {
            let InstructionKind::Maintainer(name) = &instruction.kind else { continue };
            // What spans lines or holds quotes and variables would have to be quoted anew.
            let raw = name.raw();
            let unquoted = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or(raw);
            let is_simple = !unquoted.contains(['"', '\'', '\\', '$', '`'])
                && !file.source().slice(instruction.span).contains('\n');
            let fix = (report.wants_fixes() && is_simple).then(|| {
                let text = format!("LABEL org.opencontainers.image.authors=\"{unquoted}\"");
                Fix::safe("write it as a label", vec![Edit::replace(instruction.span, text)])
            });
            report
                .at(instruction.keyword.span(), "`MAINTAINER` is no longer in use: tools look for a label")
                .help("write `LABEL org.opencontainers.image.authors=\"…\"`")
                .fix(fix);
        }
    }
}
