//! `call-nesting`: calls that lead in a circle, too deep, or to too many files.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_source::{Severity, Span};

use super::called::{Called, call_of, calls};
use crate::{Activity, Dialect, File, FileKind, Group, Project, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/call-nesting.md`.
#[derive(Debug)]
pub(super) struct CallNesting;

static META: RuleMeta = RuleMeta {
    id: "call-nesting",
    summary: "calls of workflows in a circle, too deep, or too many",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("call-nesting"),
};

/// How many workflows may call each other in a row, the first one counted.
const DEEPEST: usize = 10;
/// How many different workflows one run may call, directly or not.
const MOST_FILES: usize = 50;

/// What is found on the way down from one call of the file.
struct Walk<'f> {
    project: &'f Project<'f>,
    at: Span,
    /// The workflows from the file down to the one that is looked at.
    path: Vec<String>,
    /// All that were looked at, each with the greatest depth at which it was.
    seen: BTreeMap<String, usize>,
    has_said: bool,
}

impl Rule for CallNesting {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let mut all = BTreeSet::new();
        let mut has_said_of_number = false;
        for (_, call) in calls(file) {
            let path = vec![file.path().to_owned()];
            let seen = BTreeMap::new();
            let mut walk = Walk { project: file.project(), at: call.uses.span, path, seen, has_said: false };
            walk.enter(&Called::find(file.project(), None, &call.uses.value), report);
            all.extend(walk.seen.into_keys());
            if all.len() > MOST_FILES && !has_said_of_number {
                has_said_of_number = true;
                let message = format!("with this call the run calls {} workflows; {MOST_FILES} are allowed", all.len());
                report.at(call.uses.span, message);
            }
        }
    }
}

impl Walk<'_> {
    fn enter(&mut self, called: &Called, report: &mut Report<'_>) {
        // A circle further down is that file's own.
        if self.path.first() == Some(&called.name) {
            let names: Vec<String> = self.path.iter().chain([&called.name]).map(|name| format!("`{name}`")).collect();
            self.say(format!("these workflows call each other in a circle: {}", names.join(" → ")), report);
            return;
        }
        if self.path.contains(&called.name) {
            return;
        }
        if self.path.len() >= DEEPEST {
            self.say(format!("this call leads {} levels deep; {DEEPEST} are allowed", self.path.len() + 1), report);
            return;
        }
        // On another way to it, only a greater depth can show something new.
        let depth = self.path.len();
        if self.seen.insert(called.name.clone(), depth).is_some_and(|before| before >= depth) {
            return;
        }
        let Some(workflow) = called.read().and_then(|read| read.model.as_ref()) else { return };
        self.path.push(called.name.clone());
        for (_, call) in workflow.jobs.iter().filter_map(call_of) {
            let next = Called::find(self.project, called.repository.as_ref(), &call.uses.value);
            if !self.has_said {
                self.enter(&next, report);
            }
        }
        self.path.pop();
    }

    fn say(&mut self, message: String, report: &mut Report<'_>) {
        if !self.has_said {
            self.has_said = true;
            report.at(self.at, message).help("a workflow that is called may itself call others, ten levels in all");
        }
    }
}
