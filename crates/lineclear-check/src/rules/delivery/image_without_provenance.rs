//! `image-without-provenance`: an image is pushed without a record of how it was built.

use lineclear_source::Severity;
use lineclear_workflow::StepKind;

use crate::rules::deeds::Deed;
use crate::uses::{input, is_action};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/image-without-provenance.md`.
#[derive(Debug)]
pub(super) struct ImageWithoutProvenance;

static META: RuleMeta = RuleMeta {
    id: "image-without-provenance",
    summary: "an image is pushed without a record of how it was built",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("image-without-provenance"),
};

impl Rule for ImageWithoutProvenance {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for done in file.deeds().iter().filter(|done| done.deed == Deed::PushImage) {
            let StepKind::Uses { uses, with } = &done.site.step.kind else { continue };
            if !is_action(&uses.value, "docker/build-push-action") {
                continue;
            }
            let attests = |deed: Deed| file.deeds().iter().any(|one| one.deed == deed);
            if let Some(off) = input(with, "provenance").filter(|value| value.raw() == "false")
                && !attests(Deed::Attest)
            {
                report
                    .at(off.span(), "the image says nothing of where and from what it was built: `provenance` is false")
                    .help("set `provenance: mode=max`, or attest the digest with `actions/attest`");
            }
            let lists = input(with, "sbom").is_some_and(|value| value.raw() != "false");
            if !lists && !attests(Deed::Sbom) {
                report.at(done.span, "the image is pushed without a list of what is inside").help("set `sbom: true`");
            }
        }
    }
}
