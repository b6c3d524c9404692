//! What went into two runs, compared.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_engine::RunRequest;
use lineclear_event::{Fact, UsedKind};
use lineclear_source::Source;
use lineclear_workflow::{JobKind, Workflow};
use serde::Serialize;

use super::lines::{Hunk, hunks};
use crate::history::commits::{self, Changed};
use crate::history::decisions::Decisions;
use crate::history::{History, RunView, caching};

/// A value that was one thing and is another; `None` where it was or is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    pub(super) name: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

/// A workflow text that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct TextChange {
    pub(super) file: String,
    /// `added`, `removed` or `changed`.
    pub(super) how: &'static str,
    pub(super) hunks: Vec<Hunk>,
}

/// Everything that changed.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Inputs {
    /// Commit, event, ref, actor, plan.
    pub(super) event: Vec<Change>,
    /// Files of the repository between the two commits.
    pub(super) files: Vec<Changed>,
    /// Why the files cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) files_unknown: Option<String>,
    pub(super) workflows: Vec<TextChange>,
    pub(super) actions: Vec<Change>,
    pub(super) called_workflows: Vec<Change>,
    pub(super) images: Vec<Change>,
    pub(super) tools: Vec<Change>,
    pub(super) inputs: Vec<Change>,
    pub(super) variables: Vec<Change>,
    /// Names of secrets that the workflows read.
    pub(super) secrets: Vec<Change>,
    /// Jobs and legs that were asked for.
    pub(super) selection: Vec<Change>,
    /// Labels of the machines, by job.
    pub(super) machines: Vec<Change>,
    /// What look-ups in the caches came to, by job and step.
    pub(super) caches: Vec<Change>,
}

type Side<'a> = (&'a RunView, Option<&'a RunRequest>);

impl Inputs {
    pub(super) fn compare(history: &History, old: Side<'_>, new: Side<'_>) -> Self {
        let mut inputs = Self {
            event: changes(&event(old), &event(new)),
            actions: used(old.0, new.0, UsedKind::Action),
            called_workflows: used(old.0, new.0, UsedKind::Workflow),
            images: used(old.0, new.0, UsedKind::Image),
            tools: used(old.0, new.0, UsedKind::Tool),
            machines: changes(&machines(history, old.0), &machines(history, new.0)),
            caches: changes(&cached(old.0), &cached(new.0)),
            ..Self::default()
        };
        let (from, to) = (&old.0.summary.header.run.sha, &new.0.summary.header.run.sha);
        if from != to {
            match commits::changed(&history.checkout.root, from, to) {
                Ok(files) => inputs.files = files,
                Err(sentence) => inputs.files_unknown = Some(sentence),
            }
        }
        let (Some(old), Some(new)) = (old.1, new.1) else { return inputs };
        inputs.workflows = texts(old, new);
        inputs.inputs = changes(&members(&old.inputs), &members(&new.inputs));
        inputs.variables = changes(&old.vars, &new.vars);
        inputs.secrets = changes(&secrets(old), &secrets(new));
        inputs.selection = changes(&selection(old), &selection(new));
        inputs
    }

    pub(super) fn is_empty(&self) -> bool {
        let lists = [
            &self.event,
            &self.actions,
            &self.called_workflows,
            &self.images,
            &self.tools,
            &self.inputs,
            &self.variables,
            &self.secrets,
            &self.selection,
            &self.machines,
            &self.caches,
        ];
        lists.iter().all(|list| list.is_empty())
            && self.files.is_empty()
            && self.files_unknown.is_none()
            && self.workflows.is_empty()
    }
}

/// Names whose values differ, in the order of the names.
pub(super) fn changes(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<Change> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change =
        |name: &String| Change { name: name.clone(), old: old.get(name).cloned(), new: new.get(name).cloned() };
    names.into_iter().map(change).filter(|change| change.old != change.new).collect()
}

fn event((view, request): Side<'_>) -> BTreeMap<String, String> {
    let header = &view.summary.header.run;
    let mut values = BTreeMap::from([
        ("commit".to_owned(), header.sha.clone()),
        ("event".to_owned(), header.event.clone()),
        ("ref".to_owned(), header.reference.clone()),
        ("workflow file".to_owned(), header.file.clone()),
        ("repository".to_owned(), header.repository.clone()),
    ]);
    if let Some(request) = request {
        values.insert("actor".to_owned(), request.event.actor.clone());
        values.insert("attempt".to_owned(), request.attempt.to_string());
    }
    values
}

