//! `secret-in-script`: a secret becomes part of a script.

use lineclear_source::Severity;

use super::environment_fix::{reader_of, through_environment};
use super::taint::Viewpoint;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/secret-in-script.md`.
#[derive(Debug)]
pub(super) struct SecretInScript;

static META: RuleMeta = RuleMeta {
    id: "secret-in-script",
    summary: "a secret becomes part of a script",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("secret-in-script"),
};

impl Rule for SecretInScript {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for script in file.scripts() {
            let names_secret = |expr: &&lineclear_expr::Expr| {
                expr.root().as_reference().is_some_and(|reference| {
                    reference.context == "secrets" && reference.path.len() == 1
                        || super::trust::is_path(&reference, &["token"])
                })
            };
            let found: Vec<_> = script.text.template.expressions().into_iter().filter(names_secret).collect();
            if found.is_empty() {
                continue;
            }
            let from = Viewpoint { job: script.site.job, step: Some(script.site.step) };
            let fix = report
                .wants_fixes()
                .then(|| reader_of(script.shell, script.language, from))
                .flatten()
                .and_then(|reader| through_environment(file, script.text, from, reader, &found));
            for expr in found {
                report
                    .at(
                        script.text.scalar.span_of(expr.root().span().range()),
                        format!("`{}` is written into the script: it lies on the disk, and as an argument every process sees it", expr.text().trim()),
                    )
                    .help("pass it through `env`, and use the variable")
                    .fix(fix.clone());
            }
        }
    }
}
