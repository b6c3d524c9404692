//! `action-file-missing`: a file that the action runs is not there.

use lineclear_source::Severity;
use lineclear_source::Span;
use lineclear_workflow::Runs;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/action-file-missing.md`.
#[derive(Debug)]
pub(super) struct ActionFileMissing;

static META: RuleMeta = RuleMeta {
    id: "action-file-missing",
    summary: "a file that the action runs is not there",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("action-file-missing"),
};

impl Rule for ActionFileMissing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(action) = file.action() else { return };
        let folder = file.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut look = |what: &str, path: &str| {
            let Some(whole) = joined(folder, path) else { return };
            if file.project().exists(&whole) {
                return;
            }
            let span = span_of(file, what).unwrap_or_default();
            report
                .at(span, format!("there is no file `{path}` in the action's folder: the action cannot start"))
                .help("commit what the build makes: runners do not build actions");
        };
        match &action.runs {
            Runs::JavaScript { main, pre, post, .. } => {
                look("main", main);
                pre.iter().for_each(|path| look("pre", path));
                post.iter().for_each(|path| look("post", path));
            }
            Runs::Docker { image, .. } if !image.value.starts_with("docker://") => look("image", &image.value),
            Runs::Docker { .. } | Runs::Composite { .. } => {}
        }
    }
}

/// A path from the repository's root; none for one that leads out of it or holds an expression.
fn joined(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if path.is_empty() || path.contains("${{") || path.starts_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The value of a key of `runs`.
fn span_of(file: &File<'_>, key: &str) -> Option<Span> {
    Some(file.tree()?.root.as_ref()?.get("runs")?.get(key)?.span())
}
