//! `undigested-base-image`: a base image without a digest.

use lineclear_dockerfile::Base;
use lineclear_source::Severity;

use super::image::Image;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/undigested-base-image.md`.
#[derive(Debug)]
pub(super) struct UndigestedBaseImage;

static META: RuleMeta = RuleMeta {
    id: "undigested-base-image",
    summary: "a base image without a digest",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("undigested-base-image"),
};

impl Rule for UndigestedBaseImage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for stage in dockerfile.stages.iter().filter(|stage| stage.from.base == Base::Image) {
            let Some(expanded) = &stage.from.expanded else { continue };
            let image = Image::read(expanded);
            if image.digest.is_none() && image.tag.is_some_and(|tag| tag != "latest") {
                report
                    .at(
                        stage.from.image.span(),
                        format!("`{expanded}` has no digest: its tag may name another image tomorrow"),
                    )
                    .help("add the digest behind the tag: `image:tag@sha256:…`");
            }
        }
    }
}
