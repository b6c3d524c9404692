//! `constant-platform`: a stage that is built for one platform only.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/constant-platform.md`.
#[derive(Debug)]
pub(super) struct ConstantPlatform;

static META: RuleMeta = RuleMeta {
    id: "constant-platform",
    summary: "a stage that is built for one platform only",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("constant-platform"),
};

impl Rule for ConstantPlatform {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for stage in &dockerfile.stages {
            let Some(platform) =
                stage.from.platform.as_ref().filter(|platform| !platform.has_variable() && !platform.raw().is_empty())
            else {
                continue;
            };
            report
                .at(
                    platform.span(),
                    format!(
                        "this stage is for `{}` wherever it is built: on other machines it is slow or does not start",
                        platform.raw()
                    ),
                )
                .help("leave it out, or write `--platform=$BUILDPLATFORM` for a stage that only builds");
        }
    }
}
