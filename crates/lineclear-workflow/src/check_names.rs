//! The checks that workflows produce, called as a forge shows them: `Workflow / job`.
//!
//! Gates name checks so, evidence is kept so, and required checks of a forge are called so. Start reading at [`produced_checks`].

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use lineclear_expr::{Segment, Template, TemplatePart};

use crate::{Job, JobKind, Read, Strategy, Text, TextTree, Workflow, WorkflowRef};

/// More combinations of a matrix than this are one open name.
const MOST_LEGS: usize = 256;

/// A called workflow may call another; a forge goes no deeper.
const DEEPEST_CALL: usize = 10;

/// Calls that make more names than this are open names: ten files that call one another ten times over would make ten thousand millions.
const MOST_CALLED_NAMES: usize = 10_000;

/// Where called workflows of the same repository are found, by their paths; `None` for what is not there or cannot be understood.
pub type Called<'c> = &'c dyn Fn(&str) -> Option<Arc<Read<Workflow>>>;

/// A job of a workflow, with the names of the checks that it shows as.
#[derive(Debug)]
pub struct ProducedCheck<'w> {
    /// The workflow that an event starts.
    pub workflow: &'w Workflow,
    /// The job of that workflow; a call stands for the jobs that it calls.
    pub job: &'w Job,
    /// Of a matrix, the name that all legs share comes first, then each leg's.
    pub names: Vec<CheckName>,
}

/// Every job that shows as a check of its own run, in the order of the workflows and of their texts. Workflows that are only called show
/// behind the jobs that call them.
pub fn produced_checks<'w>(
    workflows: impl IntoIterator<Item = &'w Workflow>,
    called: Called<'_>,
) -> Vec<ProducedCheck<'w>> {
    let mut checks = Vec::new();
    let mut calls = Calls { called, read: HashMap::new(), path: Vec::new(), left: MOST_CALLED_NAMES };
    for workflow in workflows.into_iter().filter(|workflow| is_started_by_events(workflow)) {
        let before = format!("{} / ", workflow.display_name());
        calls.path = vec![workflow.source.name().to_owned()];
        for job in &workflow.jobs {
            let names = calls.names_of(job).into_iter().map(|name| name.behind(&before)).collect();
            checks.push(ProducedCheck { workflow, job, names });
        }
    }
    checks
}

impl ProducedCheck<'_> {
    /// Whether one of its names may be this one.
    pub fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.matches(name))
    }

    /// Its names as far as the files tell them; of a matrix the one that all legs share, if there is one, in place of theirs.
    pub fn shared_names(&self) -> Vec<&str> {
        let fixed: Vec<&str> = self.names.iter().filter_map(CheckName::as_fixed).collect();
        let is_leg = |name: &str| {
            fixed
                .iter()
                .any(|other| name.strip_prefix(other).is_some_and(|leg| leg.starts_with(" (") && leg.ends_with(')')))
        };
        fixed.iter().copied().filter(|name| !is_leg(name)).collect()
    }

    /// Its names that only a run tells whole. Legs of which the shared name is known are none of them.
    pub fn open_names(&self) -> impl Iterator<Item = &CheckName> {
        let is_leg = |open: &CheckName| {
            let first = open.pieces.first().map_or("", String::as_str);
            self.names.iter().filter_map(CheckName::as_fixed).any(|own| first.strip_prefix(own) == Some(" ("))
        };
        self.names.iter().filter(move |name| name.as_fixed().is_none() && !is_leg(name))
    }

    /// Whether its workflow runs for pull requests.
    pub fn runs_on_pull_requests(&self) -> bool {
        let events = ["pull_request", "pull_request_target", "merge_group"];
        events.iter().any(|event| self.workflow.on.get(event).is_some())
    }

    /// Whether its workflow runs for pushes of some branch.
    pub fn runs_on_pushes(&self) -> bool {
        self.workflow.on.get("push").is_some_and(|push| push.branches.is_some() || push.tags.is_none())
    }
}

fn is_started_by_events(workflow: &Workflow) -> bool {
    workflow.on.events.iter().any(|trigger| trigger.event.value != "workflow_call")
}

