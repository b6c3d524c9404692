//! `image-without-gate`: an image that cannot be published, for nothing could prove it.

use lineclear_source::Severity;

use crate::Content;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/image-without-gate.md`.
#[derive(Debug)]
pub(super) struct ImageWithoutGate;

static META: RuleMeta = RuleMeta {
    id: "image-without-gate",
    summary: "an image without a gate, which is never published",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("image-without-gate"),
};

impl Rule for ImageWithoutGate {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        // A preset gives every image its gate.
        if policy.preset.is_some() {
            return;
        }
        for image in policy.images.iter().filter(|image| image.gate.is_none()) {
            let name = &image.name.value;
            let finding = report.at(
                image.name.span,
                format!("`{name}` has no gate: its repository is closed, and nothing publishes it"),
            );
            match policy.gates.first() {
                Some(gate) => finding.help(format!("write `gate = \"{}\"`", gate.name.value)),
                None => finding.help("declare a `[gate.main]` and write `gate = \"main\"`, or take a `preset`"),
            };
        }
    }
}
