//! `unpinned-image`: an image without a tag, or with `latest`, is another one tomorrow.

use lineclear_source::Severity;

use lineclear_workflow::StepKind;

use super::image::{Firmness, firmness, images};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

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
        file.scripts().iter().filter(|script| script.raw().contains(":latest")).for_each(|script| {
            check_script(file, script, report);
        });
    }
}

/// `docker run image:latest`, unless the file makes the image itself.
fn check_script(file: &File<'_>, script: &ScriptSite<'_>, report: &mut Report<'_>) {
    for command in &script.script().commands {
        let Some(("docker" | "podman", [first, arguments @ ..])) = command.program() else { continue };
        if first.text != "run" {
            continue;
        }
        let Some(word) = arguments.iter().find(|word| is_latest(&word.text)) else { continue };
        let image = word.text.as_str();
        let named = file.scripts().iter().map(|script| script.raw().matches(image).count()).sum::<usize>();
        let is_built = || {
            file.steps().iter().any(|site| matches!(&site.step.kind, StepKind::Uses { with, .. } if with.iter().any(|(_, value)| value.raw().contains(image))))
        };
        if named == 1 && !is_built() {
            report
                .at(
                    script.span_of(word.span.clone()),
                    format!(
                        "image `{}` is another one with every release: each run takes what was pushed last",
                        word.text
                    ),
                )
                .severity(Severity::Info)
                .help("name a version and its digest: `image:1.2.3@sha256:…`");
        }
    }
}

/// Whether a word is an image called `latest` that lies in a registry: with a folder or a host before its name, and no variable in it.
fn is_latest(word: &str) -> bool {
    word.strip_suffix(":latest").is_some_and(|name| {
        name.contains('/') && !name.contains(['$', '=', ':', '{']) && !name.starts_with(['-', '/', '.'])
    })
}
