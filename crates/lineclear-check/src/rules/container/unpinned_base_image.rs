//! `unpinned-base-image`: a base image without a version.

use lineclear_dockerfile::{Base, Dockerfile, InstructionKind, Word};
use lineclear_source::Severity;

use super::image::Image;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unpinned-base-image.md`.
#[derive(Debug)]
pub(super) struct UnpinnedBaseImage;

static META: RuleMeta = RuleMeta {
    id: "unpinned-base-image",
    summary: "a base image without a version",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("unpinned-base-image"),
};

impl Rule for UnpinnedBaseImage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for stage in &dockerfile.stages {
            if stage.from.base == Base::Image
                && let Some(expanded) = &stage.from.expanded
            {
                look(expanded, &stage.from.image, report);
            }
            for instruction in &stage.instructions {
                let InstructionKind::Copy(transfer) = &instruction.kind else { continue };
                let Some(from) = transfer.from.as_ref().filter(|from| is_image(dockerfile, stage.index, from)) else {
                    continue;
                };
                look(from.raw(), from, report);
            }
        }
    }
}

/// Whether `--from` names an image for sure: another name may be a context of the build.
fn is_image(dockerfile: &Dockerfile, stage: usize, from: &Word) -> bool {
    from.raw().contains(['/', ':']) && !from.has_variable() && dockerfile.stage_before(stage, from.raw()).is_none()
}

fn look(name: &str, word: &Word, report: &mut Report<'_>) {
    let image = Image::read(name);
    if image.digest.is_some() {
        return;
    }
    let message = match image.tag {
        None => format!("`{name}` has no version: each build takes the newest there is"),
        Some("latest") => format!("`{name}` is another image tomorrow: each build takes the newest there is"),
        Some(_) => return,
    };
    report.at(word.span(), message).help(format!("name a version: `{}:1.2`, best with its digest", image.repository));
}
