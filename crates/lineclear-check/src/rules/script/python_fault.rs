//! `python-fault`: faults of Python scripts that a compiler sees.

use lineclear_source::Severity;

use super::linted::Linted;
use super::shells;
use crate::linter::{Lines, RemarkLevel, Snippet};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/python-fault.md`.
#[derive(Debug)]
pub(super) struct PythonFault;

static META: RuleMeta = RuleMeta {
    id: "python-fault",
    summary: "what Python says of a script before it runs",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("python-fault"),
};

impl Rule for PythonFault {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        if !file.scripts().iter().any(is_python) || file.project().files().lint_python(&[]).is_none() {
            return;
        }
        let scripts = file.scripts().iter().filter(|site| is_python(site)).map(|site| Linted::new(site, "python"));
        let (linted, snippets): (Vec<Linted<'_, '_>>, Vec<Snippet>) = scripts.unzip();
        let Some(remarks) = file.project().files().lint_python(&snippets) else { return };
        for ((linted, snippet), remarks) in linted.iter().zip(&snippets).zip(&remarks) {
            let lines = Lines::new(&snippet.text);
            for remark in remarks {
                let Some(range) = lines.range(remark.place) else { continue };
                let line = line_around(&snippet.text, range.start);
                // What an expression gives may be what makes it right.
                if linted.touches_expression(&line) && remark.level == RemarkLevel::Error {
                    continue;
                }
                linted.report(file, &lines, remark, range, report);
            }
        }
    }
}

fn is_python(site: &ScriptSite<'_>) -> bool {
    matches!(shells::shell_program(site), Some("python" | "python3"))
}

fn line_around(text: &str, at: usize) -> std::ops::Range<usize> {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |newline| at + newline);
    start..end
}
