//! `hash-files-pattern`: a pattern of `hashFiles` that finds no file gives an empty text.

use lineclear_expr::{Function, Value};
use lineclear_source::Severity;

use crate::types::{Call, constant};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/hash-files-pattern.md`.
#[derive(Debug)]
pub(super) struct HashFilesPattern;

static META: RuleMeta = RuleMeta {
    id: "hash-files-pattern",
    summary: "a pattern of `hashFiles` that finds nothing",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("hash-files-pattern"),
};

impl Rule for HashFilesPattern {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for call in file.typed().calls.iter().filter(|call| call.function == Function::HashFiles) {
            look_at(file, call, report);
        }
    }
}

fn look_at(file: &File<'_>, call: &Call<'_>, report: &mut Report<'_>) {
    let Some(site) = file.expressions().get(call.site) else { return };
    let mut only_exclusions = true;
    for (at, (argument, _)) in call.arguments.iter().enumerate() {
        let Some(Value::String(text)) = constant(*argument) else {
            only_exclusions = false;
            continue;
        };
        if at == 0 && text.starts_with("--") {
            if !text.eq_ignore_ascii_case("--follow-symbolic-links") {
                report
                    .at(site.span_of(*argument), format!("`hashFiles` has no option `{text}`: the step fails here"))
                    .severity(Severity::Error)
                    .help("its only option is `--follow-symbolic-links`");
            }
            continue;
        }
        if text.lines().all(|line| line.trim().is_empty()) {
            report.at(site.span_of(*argument), "this pattern is empty: it finds no file");
            only_exclusions = false;
            continue;
        }
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            only_exclusions &= line.starts_with('!');
            if let Some((message, help)) = fault(line) {
                report.at(site.span_of(*argument), message).help(help);
            }
        }
    }
    if only_exclusions && !call.arguments.is_empty() {
        report
            .at(
                site.span_of(call.node),
                "these patterns only take files out: there are none that they are taken out of",
            )
            .help("put a pattern such as `**` in front");
    }
}

fn fault(pattern: &str) -> Option<(String, &'static str)> {
    let path = pattern.trim_start_matches('!');
    let outside = "only files below the workspace count: write the path from there";
    if path.starts_with("~/") || path.starts_with("../") {
        return Some((format!("`{pattern}` leads out of the workspace: it finds no file"), outside));
    }
    if path.starts_with('/') && !path.starts_with("/home/runner/work/") && !path.starts_with("/github/workspace") {
        return Some((format!("`{pattern}` begins at the root of the machine, and not of the workspace"), outside));
    }
    if path.starts_with('$') {
        return Some((format!("`{pattern}` is taken as it is: variables of the shell have no value here"), outside));
    }
    let braces = path.split_once('{').and_then(|(_, behind)| behind.split_once('}'));
    if braces.is_some_and(|(inside, _)| inside.contains(',')) {
        let help = "give each of the names as an argument of its own";
        return Some((format!("`{pattern}` has braces, which mean nothing here: it finds no file"), help));
    }
    None
}
