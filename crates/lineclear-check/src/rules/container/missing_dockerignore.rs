//! `missing-dockerignore`: everything in the folder goes into the image.

use lineclear_dockerfile::InstructionKind;
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-dockerignore.md`.
#[derive(Debug)]
pub(super) struct MissingDockerignore;

static META: RuleMeta = RuleMeta {
    id: "missing-dockerignore",
    summary: "everything in the folder goes into the image",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("missing-dockerignore"),
};

impl Rule for MissingDockerignore {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        let copies = dockerfile.stages.iter().flat_map(|stage| &stage.instructions).find_map(|instruction| {
            match &instruction.kind {
                InstructionKind::Copy(transfer) | InstructionKind::Add(transfer) if transfer.from.is_none() => {
                    transfer.sources.iter().find(|source| matches!(source.raw(), "." | "./"))
                }
                _ => None,
            }
        });
        let Some(source) = copies else { return };
        // The folder that is sent is the Dockerfile's, the repository's, or one between.
        let own = format!("{}.dockerignore", file.path());
        let mut folder = file.path();
        let mut is_there = file.project().exists(&own);
        while let Some((parent, _)) = folder.rsplit_once('/') {
            is_there |= file.project().exists(&format!("{parent}/.dockerignore"));
            folder = parent;
        }
        if !is_there && !file.project().exists(".dockerignore") {
            report
                .at(source.span(), "all files of the folder are copied, and no `.dockerignore` leaves any out: `.git`, `.env` and local builds come along")
                .help("add a `.dockerignore` beside the Dockerfile with at least `.git` and `.env*`");
        }
    }
}