/// A name of which some parts are known in a run only: pieces with anything between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckName {
    pieces: Vec<String>,
}

impl CheckName {
    fn fixed(text: impl Into<String>) -> Self {
        Self { pieces: vec![text.into()] }
    }

    /// Any name at all.
    fn open() -> Self {
        Self { pieces: vec![String::new(), String::new()] }
    }

    /// The whole name, if it is known.
    pub fn as_fixed(&self) -> Option<&str> {
        if let [only] = self.pieces.as_slice() { Some(only) } else { None }
    }

    /// Whether it may be this one.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
        let Some((last, middle)) = rest.split_last() else { return text.is_empty() };
        for piece in middle {
            match text.split_once(piece.as_str()) {
                Some((_, after)) => text = after,
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }

    fn behind(mut self, before: &str) -> Self {
        if let Some(first) = self.pieces.first_mut() {
            first.insert_str(0, before);
        }
        self
    }

    fn then(&self, other: &Self) -> Self {
        let mut pieces = self.pieces.clone();
        let mut others = other.pieces.iter();
        if let (Some(last), Some(first)) = (pieces.last_mut(), others.next()) {
            last.push_str(first);
        }
        pieces.extend(others.cloned());
        Self { pieces }
    }
}

/// With `…` for what is not known.
impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pieces.join("…"))
    }
}

/// Values of a matrix' axes by name.
type Leg = Vec<(String, String)>;

/// The way into called workflows, each of which is read once.
struct Calls<'c> {
    called: Called<'c>,
    read: HashMap<String, Option<Arc<Read<Workflow>>>>,
    /// The file that an event starts, and those that are called one from the other.
    path: Vec<String>,
    /// How many names calls may still make.
    left: usize,
}

impl Calls<'_> {
    /// The names of a job without its workflow's. Of a matrix, each leg's and the one that all of them share.
    fn names_of(&mut self, job: &Job) -> Vec<CheckName> {
        let own = own_names(job);
        let JobKind::Call(call) = &job.kind else { return own };
        let mut inner = match &call.uses.value {
            WorkflowRef::Local { path } => self.names_in(path),
            WorkflowRef::Remote { .. } => vec![CheckName::open()],
        };
        if own.len().saturating_mul(inner.len()) > self.left {
            inner = vec![CheckName::open()];
        }
        self.spend(own.len() * inner.len());
        let slash = CheckName::fixed(" / ");
        own.iter().flat_map(|own| inner.iter().map(|inner| own.then(&slash).then(inner))).collect()
    }

    /// The names of a called workflow's jobs: any name where it cannot be told, as in a circle of calls.
    fn names_in(&mut self, path: &str) -> Vec<CheckName> {
        let is_circle = self.path.iter().any(|before| before == path);
        if is_circle || self.path.len() > DEEPEST_CALL || self.left == 0 {
            return vec![CheckName::open()];
        }
        let called = self.called;
        let read = self.read.entry(path.to_owned()).or_insert_with(|| called(path)).clone();
        let Some(workflow) = read.as_ref().and_then(|read| read.model.as_ref()) else {
            return vec![CheckName::open()];
        };
        self.path.push(path.to_owned());
        let mut names = Vec::new();
        for job in &workflow.jobs {
            let of_job = self.names_of(job);
            self.spend(of_job.len());
            names.extend(of_job);
            if self.left == 0 {
                names = vec![CheckName::open()];
                break;
            }
        }
        self.path.pop();
        names
    }

    /// A job that makes no name has been looked at, too.
    fn spend(&mut self, names: usize) {
        self.left = self.left.saturating_sub(names.max(1));
    }
}

fn own_names(job: &Job) -> Vec<CheckName> {
    let legs = job.strategy.as_ref().map(legs_of);
    match (&job.name, legs) {
        (Some(name), legs) if has_expression(name) => {
            let legs = legs.flatten().unwrap_or_else(|| vec![Leg::new()]);
            legs.iter().map(|leg| evaluated(name, leg)).collect()
        }
        (name, legs) => {
            let base = name.as_ref().map_or(job.id.value.as_str(), Text::raw);
            with_legs(base, legs)
        }
    }
}