/// What steps used of a kind. Of an action whose reference changed, the old and the new one are one change.
fn used(old: &RunView, new: &RunView, kind: UsedKind) -> Vec<Change> {
    let all = |view: &RunView| {
        let facts = view.jobs.iter().flat_map(|job| &job.facts);
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (_, fact) in facts {
            if let Fact::Used { kind: of, name, version } = fact
                && *of == kind
            {
                // `owner/repo@v1` at its commit: the name without the reference is what stays.
                let (name, reference) = match (kind, name.rsplit_once('@')) {
                    (UsedKind::Action | UsedKind::Workflow, Some((name, reference))) => (name, Some(reference)),
                    _ => (name.as_str(), None),
                };
                let version = match reference {
                    Some(reference) if reference == version => version.clone(),
                    Some(reference) => format!("{reference} ({version})"),
                    None => version.clone(),
                };
                found.entry(name.to_owned()).or_default().insert(version);
            }
        }
        let joined =
            |(name, versions): (String, BTreeSet<String>)| (name, versions.into_iter().collect::<Vec<_>>().join(", "));
        found.into_iter().map(joined).collect::<BTreeMap<_, _>>()
    };
    changes(&all(old), &all(new))
}

/// Labels of the machines that jobs were handed to.
fn machines(history: &History, view: &RunView) -> BTreeMap<String, String> {
    let Ok(decisions) = Decisions::alone(&history.store, view.id()) else { return BTreeMap::new() };
    let spec = |job: &crate::history::JobView| {
        let spec = decisions.spec(job.key.as_str())?;
        Some((job.key.to_string(), spec.runs_on.join(", ")))
    };
    view.jobs.iter().filter_map(spec).collect()
}

fn cached(view: &RunView) -> BTreeMap<String, String> {
    let look_ups = caching::look_ups(view).into_iter();
    let entry = |look_up: caching::LookUp| {
        let found = match (&look_up.matched, look_up.found) {
            (Some(_), caching::Found::Exact) => format!("{} found", look_up.key),
            (Some(matched), _) => format!("{} not found, {matched} instead", look_up.key),
            (None, _) => format!("{} not found", look_up.key),
        };
        (format!("{} › {}", look_up.job, look_up.step), found)
    };
    look_ups.map(entry).collect()
}

fn texts(old: &RunRequest, new: &RunRequest) -> Vec<TextChange> {
    let files: BTreeSet<&String> = old.files.keys().chain(new.files.keys()).collect();
    let change = |file: &String| {
        let (before, after) = (old.files.get(file), new.files.get(file));
        if before == after {
            return None;
        }
        let how = match (before, after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        // A whole text is no news line by line.
        let hunks = match (before, after) {
            (Some(before), Some(after)) => hunks(before, after),
            _ => Vec::new(),
        };
        Some(TextChange { file: file.clone(), how, hunks })
    };
    files.into_iter().filter_map(change).collect()
}

fn members(object: &serde_json::Value) -> BTreeMap<String, String> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let members = object.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// Names of secrets that stand in the workflows' expressions, and those that are passed on.
fn secrets(request: &RunRequest) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (file, text) in &request.files {
        for name in secret_names(text) {
            names.insert(name, "read".to_owned());
        }
        let workflow = Workflow::read(&Source::new(file.as_str(), text.clone())).model;
        for job in workflow.iter().flat_map(|workflow| &workflow.jobs) {
            if let JobKind::Call(call) = &job.kind
                && matches!(call.secrets, lineclear_workflow::CallSecrets::Inherit(_))
            {
                names.insert(format!("all, by job {}", job.id.value), "inherited".to_owned());
            }
        }
    }
    names
}

/// `NAME` of each `secrets.NAME`.
fn secret_names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("secrets.") {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|character| character.is_alphanumeric() || "_.-".contains(character)) {
            continue;
        }
        let rest = &text[at + "secrets.".len()..];
        let end = rest.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        let name = &rest[..end.unwrap_or(rest.len())];
        if !name.is_empty() {
            names.insert(name.to_ascii_uppercase());
        }
    }
    names
}

fn selection(request: &RunRequest) -> BTreeMap<String, String> {
    let selection = &request.selection;
    let mut values = BTreeMap::new();
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            values.insert(name.to_owned(), value);
        }
    };
    add("jobs", selection.jobs.join(", "));
    let legs: Vec<String> = selection.matrix.iter().map(|(axis, value)| format!("{axis}:{value}")).collect();
    add("matrix", legs.join(", "));
    let given: Vec<&str> = selection.given.keys().map(String::as_str).collect();
    add("jobs taken from an earlier run", given.join(", "));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_by_name_wherever_they_stand() {
        let text = "env: { A: '${{ secrets.TOKEN }}', B: ${{ secrets.npm_token || '' }} }\n# mysecrets.NO secrets.\n";
        assert_eq!(secret_names(text).into_iter().collect::<Vec<_>>(), ["NPM_TOKEN", "TOKEN"]);
    }
}
