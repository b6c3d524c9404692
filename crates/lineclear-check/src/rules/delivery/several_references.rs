//! `several-references`: a list of tags is given where one image is expected.

use super::order::steps_of;
use lineclear_expr::Segment;
use lineclear_source::Severity;
use lineclear_workflow::{Job, StepKind};

use crate::rules::deeds::Deed;
use crate::uses::{input, is_action};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/several-references.md`.
#[derive(Debug)]
pub(super) struct SeveralReferences;

static META: RuleMeta = RuleMeta {
    id: "several-references",
    summary: "a list of tags is given where one image is expected",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("several-references"),
};

impl Rule for SeveralReferences {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.steps() {
            let StepKind::Uses { uses, with } = &site.step.kind else { continue };
            let Some((_, key)) = ONE_IMAGE.iter().find(|(action, _)| is_action(&uses.value, action)) else { continue };
            let Some(value) = input(with, key) else { continue };
            let lists = value.template.expressions().iter().any(|expr| {
                expr.root().references().iter().any(|reference| match (reference.context, reference.path.as_slice()) {
                    (
                        "steps",
                        [Segment::Name(id), Segment::Name("outputs"), Segment::Name("tags" | "labels" | "annotations")],
                    ) => makes_metadata(site.job, id) && !expr.text().contains('['),
                    _ => false,
                })
            });
            let is_long = value.template.expressions().is_empty() && value.raw().trim().contains('\n');
            if lists || is_long {
                report
                    .at(
                        value.span(),
                        format!("`{key}` takes one image, and this is a list of tags: with a second tag it fails"),
                    )
                    .help("give the image by digest: `ghcr.io/owner/name@${{ steps.build.outputs.digest }}`");
            }
        }
        for done in file.deeds().iter().filter(|done| matches!(done.deed, Deed::Scan | Deed::Sbom)) {
            let Some((script, command)) = done.command else { continue };
            let Some(script) = file.scripts().get(script) else { continue };
            let words = script.script().commands.get(command).map_or(&[][..], |command| &command.words);
            if let Some(word) =
                words.iter().find(|word| word.text.contains("outputs.tags }}") && word.text.contains("steps."))
            {
                report
                    .at(
                        script.span_of(word.span.clone()),
                        "this command takes one image, and this is a list of tags: with a second tag it fails",
                    )
                    .help("give the image by digest: `name@${{ steps.build.outputs.digest }}`");
            }
        }
    }
}

/// Inputs that name one image.
static ONE_IMAGE: &[(&str, &str)] = &[
    ("aquasecurity/trivy-action", "image-ref"),
    ("anchore/scan-action", "image"),
    ("anchore/sbom-action", "image"),
    ("docker/scout-action", "image"),
    ("snyk/actions/docker", "image"),
    ("sysdiglabs/scan-action", "image-tag"),
    ("actions/attest-build-provenance", "subject-name"),
    ("actions/attest-sbom", "subject-name"),
    ("actions/attest", "subject-name"),
    ("crazy-max/ghaction-container-scan", "image"),
];

/// Whether the step of this id makes lists of tags.
fn makes_metadata(job: Option<&Job>, id: &str) -> bool {
    job.is_some_and(|job| {
        steps_of(job).iter().any(|step| {
            let is_it = step.id.as_ref().is_some_and(|own| own.value.eq_ignore_ascii_case(id));
            is_it
                && matches!(&step.kind, StepKind::Uses { uses, .. } if is_action(&uses.value, "docker/metadata-action"))
        })
    })
}
