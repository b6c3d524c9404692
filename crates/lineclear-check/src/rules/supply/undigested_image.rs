//! `undigested-image`: an image is named by a tag alone, which can be moved.

use lineclear_source::Severity;

use super::image::{Firmness, firmness, images};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/undigested-image.md`.
#[derive(Debug)]
pub(super) struct UndigestedImage;

static META: RuleMeta = RuleMeta {
    id: "undigested-image",
    summary: "an image is named by a tag alone, which can be moved",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("undigested-image"),
};

impl Rule for UndigestedImage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        images(file, |image, span| {
            if firmness(image) == Some(Firmness::Tag) {
                report
                    .at(
                        span,
                        format!("image `{image}` is named by a tag alone: whoever can push it decides what runs here"),
                    )
                    .help(format!("add its digest: `{image}@sha256:…`"));
            }
        });
    }
}