fn with_legs(base: &str, legs: Option<Option<Vec<Leg>>>) -> Vec<CheckName> {
    let mut names = vec![CheckName::fixed(base)];
    match legs {
        None => {}
        Some(None) => names.push(CheckName { pieces: vec![format!("{base} ("), ")".to_owned()] }),
        Some(Some(legs)) => names.extend(legs.iter().map(|leg| {
            let values: Vec<&str> = leg.iter().map(|(_, value)| value.as_str()).collect();
            CheckName::fixed(format!("{base} ({})", values.join(", ")))
        })),
    }
    names
}

fn has_expression(text: &Text) -> bool {
    !matches!(text.template, Template::Literal(_))
}

/// The name with the leg's values in it, and gaps for what else there is.
fn evaluated(name: &Text, leg: &Leg) -> CheckName {
    let value_of = |expr: &lineclear_expr::Expr| -> Option<String> {
        let reference = expr.root().as_reference()?;
        let ("matrix", [Segment::Name(axis)], true) =
            (reference.context, reference.path.as_slice(), reference.complete)
        else {
            return None;
        };
        leg.iter().find(|(name, _)| name.eq_ignore_ascii_case(axis)).map(|(_, value)| value.clone())
    };
    let mut pieces = vec![String::new()];
    let mut add = |text: Option<String>| match (text, pieces.last_mut()) {
        (Some(text), Some(last)) => last.push_str(&text),
        _ => pieces.push(String::new()),
    };
    match &name.template {
        Template::Literal(_) => add(Some(name.raw().to_owned())),
        Template::Expression(expr) => add(value_of(expr)),
        Template::Mixed(parts) => parts.iter().for_each(|part| match part {
            TemplatePart::Expression(expr) => add(value_of(expr)),
            TemplatePart::Text(text) => add(Some(text.to_string())),
        }),
    }
    CheckName { pieces }
}

