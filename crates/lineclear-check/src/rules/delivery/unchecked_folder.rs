//! `unchecked-folder`: source files that the filters of required checks leave out.

use lineclear_source::Severity;
use std::collections::BTreeMap;

use lineclear_source::Span;
use lineclear_workflow::{PatternSet, Patterns, ProducedCheck as Check};

use super::checks::AllWorkflows;

use crate::project::Repository;
use crate::{Activity, Dialect, FileKind, Group, Repair, Report, RepositoryRule, RuleMeta, page};

/// Manual and tests: `docs/rules/unchecked-folder.md`.
#[derive(Debug)]
pub(super) struct UncheckedFolder;

static META: RuleMeta = RuleMeta {
    id: "unchecked-folder",
    summary: "source files that the filters of required checks leave out",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("unchecked-folder"),
};

impl RepositoryRule for UncheckedFolder {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>) {
        let Some((_, policy)) =
            repository.policy.filter(|(_, policy)| policy.gates.iter().any(|gate| !gate.require.is_empty()))
        else {
            return;
        };
        let folders = source_folders(&repository.project.list());
        if folders.len() < 2 {
            return;
        }
        let workflows = AllWorkflows::of(repository);
        let checks = workflows.checks(repository.project);
        let required = policy.gates.iter().flat_map(|gate| &gate.require).map(|required| required.check.value.as_str());
        let mut seen: Vec<(&str, &str, Span)> = Vec::new();
        let filtered: Vec<Filtered<'_>> = required
            .flat_map(|name| checks.iter().filter(move |check| check.is_called(name)).map(move |check| (name, check)))
            .map(|(name, check)| Filtered::new(name, check, &folders))
            .collect();
        for one in &filtered {
            let Some(filter) = one.filter else { continue };
            for folder in &one.left_out {
                if seen.contains(&(folder, one.check.workflow.source.name(), filter.span)) {
                    continue;
                }
                seen.push((folder, one.check.workflow.source.name(), filter.span));
                let key = if filter.ignore { "paths-ignore" } else { "paths" };
                let is_covered = filtered.iter().any(|other| !other.left_out.contains(folder));
                let (message, severity) = if is_covered {
                    (
                        format!(
                            "`{key}` leaves out `{folder}/`: the required check `{}` does not see changes there",
                            one.name
                        ),
                        Severity::Info,
                    )
                } else {
                    (format!("`{key}` leaves out `{folder}/`: no required check sees changes there"), Severity::Warning)
                };
                report.in_file(&one.check.workflow.source, filter.span, message).severity(severity).help(format!(
                    "add `{folder}/**` if what it holds is used there, or require another check that runs for it"
                ));
            }
        }
    }
}

/// A required check with the folders whose changes do not start it.
struct Filtered<'c> {
    name: &'c str,
    check: &'c Check<'c>,
    filter: Option<&'c Patterns>,
    left_out: Vec<&'c str>,
}

impl<'c> Filtered<'c> {
    fn new(name: &'c str, check: &'c Check<'c>, folders: &'c BTreeMap<String, Vec<String>>) -> Self {
        let changes = ["pull_request", "pull_request_target", "push"];
        let trigger = changes.iter().find_map(|event| check.workflow.on.get(event));
        let filter = trigger.and_then(|trigger| trigger.paths.as_ref());
        let left_out = filter.map_or_else(Vec::new, |filter| {
            let (patterns, _) = PatternSet::new(filter);
            let is_out = |files: &[String]| !files.iter().any(|file| patterns.includes(file));
            folders.iter().filter(|(_, files)| is_out(files)).map(|(folder, _)| folder.as_str()).collect()
        });
        Self { name, check, filter, left_out }
    }
}

/// Endings of files that are tested.
const SOURCE: &[&str] = &[
    "c", "cc", "clj", "cpp", "cs", "css", "dart", "ex", "exs", "go", "h", "hpp", "hs", "html", "java", "js", "jsx",
    "kt", "lua", "m", "mjs", "php", "pl", "proto", "py", "rb", "rs", "scala", "scss", "sql", "svelte", "swift", "ts",
    "tsx", "vue", "zig",
];

/// The folders of the root that hold source files, with those files.
fn source_folders(files: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let Some((folder, rest)) = file.split_once('/') else { continue };
        let is_source = rest.rsplit_once('.').is_some_and(|(_, ending)| SOURCE.contains(&ending));
        let is_beside = folder.starts_with('.')
            || matches!(folder, "docs" | "doc" | "examples" | "vendor" | "third_party" | "node_modules");
        if is_source && !is_beside {
            folders.entry(folder.to_owned()).or_default().push(file.clone());
        }
    }
    folders
}
