//! `unpinned-image`: an image without a tag, or with `latest`, is another one tomorrow.

use lineclear_source::Severity;

use super::image::{Firmness, firmness, images};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unpinned-image.md`.
#[derive(Debug)]
pub(super) struct UnpinnedImage;

static META: RuleMeta = RuleMeta {
    id: "unpinned-image",
    summary: "an image without a tag, or with `latest`, is another one tomorrow",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("unpinned-image"),
};

impl Rule for UnpinnedImage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        images(file, |image, span| {
            let message = match firmness(image) {
                Some(Firmness::Bare) => format!("image `{image}` has no tag: each run takes what was pushed last"),
                Some(Firmness::Latest) => {
                    format!("image `{image}` is another one with every release: each run takes what was pushed last")
                }
                Some(Firmness::Tag | Firmness::Digest) | None => return,
            };
            report.at(span, message).help("name a version and its digest: `image:1.2.3@sha256:…`");
        });
    }
}