/// All combinations, if the file tells them.
fn legs_of(strategy: &Strategy) -> Option<Vec<Leg>> {
    let TextTree::Mapping(axes) = strategy.matrix.as_ref()? else { return None };
    let mut legs: Vec<Leg> = vec![Vec::new()];
    for (name, values) in &axes.value {
        let TextTree::Sequence(values) = values else { return None };
        if matches!(name.raw(), "include" | "exclude") || values.value.len().saturating_mul(legs.len()) > MOST_LEGS {
            return None;
        }
        let mut longer = Vec::new();
        for leg in &legs {
            for value in &values.value {
                let TextTree::Scalar(value) = value else { return None };
                if has_expression(value) {
                    return None;
                }
                longer.push(leg.iter().cloned().chain([(name.raw().to_owned(), value.raw().to_owned())]).collect());
            }
        }
        legs = longer;
    }
    Some(legs)
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;

    use super::*;

    fn read(path: &str, text: &str) -> Arc<Read<Workflow>> {
        Arc::new(Workflow::read(&Source::new(path, text)))
    }

    #[test]
    fn checks_are_called_as_a_forge_shows_them() {
        let called = read(
            ".github/workflows/e2e.yml",
            "on: workflow_call\njobs:\n  browser: { runs-on: x, steps: [{ run: a }] }\n",
        );
        let text = "name: CI\non: { push: { tags: ['v*'] }, pull_request: }\njobs:\n  test:\n    strategy: { matrix: { v: [1, 2] } }\n    \
                    runs-on: x\n    steps: [{ run: a }]\n  e2e: { uses: ./.github/workflows/e2e.yml }\n  all:\n    name: All ${{ matrix.v }}\n    \
                    strategy: { matrix: { v: [1, 2] } }\n    runs-on: x\n    steps: [{ run: a }]\n";
        let ci = read("ci.yml", text);
        let workflows = [&ci, &called].map(|read| read.model.as_ref().expect("it is one"));
        let find = |path: &str| (path == ".github/workflows/e2e.yml").then(|| Arc::clone(&called));
        let checks = produced_checks(workflows, &find);
        let names: Vec<Vec<&str>> = checks.iter().map(ProducedCheck::shared_names).collect();
        assert_eq!(names, [vec!["CI / test"], vec!["CI / e2e / browser"], vec!["CI / All 1", "CI / All 2"]]);
        assert!(checks[0].is_called("CI / test (2)") && !checks[0].is_called("CI / test (3)"));
        assert!(checks[0].runs_on_pull_requests() && !checks[0].runs_on_pushes());
    }

    #[test]
    fn names_that_only_a_run_tells_are_shown_with_a_gap() {
        let text = "name: CI\non: push\njobs:\n  some:\n    strategy: { matrix: '${{ fromJSON(inputs.a) }}' }\n    runs-on: x\n    \
                    steps: [{ run: a }]\n  on:\n    name: On ${{ matrix.v }} only\n    strategy: { matrix: '${{ fromJSON(inputs.a) }}' }\n    \
                    runs-on: x\n    steps: [{ run: a }]\n  far: { uses: a/b/.github/workflows/c.yml@v1 }\n";
        let ci = read("ci.yml", text);
        let checks = produced_checks(ci.model.as_ref(), &|_| None);
        let open = |check: &ProducedCheck<'_>| check.open_names().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(checks.iter().map(open).collect::<Vec<_>>(), [vec![], vec!["CI / On … only"], vec!["CI / far / …"]]);
        assert_eq!(checks[0].shared_names(), ["CI / some"], "all of its legs are one name");
    }

    /// A workflow that pushes start and that others may call, with ten jobs that call `next`.
    fn ten_calls_of(path: &str, next: &str) -> Arc<Read<Workflow>> {
        let jobs: String = (0..10).map(|job| format!("  j{job}: {{ uses: ./{next} }}\n")).collect();
        read(path, &format!("name: {path}\non: [push, workflow_call]\njobs:\n{jobs}"))
    }

    #[test]
    fn workflows_that_call_each_other_in_a_circle_have_open_names_at_once() {
        let path = |at: usize| format!(".github/workflows/{at}.yml");
        let files: Vec<_> = (0..2).map(|at| ten_calls_of(&path(at), &path((at + 1) % 2))).collect();
        let asked = std::cell::RefCell::new(Vec::new());
        let find = |called: &str| {
            asked.borrow_mut().push(called.to_owned());
            files.iter().enumerate().find(|(at, _)| path(*at) == called).map(|(_, file)| Arc::clone(file))
        };
        let itself = ten_calls_of(&path(0), &path(0));
        let alone = produced_checks(itself.model.as_ref(), &find);
        assert!(alone.iter().all(|check| check.names.len() == 1 && check.names[0].as_fixed().is_none()), "{alone:?}");
        assert!(alone[3].is_called(".github/workflows/0.yml / j3 / anything") && asked.borrow().is_empty());
        let both = produced_checks(files.iter().filter_map(|file| file.model.as_ref()), &find);
        assert_eq!(both.iter().map(|check| check.names.len()).sum::<usize>(), 200);
        assert_eq!(*asked.borrow(), [path(1), path(0)], "each file is read once");
    }

    #[test]
    fn calls_that_make_too_many_names_make_open_ones() {
        let path = |at: usize| format!(".github/workflows/{at}.yml");
        let mut files: Vec<_> = (0..9).map(|at| ten_calls_of(&path(at), &path(at + 1))).collect();
        for last in ["  job: { runs-on: x, steps: [{ run: a }] }\n", "  {}\n"] {
            files.truncate(9);
            files.push(read(&path(9), &format!("on: workflow_call\njobs:\n{last}")));
            let find = |called: &str| {
                files.iter().enumerate().find(|(at, _)| path(*at) == called).map(|(_, file)| Arc::clone(file))
            };
            let checks = produced_checks(files[0].model.as_ref(), &find);
            assert_eq!(checks.len(), 10);
            assert!(checks.iter().map(|check| check.names.len()).sum::<usize>() <= MOST_CALLED_NAMES);
            assert!(checks[9].is_called(".github/workflows/0.yml / j9 / j1 / whatever"), "{:?}", checks[9].names);
        }
    }
}
