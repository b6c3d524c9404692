//! `moving-reference`: an image is signed, scanned or described by a tag that may move.

use lineclear_source::Severity;
use lineclear_workflow::StepKind;

use crate::rules::deeds::{Deed, Done};
use crate::uses::input;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/moving-reference.md`.
#[derive(Debug)]
pub(super) struct MovingReference;

static META: RuleMeta = RuleMeta {
    id: "moving-reference",
    summary: "an image is signed, scanned or described by a tag that may move",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("moving-reference"),
};

impl Rule for MovingReference {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for done in file.deeds() {
            match done.deed {
                Deed::Sign | Deed::Attest => sign_command(file, done, report),
                Deed::Scan | Deed::Sbom => scan_action(file, done, report),
                _ => {}
            }
        }
    }
}

fn is_fixed(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains('@') || lower.contains("digest") || lower.contains("sha256")
}

/// `cosign sign name:tag`.
fn sign_command(file: &File<'_>, done: &Done<'_>, report: &mut Report<'_>) {
    let Some((script, command)) = done.command else { return };
    let Some(script) = file.scripts().get(script) else { return };
    let Some(command) = script.script().commands.get(command) else { return };
    let Some(("cosign", arguments)) = command.program() else { return };
    if !arguments.iter().any(|word| matches!(word.text.as_str(), "sign" | "attest")) {
        return;
    }
    let Some(image) = arguments.iter().rev().find(|word| !word.text.starts_with('-') && word.text.contains(['/', '$']))
    else {
        return;
    };
    let names_tag = image.text.contains(':') || image.text.to_ascii_lowercase().contains("tag");
    if names_tag && !is_fixed(&image.text) {
        report
            .at(
                script.span_of(image.span.clone()),
                format!("this {} whatever the tag names by now: it may have moved since the push", done.deed.verb()),
            )
            .help("name the image by digest: `name@${{ steps.build.outputs.digest }}`");
    }
}

/// A scan by tag of an image that the same job has pushed.
fn scan_action(file: &File<'_>, done: &Done<'_>, report: &mut Report<'_>) {
    let StepKind::Uses { with, .. } = &done.site.step.kind else { return };
    let Some(job) = done.site.job else { return };
    let Some(image) = input(with, "image-ref").or_else(|| input(with, "image")) else { return };
    let is_pushed = file.deeds().iter().any(|one| {
        one.is_in(job)
            && one.deed == Deed::PushImage
            && !one.is_conditional
            && one.site.index < done.site.index
            && !matches!(&one.site.step.kind, StepKind::Uses { with, .. } if input(with, "load").is_some())
    });
    let text = image.raw();
    if is_pushed && text.contains(':') && !is_fixed(text) && !text.contains("outputs.tags") {
        report
            .at(
                image.span(),
                format!("this {} whatever the tag names by now: it may have moved since the push", done.deed.verb()),
            )
            .severity(Severity::Info)
            .help("name the image by digest: `name@${{ steps.build.outputs.digest }}`");
    }
}
