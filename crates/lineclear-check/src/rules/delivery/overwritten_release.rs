//! `overwritten-release`: a version that people may have taken is replaced.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/overwritten-release.md`.
#[derive(Debug)]
pub(super) struct OverwrittenRelease;

static META: RuleMeta = RuleMeta {
    id: "overwritten-release",
    summary: "a version that people may have taken is replaced",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("overwritten-release"),
};

impl Rule for OverwrittenRelease {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for script in file.scripts() {
            let raw = script.raw();
            if !raw.contains("--clobber") && !raw.contains("tag") {
                continue;
            }
            for command in &script.script().commands {
                let Some((program, arguments)) = command.program() else { continue };
                let has = |flags: &[&str]| arguments.iter().any(|word| flags.contains(&word.text.as_str()));
                let first = arguments.first().map_or("", |word| word.text.as_str());
                let span = script.span_of(command.span.clone());
                if program == "gh" && first == "release" && has(&["--clobber"]) {
                    report
                        .at(span, "`--clobber` replaces files of a release that people may have taken: the same version is then two things")
                        .help("make a new version, or check that the release is still a draft");
                } else if program == "git"
                    && first == "push"
                    && has(&["-f", "--force"])
                    && arguments.iter().any(|word| is_whole_version(&word.text))
                {
                    report
                        .at(
                            span,
                            "a version tag is moved: who has it keeps the old commit, who comes later gets another",
                        )
                        .help("make a new version; only tags such as `v1` are meant to move");
                }
            }
        }
    }
}

/// `v1.2.3`, or a ref of all tags.
fn is_whole_version(text: &str) -> bool {
    let name = text.strip_prefix("refs/tags/").unwrap_or(text);
    let name = name.strip_prefix(['v', 'V']).unwrap_or(name);
    let parts: Vec<&str> = name.split('.').collect();
    text == "--tags"
        || (parts.len() == 3
            && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())))
}
